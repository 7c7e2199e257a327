/** How long until every port answers, and what an idle server holds. */
import { readFile } from 'node:fs/promises';
import { startChildServer } from '../demo/child-server.ts';
import { type BenchResult, result } from './result.ts';

const settleMs = 3_000;

export async function startSuite(): Promise<BenchResult[]> {
  const first = await startChildServer({});
  await first.stop({ keepData: true });
  const second = await startChildServer({}, first.dataDir);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const memory = await residentMegabytes(second.process.pid ?? 0);
  await second.stop();
  return [
    result('start', 'first', first.startedInMs, 'ms'),
    result('start', 'ready', second.startedInMs, 'ms'),
    ...(memory === undefined ? [] : [result('start', 'idle-memory', memory, 'MB')]),
  ];
}

/** Resident set of a process, 10⁶ bytes; only where the kernel tells. */
async function residentMegabytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(status)?.[1];
  return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
}
