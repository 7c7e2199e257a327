/**
 * The remote-reading workflow over a thousand, ten thousand and a hundred thousand open cases (issue 5): the worklist, a transition, the
 * sweep of deadlines; and by how much each grows. Growing with the logarithm is the most that is allowed.
 */
import { openDatabase } from '../../db/index.ts';
import { dueNow } from '../../teleradiology/index.ts';
import { fillOpenCaseRows } from './fill/open-case-rows.ts';
import { caseId, openCases } from './fill/open-cases.ts';
import { scramble } from './fill/population.ts';
import { type HttpLoad, httpLoad } from './http-load.ts';
import { type PopulatedServer, startPopulatedServer } from './populated-server.ts';
import { type BenchResult, percentile, result } from './result.ts';

const sizes: Readonly<Record<string, number>> = { '1k': 1_000, '10k': 10_000, '100k': 100_000 };
const samples = 200;
const warmUp = 20;
const pageRows = 50;
/** The server looks for what is due once a second. */
const looksPerMinute = 60;
const raised = 100;
const raisePatienceMs = 60_000;

/** Medians: what grows must not be hidden by what else the machine does. */
interface Measured {
  worklist: number;
  transition: number;
  sweep: number;
}

/** @param names sizes to grow to, in order. */
export async function workflowSuite(names: readonly string[] = Object.keys(sizes)): Promise<BenchResult[]> {
  const cases = openCases(new Date());
  const server = await startPopulatedServer(8, cases);
  const reader = httpLoad(server.httpUrl, await server.token('radiologue'), 1);
  const results: BenchResult[] = [];
  const measured: Measured[] = [];
  try {
    let filled = 0;
    for (const name of names) {
      const rows = sizes[name] ?? 0;
      await server.growTo(rows);
      await fillOpenCaseRows(server.raw, server.tenant, cases, filled, rows);
      filled = rows;
      await server.settle();
      process.stderr.write(`${new Date().toISOString()} ${name} dossiers ouverts\n`);
      const toRead = Array.from({ length: rows }, (_, n) => n).filter(cases.isToRead);
      const found = {
        worklist: await worklistLoad(results, reader, server, name, rows),
        transition: await transitionLoad(results, reader, server, name, toRead),
        sweep: await sweepLoad(results, server, name),
      };
      results.push(await raiseLoad(server, name, toRead));
      measured.push(found);
    }
    results.push(...growth(names, measured));
    return results;
  } finally {
    reader.close();
    await server.stop();
  }
}

async function worklistLoad(
  results: BenchResult[],
  reader: HttpLoad,
  { raw, tenant }: PopulatedServer,
  name: string,
  rows: number,
): Promise<number> {
  const limit = await durationsOf((n) =>
    raw.query({
      name: 'raw-cases',
      text: 'SELECT content FROM fhir.task WHERE tenant = $1 AND id = ANY ($2::text[])',
      values: [tenant, Array.from({ length: pageRows }, (_, k) => caseId(scramble(n * pageRows + k) % rows))],
    }),
  );
  const path = `/fhir/Task/$worklist?_count=${pageRows}&_include=Task:patient&_include=Task:focus&_include=Task:requester`;
  const durations = await durationsOf(() => reader.send('GET', path));
  const limitName = `${pageRows} rows by primary key, p95`;
  results.push(
    result('workflow', `worklist-${name}`, percentile(durations, 95), 'ms p95', {
      name: limitName,
      value: percentile(limit, 95),
    }),
  );
  return percentile(durations, 50);
}

/** One radiologist takes a case and gives it back, over and over: each of the two is one transition. */
async function transitionLoad(
  results: BenchResult[],
  reader: HttpLoad,
  { raw, tenant }: PopulatedServer,
  name: string,
  toRead: readonly number[],
): Promise<number> {
  const limit = await durationsOf((n) =>
    raw.query({
      name: 'raw-update',
      text: 'UPDATE worklist SET age_minutes = age_minutes WHERE tenant = $1 AND case_id = $2',
      values: [tenant, caseId(toRead[scramble(n) % toRead.length] ?? 0)],
    }),
  );
  const none = Buffer.from('{"resourceType":"Parameters"}');
  const durations: number[] = [];
  for (let n = -warmUp; n < samples / 2; n++) {
    const id = caseId(toRead[scramble(n) % toRead.length] ?? 0);
    for (const event of ['claim', 'release']) {
      const start = performance.now();
      await reader.send('POST', `/fhir/Task/${id}/$${event}`, none);
      if (n >= 0) durations.push(performance.now() - start);
    }
  }
  const limitName = 'one row updated and committed, p95';
  results.push(
    result('workflow', `transition-${name}`, percentile(durations, 95), 'ms p95', {
      name: limitName,
      value: percentile(limit, 95),
    }),
  );
  return percentile(durations, 50);
}

/** What looking for due times costs in a minute in which nothing falls due, as the application's role. */
async function sweepLoad(
  results: BenchResult[],
  { raw, tenant, adminUrl }: PopulatedServer,
  name: string,
): Promise<number> {
  const database = openDatabase(adminUrl, adminUrl);
  try {
    const longAgo = new Date(0);
    const looks = await durationsOf(() =>
      dueNow(database, tenant, longAgo, { limit: 200, without: { cases: [], studies: [] } }),
    );
    const limit = await durationsOf(() => raw.query('SELECT 1'));
    results.push(
      result('workflow', `sweep-${name}`, meanOf(looks) * looksPerMinute, 'ms/min', {
        name: `${looksPerMinute} empty statements`,
        value: meanOf(limit) * looksPerMinute,
      }),
    );
    return percentile(looks, 50);
  } finally {
    await database.close();
  }
}

/** What one step of a clock costs that falls due: told, counted and kept, one after the other as the sweep does. */
async function raiseLoad(
  { raw, tenant }: PopulatedServer,
  name: string,
  toRead: readonly number[],
): Promise<BenchResult> {
  const ids = toRead.slice(0, raised).map(caseId);
  const limit = await durationsOf((n) =>
    raw.query('UPDATE due_time SET failures = failures WHERE tenant = $1 AND case_id = $2', [
      tenant,
      ids[n % ids.length],
    ]),
  );
  const start = performance.now();
  await raw.query(
    `UPDATE due_time SET next_at = now(), plan = jsonb_build_array(jsonb_build_object('step', 'reminder-50', 'at', '2026-01-01T00:00:00Z')) || plan
     WHERE tenant = $1 AND kind = 'clock' AND case_id = ANY ($2)`,
    [tenant, ids],
  );
  for (;;) {
    const { rows } = await raw.query<{ left: string }>(
      'SELECT count(*) AS left FROM due_time WHERE tenant = $1 AND case_id = ANY ($2) AND next_at <= now()',
      [tenant, ids],
    );
    if (Number(rows[0]?.left) === 0) break;
    if (performance.now() - start > raisePatienceMs) throw new Error('the due times were not raised');
  }
  const each = (performance.now() - start) / ids.length;
  return result('workflow', `raise-${name}`, each, 'ms', {
    name: 'one row updated and committed',
    value: meanOf(limit),
  });
}

/** Of the medians, from the smallest population to the largest, against the growth of the logarithm. */
function growth(names: readonly string[], measured: readonly Measured[]): BenchResult[] {
  const [first, last] = [measured[0], measured.at(-1)];
  const [from, to] = [sizes[names[0] ?? ''], sizes[names.at(-1) ?? '']];
  if (!first || !last || !from || !to || from === to) return [];
  const limit = { name: 'growth of the logarithm', value: Math.log(to) / Math.log(from) };
  return (['worklist', 'transition', 'sweep'] as const).map((figure) =>
    result('workflow', `${figure}-growth`, last[figure] / first[figure], '×', limit),
  );
}

function meanOf(durations: readonly number[]): number {
  return durations.reduce((sum, each) => sum + each, 0) / durations.length;
}

async function durationsOf(work: (n: number) => Promise<unknown>): Promise<number[]> {
  for (let n = 0; n < warmUp; n++) await work(samples + n);
  const durations: number[] = [];
  for (let n = 0; n < samples; n++) {
    const start = performance.now();
    await work(n);
    durations.push(performance.now() - start);
  }
  return durations;
}
