/** Searches on a million requests (and a tenth of that in patients, tasks and observations). */
import { startPopulatedServer } from './populated-server.ts';
import type { BenchResult } from './result.ts';
import { searchLoad } from './search-load.ts';

const rows = 1_000_000;

export async function searchSuite(): Promise<BenchResult[]> {
  const server = await startPopulatedServer(1);
  try {
    await server.growTo(rows);
    return await searchLoad(server.http, server.raw, server.tenant, rows, '1m');
  } finally {
    await server.stop();
  }
}
