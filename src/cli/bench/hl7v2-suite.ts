/** From a request on the wire to a committed case and its acknowledgement, several senders at once. */
import { connectMllp } from '../../adapters/hl7v2/index.ts';
import { startChildServer } from '../demo/child-server.ts';
import { requestMessage } from '../demonstration/messages.ts';
import { benchCase } from './bench-case.ts';
import { loadTotal } from './load.ts';
import { rawDatabase } from './raw-limits.ts';
import { type BenchResult, percentile, result } from './result.ts';

const connections = 8;
const messages = 1_200;
const warmUp = 100;
const rawSeconds = 4;

export async function hl7v2Suite(): Promise<BenchResult[]> {
  const server = await startChildServer({ LOG_LEVEL: 'error' });
  const raw = await rawDatabase(server.dataDir, connections);
  const clients = await Promise.all(
    Array.from({ length: connections }, () => connectMllp({ host: '127.0.0.1', port: server.mllpPort })),
  );
  const text = (n: number) => requestMessage(benchCase('HL', n), `BENCH${n}`, new Date());
  try {
    let turn = 0;
    const send = async (n: number) => {
      const client = clients[turn++ % connections];
      const answer = (await client?.send(Buffer.from(text(n))))?.toString() ?? '';
      if (!answer.includes('MSA|AA')) throw new Error(answer);
    };
    await loadTotal(warmUp, connections, (n) => send(messages + n));
    const load = await loadTotal(messages, connections, send);
    const inserts = await raw.inserts(text(1), rawSeconds);
    return [
      result('hl7v2', 'request-to-case', load.perSecond, 'messages/s', {
        name: `one INSERT of the message, ${connections} connections, durable`,
        value: inserts,
      }),
      result('hl7v2', 'request-to-case-p95', percentile(load.durations, 95), 'ms'),
    ];
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await raw.close();
    await server.stop();
  }
}
