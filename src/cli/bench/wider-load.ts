/**
 * The same with more callers at once, the raw limit too: what a batch costs is shared by more of them, until there is nothing left to share.
 * With few callers a figure tells what they wait for, with many what the machine can do.
 */
import type { ChildServer } from '../demo/child-server.ts';
import { httpLoad } from './http-load.ts';
import { loadFor } from './load.ts';
import { rawDatabase } from './raw-limits.ts';
import { restrictedLoad } from './restricted-load.ts';
import { type BenchResult, percentile, result } from './result.ts';
import { benchRequestText } from './service-request.ts';
import { settle } from './settle.ts';

const callers = [64, 128, 200];
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

export async function widerLoad(load: WiderLoad): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const connections of callers) results.push(...(await loadOf(connections, load)));
  return results;
}

async function loadOf(connections: number, { server, bareUrl, risToken, content }: WiderLoad): Promise<BenchResult[]> {
  const http = httpLoad(server.httpUrl, await server.token('conformance'), connections);
  const ris = httpLoad(server.httpUrl, risToken, connections);
  const bare = httpLoad(bareUrl, 'none', connections);
  try {
    const create = (n: number) => http.send('POST', '/fhir/ServiceRequest', benchRequestText(n));
    const before = await rawInserts(connections, server.dataDir, content);
    await loadFor(warmUpSeconds, connections, create);
    await settle(http);
    const creates = await loadFor(seconds, connections, create);
    const after = await rawInserts(connections, server.dataDir, content);
    // A checkpoint or a vacuum in one of the two must not lower the bar.
    const limit = { name: `INSERT, ${connections} connections, durable`, value: Math.max(before, after) };
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

async function rawInserts(connections: number, dataDir: string, content: string): Promise<number> {
  const raw = await rawDatabase(dataDir, connections);
  return raw.inserts(content, seconds).finally(() => raw.close());
}
