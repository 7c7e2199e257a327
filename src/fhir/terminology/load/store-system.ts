/** Writes a code system into the tables, in the place of what was loaded before. */
import type { Sql } from '../../../db/index.ts';
import type { Concept, SystemInfo } from '../concept.ts';
import { type Closure, closureOf, HierarchyCircleError } from './closure.ts';
import { LoadError } from './load-error.ts';
import { type Posting, postingsOf } from './postings.ts';

/** A code system as a reader of files hands it over. */
export interface LoadableSystem {
  info: Omit<SystemInfo, 'complete' | 'caseSensitive'>;
  concepts: readonly Concept[];
}

export interface StoreSystemOptions {
  now: Date;
  /** Other versions of the system stay too. */
  keepOthers?: boolean;
  progress?(line: string): void;
}

const batchSize = 2000;
/** Numbers in the lists of one statement. */
const batchNumbers = 500_000;
/** A load takes longer than any question may. */
const statementTimeoutMs = 600_000;

/**
 * @param sql a transaction of the tenant: until it commits, what was loaded before answers.
 * @throws LoadError when the concepts contradict each other.
 */
export async function storeSystem(
  sql: Sql,
  tenant: string,
  { info, concepts }: LoadableSystem,
  options: StoreSystemOptions,
): Promise<void> {
  const { closure, ordered } = arranged(concepts);
  const progress = options.progress ?? (() => undefined);
  const pairs = closure.ancestors.reduce((sum, { length }) => sum + length, 0);
  progress(`${info.url} : ${ordered.length} concepts, ${pairs} paires dans la hiérarchie`);
  await sql.query(`SELECT set_config('statement_timeout', $1, true)`, [String(statementTimeoutMs)]);
  // Two loads of one system wait for each other.
  await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`terminology ${tenant} ${info.url}`]);
  const { rows } = await sql.query<{ system: number }>(
    'SELECT system FROM terminology.code_system WHERE tenant = $1 AND url = $2 AND ($3 OR version = $4)',
    [tenant, info.url, !options.keepOthers, info.version ?? ''],
  );
  for (const { system } of rows) await removeSystem(sql, tenant, system);
  const system = await insertSystem(sql, tenant, info, ordered.length, options.now);
  await insertConcepts(sql, tenant, system, ordered, closure, progress);
  await insertPostings(sql, tenant, system, postingsOf(ordered, closure), progress);
  await sql.query('SELECT terminology.gather_statistics()');
}

/** Removes what was loaded. */
export async function removeSystem(sql: Sql, tenant: string, system: number): Promise<void> {
  for (const table of ['posting', 'concept', 'code_system'])
    await sql.query(`DELETE FROM terminology.${table} WHERE tenant = $1 AND system = $2`, [tenant, system]);
}

/** Concepts with parents before children, and what is above each. */
function arranged(concepts: readonly Concept[]): { closure: Closure; ordered: Concept[] } {
  const indexes = new Map<string, number>();
  for (const [index, { code }] of concepts.entries()) {
    if (indexes.has(code)) throw new LoadError(`le code ${code} y est deux fois`);
    indexes.set(code, index);
  }
  const parents = concepts.map(({ code, parents: above }) =>
    [...new Set(above)].map((parent) => {
      const index = indexes.get(parent);
      if (index === undefined) throw new LoadError(`le code ${code} est sous ${parent}, qui n’y est pas`);
      return index;
    }),
  );
  try {
    const closure = closureOf(parents);
    return { closure, ordered: Array.from(closure.order, (index) => concepts[index]!) };
  } catch (error) {
    if (error instanceof HierarchyCircleError)
      throw new LoadError(`la hiérarchie tourne en rond par ${concepts[error.index]!.code}`);
    throw error;
  }
}

async function insertSystem(sql: Sql, tenant: string, info: LoadableSystem['info'], count: number, now: Date) {
  const { rows } = await sql.query<{ system: number }>(
    `INSERT INTO terminology.code_system
       (tenant, url, version, name, title, language, value_set, properties, concepts, loaded_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10) RETURNING system`,
    [
      ...[tenant, info.url, info.version ?? '', info.name, info.title ?? null, info.language ?? null],
      ...[info.valueSet ?? null, JSON.stringify(info.properties), count, now],
    ],
  );
  return rows[0]!.system;
}

async function insertConcepts(
  sql: Sql,
  tenant: string,
  system: number,
  concepts: readonly Concept[],
  { ancestors }: Closure,
  progress: (line: string) => void,
): Promise<void> {
  const numbers = new Map(concepts.map(({ code }, seq) => [code, seq]));
  for (let from = 0; from < concepts.length; from += batchSize) {
    const batch = concepts.slice(from, from + batchSize);
    const column = (value: (concept: Concept, seq: number) => unknown) =>
      batch.map((concept, n) => value(concept, from + n));
    await sql.query({
      name: 'terminology_insert_concepts',
      text: `INSERT INTO terminology.concept (tenant, system, code, seq, display, definition, inactive, abstract, parents, ancestors,
               designations, properties)
             SELECT $1, $2, code, seq, display, definition, inactive, abstract, parents::integer[], ancestors::integer[],
               designations::jsonb, properties::jsonb
             FROM unnest($3::text[], $4::integer[], $5::text[], $6::text[], $7::boolean[], $8::boolean[], $9::text[], $10::text[],
               $11::text[], $12::text[])
               AS batch(code, seq, display, definition, inactive, abstract, parents, ancestors, designations, properties)`,
      values: [
        ...[tenant, system, column(({ code }) => code), column((_, seq) => seq)],
        ...[column(({ display }) => display ?? null), column(({ definition }) => definition ?? null)],
        ...[column(({ inactive }) => inactive), column(({ abstract }) => abstract)],
        column(({ parents }) => arrayText([...new Set(parents)].map((code) => numbers.get(code)!))),
        column((_, seq) => arrayText(ancestors[seq]!)),
        column(({ designations }) => JSON.stringify(designations)),
        column(({ properties }) => JSON.stringify(properties)),
      ],
    });
    if ((from / batchSize) % 25 === 24) progress(`${from + batch.length} concepts écrits sur ${concepts.length}`);
  }
}

async function insertPostings(
  sql: Sql,
  tenant: string,
  system: number,
  postings: Iterable<Posting>,
  progress: (line: string) => void,
): Promise<void> {
  let batch: Posting[] = [];
  let size = 0;
  let written = 0;
  const flush = async () => {
    await sql.query({
      name: 'terminology_insert_postings',
      text: `INSERT INTO terminology.posting (tenant, system, list, key, concepts)
             SELECT $1, $2, list, key, concepts::integer[] FROM unnest($3::text[], $4::text[], $5::text[]) AS batch(list, key, concepts)`,
      values: [
        ...[tenant, system, batch.map(({ list }) => list), batch.map(({ key }) => key)],
        batch.map(({ concepts }) => arrayText(concepts)),
      ],
    });
    written += batch.length;
    batch = [];
    size = 0;
  };
  for (const posting of postings) {
    batch.push(posting);
    size += posting.concepts.length;
    if (batch.length >= 10 * batchSize || size >= batchNumbers) await flush();
  }
  if (batch.length > 0) await flush();
  progress(`${written} clés écrites`);
}

function arrayText(numbers: readonly number[] | Int32Array): string {
  return `{${numbers.join(',')}}`;
}
