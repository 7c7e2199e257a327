/**
 * How the server holds up from ten thousand requests to a million (three minutes, 5 GB) or ten million (half an hour, 40 GB): creates per second
 * at each size, searches and hot updates at the last ones. Run by name only.
 */
import { hotUpdates } from './hot-updates.ts';
import { loadFor } from './load.ts';
import { startPopulatedServer } from './populated-server.ts';
import { type BenchResult, result } from './result.ts';
import { searchLoad } from './search-load.ts';
import { benchRequest } from './service-request.ts';

const sizes: Readonly<Record<string, number>> = { '10k': 10_000, '100k': 100_000, '1m': 1_000_000, '10m': 10_000_000 };
const searchedFrom = 1_000_000;
const connections = 32;
const seconds = 8;
const warmUpSeconds = 3;
/**
 * Before each figure: a server in service has met the pages its next writes touch, and its code is compiled. The events of these
 * creates are made before what is measured begins.
 */
const inServiceSeconds: Readonly<Record<string, number>> = { '10k': 10, '100k': 10, '1m': 15, '10m': 60 };

/** @param last size to grow to, the others before it. */
export async function scaleSuite(last: '1m' | '10m'): Promise<BenchResult[]> {
  const server = await startPopulatedServer(connections);
  const results: BenchResult[] = [];
  let first: number | undefined;
  try {
    for (const [name, rows] of Object.entries(sizes)) {
      if (rows > sizes[last]!) break;
      const start = performance.now();
      await server.growTo(rows);
      process.stderr.write(`${new Date().toISOString()} ${name} demandes\n`);
      results.push(result('scale', `fill-${name}`, (performance.now() - start) / 1000, 's'));
      // As the population is: else everything active lay at one end of every order.
      const create = (n: number) =>
        server.http.send(
          'POST',
          '/fhir/ServiceRequest',
          Buffer.from(JSON.stringify({ ...benchRequest(n), status: 'completed' })),
        );
      await loadFor(inServiceSeconds[name]!, connections, create);
      await server.project();
      await loadFor(warmUpSeconds, connections, create);
      const { perSecond } = await loadFor(seconds, connections, create);
      first ??= perSecond;
      results.push(result('scale', `create-${name}`, perSecond, '1/s', { name: 'at 10 k rows', value: first }));
      await server.settle();
      if (rows >= searchedFrom) {
        results.push(...(await searchLoad(server.http, server.raw, server.tenant, rows, name)));
        results.push(...(await hotUpdates(server.http, server.raw, name)));
      }
    }
    return results;
  } finally {
    await server.stop();
  }
}
