/** The searches a remote-reading service makes all day, over HTTP, one at a time: how long the slowest twentieth takes. */
import type pg from 'pg';
import {
  identifierSystem,
  patientNumber,
  patientSystem,
  radiologistId,
  requestId,
  requestNumber,
  requestsPerPatient,
  scramble,
} from './fill/population.ts';
import type { HttpLoad } from './http-load.ts';
import { loadFor } from './load.ts';
import { type BenchResult, percentile, result } from './result.ts';

const samples = 300;
/** A search passes much code, which V8 compiles as it sees it run; after thirty of them the first figures told of the compiler. */
const warmUpSeconds = 3;
const pageRows = 50;

/** Query number `n` on a population of `rows` requests; each time for another person, another number. */
type Question = (n: number, rows: number) => string;

const questions: Readonly<Record<string, Question>> = {
  worklist: (n) => `ServiceRequest?status=active&performer=Practitioner/${radiologistId(n)}&_sort=authored&_count=50`,
  // As many to one radiologist, but of all years: a page of the disk for each.
  'worklist-scattered': (n) =>
    `ServiceRequest?status=revoked&performer=Practitioner/${radiologistId(n)}&_sort=authored&_count=50`,
  identifier: (n, rows) => `ServiceRequest?identifier=${identifierSystem}|${requestNumber(any(n, rows))}`,
  common: () => 'ServiceRequest?status=completed&_sort=-authored&_count=50',
  chained: (n, rows) =>
    `ServiceRequest?subject:Patient.identifier=${patientSystem}|${patientNumber(any(n, rows / requestsPerPatient))}`,
  has: (n, rows) => `Patient?_has:ServiceRequest:subject:identifier=${identifierSystem}|${requestNumber(any(n, rows))}`,
  composite: (n) =>
    `Observation?code-value-quantity=http://loinc.org|2160-0$gt${(119 + (n % 90) / 100).toFixed(2)}&_count=20`,
  name: (n) => `Patient?family=martin-${n % 1000}&_count=20`,
  'include-iterate': (n) =>
    `Task?status=requested&owner=Practitioner/${radiologistId(n)}&_sort=-authored-on&_count=50&_include=Task:focus&_include:iterate=ServiceRequest:subject`,
};

/**
 * @param scale how the size of the population is written in the names: `1m`, `10m`.
 * @param raw a superuser's connections to the same database: the raw limit is fifty of the same rows by primary key.
 */
export async function searchLoad(
  http: HttpLoad,
  raw: pg.Pool,
  tenant: string,
  rows: number,
  scale: string,
): Promise<BenchResult[]> {
  const limit = {
    name: `${pageRows} rows by primary key, p95`,
    value: await timed((n) => fiftyRows(raw, tenant, n, rows)),
  };
  const results: BenchResult[] = [];
  for (const [name, question] of Object.entries(questions)) {
    try {
      const p95 = await timed((n) => http.send('GET', `/fhir/${encodeURI(question(n, rows))}`));
      results.push(result('search', `${name}-${scale}`, p95, 'ms p95', limit));
    } catch (error) {
      // One search that is refused must not cost the figures of an hour; it is missing among them.
      process.stderr.write(`search/${name}-${scale}: ${(error as Error).message.slice(0, 300)}\n`);
    }
  }
  return results;
}

async function timed(work: (n: number) => Promise<unknown>): Promise<number> {
  await loadFor(warmUpSeconds, 1, (n) => work(samples + n));
  const durations: number[] = [];
  for (let n = 0; n < samples; n++) {
    const start = performance.now();
    await work(n);
    durations.push(performance.now() - start);
  }
  return percentile(durations, 95);
}

function fiftyRows(raw: pg.Pool, tenant: string, n: number, rows: number): Promise<unknown> {
  return raw.query({
    name: 'raw-page',
    text: 'SELECT content FROM fhir.servicerequest WHERE tenant = $1 AND id = ANY ($2::text[])',
    values: [tenant, Array.from({ length: pageRows }, (_, k) => requestId(any(n * pageRows + k, rows)))],
  });
}

function any(n: number, of: number): number {
  return scramble(n) % Math.floor(of);
}
