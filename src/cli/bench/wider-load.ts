/**
 * The same with twice as many callers at once, the raw limit too: what a batch costs is shared by more of them, and a node of several
 * hospitals has more than thirty-two.
 */
import type { ChildServer } from '../demo/child-server.ts';
import { httpLoad } from './http-load.ts';
import { loadFor } from './load.ts';
import { rawDatabase } from './raw-limits.ts';
import { restrictedLoad } from './restricted-load.ts';
import { type BenchResult, percentile, result } from './result.ts';
import { benchRequestText } from './service-request.ts';
import { settle } from './settle.ts';

const connections = 64;
const seconds = 6;
const warmUpSeconds = 4;

export interface WiderLoad {
  /** Warm from a load before. */
  server: ChildServer;
  bareUrl: string;
  risToken: string;
  /** A row of the raw limit. */
  content: string;
}

export async function widerLoad({ server, bareUrl, risToken, content }: WiderLoad): Promise<BenchResult[]> {
  const http = httpLoad(server.httpUrl, await server.token('conformance'), connections);
  const ris = httpLoad(server.httpUrl, risToken, connections);
  const bare = httpLoad(bareUrl, 'none', connections);
  try {
    const create = (n: number) => http.send('POST', '/fhir/ServiceRequest', benchRequestText(n));
    await loadFor(warmUpSeconds, connections, create);
    await settle(http);
    const creates = await loadFor(seconds, connections, create);
    const raw = await rawDatabase(server.dataDir, connections);
    const inserts = await raw.inserts(content, seconds).finally(() => raw.close());
    const limit = { name: `INSERT, ${connections} connections, durable`, value: inserts };
    const restricted = { connections, own: ris, bare, whole: http, httpUrl: server.httpUrl, token: risToken };
    return [
      result('fhir', `create-${connections}`, creates.perSecond, '1/s', limit),
      result('fhir', `create-${connections}-p95`, percentile(creates.durations, 95), 'ms'),
      ...(await restrictedLoad(restricted, `-${connections}`)),
    ];
  } finally {
    http.close();
    ris.close();
    bare.close();
  }
}
