/** How long until every port answers, and what an idle server holds: with the database it brings, and beside one that is up. */
import { readFile, rm } from 'node:fs/promises';
import { dataFolder } from '../../config/index.ts';
import { startEmbeddedPostgres } from '../../db/index.ts';
import { type ChildServer, startChildServer } from '../demo/child-server.ts';
import { type BenchResult, result } from './result.ts';

const settleMs = 3_000;

export async function startSuite(): Promise<BenchResult[]> {
  const first = await startChildServer({});
  await first.stop({ keepData: true });
  const second = await startChildServer({}, first.dataDir);
  const memory = await idleMegabytes(second);
  await second.stop({ keepData: true });
  const beside = await besideDatabase(first.dataDir);
  await rm(first.dataDir, { recursive: true, force: true });
  return [
    result('start', 'first', first.startedInMs, 'ms'),
    result('start', 'ready', second.startedInMs, 'ms'),
    result('start', 'ready-database-up', beside.startedInMs, 'ms'),
    ...memoryResult('idle-memory', memory),
    ...memoryResult('idle-memory-database-up', beside.memory),
  ];
}

/** The server as a hospital runs it: Node alone, PostgreSQL being somebody else's process, no demonstration. */
async function besideDatabase(dataDir: string): Promise<{ startedInMs: number; memory: number | undefined }> {
  const postgres = await startEmbeddedPostgres({
    directory: dataFolder({ dataDir } as Parameters<typeof dataFolder>[0], 'postgres'),
  });
  try {
    const url = new URL(postgres.superuserUrl);
    url.pathname = '/passerelle';
    const server = await startChildServer({ DATABASE_URL: url.href, DEMO: 'off' }, dataDir);
    const memory = await idleMegabytes(server);
    await server.stop({ keepData: true });
    return { startedInMs: server.startedInMs, memory };
  } finally {
    await postgres.stop();
  }
}

/** Resident set of the server's process after a moment of rest, 10⁶ bytes; only where the kernel tells. */
async function idleMegabytes({ process: { pid } }: ChildServer): Promise<number | undefined> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(status)?.[1];
  return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
}

function memoryResult(figure: string, megabytes: number | undefined): BenchResult[] {
  return megabytes === undefined ? [] : [result('start', figure, megabytes, 'MB')];
}
