/**
 * Tasks are written again and again while a case goes on: the same few hundred rows, each time with all their index values. Shows whether
 * the store keeps its pace while PostgreSQL cleans up behind it.
 */
import type pg from 'pg';
import type { HttpLoad } from './http-load.ts';
import { loadFor } from './load.ts';
import { type BenchResult, result } from './result.ts';

const hotTasks = 500;
const connections = 32;
const roundSeconds = 10;
const rounds = 6;
const statuses = ['requested', 'accepted', 'in-progress', 'on-hold', 'completed'] as const;

export async function hotUpdates(http: HttpLoad, raw: pg.Pool, scale: string): Promise<BenchResult[]> {
  const update = (n: number) => {
    const id = `bench-hot-${n % hotTasks}`;
    return http.send('PUT', `/fhir/Task/${id}`, Buffer.from(JSON.stringify(hotTask(id, n))));
  };
  for (let n = 0; n < hotTasks; n++) await update(n);
  const before = await taskBytes(raw);
  const pace: number[] = [];
  for (let round = 0; round < rounds; round++) pace.push((await loadFor(roundSeconds, connections, update)).perSecond);
  const [first = Number.NaN] = pace;
  return [
    result('scale', `update-task-first-${scale}`, first, '1/s'),
    result('scale', `update-task-last-${scale}`, pace.at(-1) ?? Number.NaN, '1/s', {
      name: 'the first ten seconds of the minute',
      value: first,
    }),
    result('scale', `update-task-growth-${scale}`, (await taskBytes(raw)) / 1e6, 'MB', {
      name: 'table and indexes of Task before',
      value: before / 1e6,
    }),
  ];
}

function hotTask(id: string, n: number) {
  const modified = new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
  return {
    resourceType: 'Task',
    id,
    status: statuses[n % statuses.length],
    intent: 'order',
    for: { reference: 'Patient/bench-p-000000000' },
    owner: { reference: `Practitioner/bench-r-${n % 50}` },
    authoredOn: '2026-01-01T00:00:00Z',
    lastModified: modified,
    note: [{ text: `${n}` }],
  };
}

async function taskBytes(raw: pg.Pool): Promise<number> {
  const { rows } = await raw.query<{ bytes: string }>("SELECT pg_total_relation_size('fhir.task') AS bytes");
  return Number(rows[0]!.bytes);
}
