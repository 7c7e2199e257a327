/** A code system in tables: loaded from its official files, hundreds of thousands of concepts, nothing of it in memory. */
import type { Sql } from '../../db/index.ts';
import { type Canonical, compareVersions } from './canonical.ts';
import type { Concept, ConceptProperty, Designation, SystemInfo } from './concept.ts';
import {
  createValues,
  type LoadedScope,
  selectionCondition,
  type Values,
  wordConditions,
} from './loaded-conditions.ts';
import { tooCostly } from './problems.ts';
import { explainPattern } from './regex.ts';
import { listedConcepts, type Selection } from './selection.ts';
import type { KnownSystem, Selected, SelectOptions } from './system.ts';
import { questionWords } from './words.ts';

interface SystemRow {
  system: number;
  url: string;
  version: string;
  name: string;
  title: string | null;
  language: string | null;
  value_set: string | null;
  properties: SystemInfo['properties'];
  concepts: number;
}

/** The rows of a loaded system: the version asked for, else the newest; undefined when there is none. */
export async function findLoaded(sql: Sql, tenant: string, canonical: Canonical): Promise<LoadedScope | undefined> {
  const { rows } = await sql.query<SystemRow>({
    name: 'terminology_system',
    text: `SELECT system, url, version, name, title, language, value_set, properties
           FROM terminology.code_system WHERE tenant = $1 AND url = $2`,
    values: [tenant, canonical.url],
  });
  const row = rows
    .filter(({ version }) => canonical.version === undefined || version === canonical.version)
    .sort((a, b) => compareVersions(b.version, a.version))[0];
  if (!row) return undefined;
  return {
    tenant,
    system: row.system,
    info: {
      url: row.url,
      ...(row.version === '' ? {} : { version: row.version }),
      name: row.name,
      ...(row.title === null ? {} : { title: row.title }),
      ...(row.language === null ? {} : { language: row.language }),
      caseSensitive: true,
      complete: true,
      ...(row.value_set === null ? {} : { valueSet: row.value_set }),
      properties: row.properties,
    },
  };
}

export async function systemOfLoadedValueSet(sql: Sql, tenant: string, valueSet: string): Promise<string | undefined> {
  const { rows } = await sql.query<{ url: string }>(
    'SELECT url FROM terminology.code_system WHERE tenant = $1 AND value_set = $2 LIMIT 1',
    [tenant, valueSet],
  );
  return rows[0]?.url;
}

interface ConceptRow {
  code: string;
  seq: number;
  display: string | null;
  definition: string | null;
  inactive: boolean;
  abstract: boolean;
  parents: string[];
  designations: Designation[];
  properties: ConceptProperty[];
}

const conceptColumns = `c.code, c.seq, c.display, c.definition, c.inactive, c.abstract, c.designations, c.properties,
  ARRAY(SELECT p.code FROM terminology.concept p WHERE p.tenant = $1 AND p.system = $2 AND p.seq = ANY(c.parents)
        ORDER BY p.seq) AS parents`;

export function loadedSystem(scope: LoadedScope, sql: Sql): KnownSystem {
  async function place(code: string): Promise<{ seq: number; ancestors: number[] } | undefined> {
    const { rows } = await sql.query<{ seq: number; ancestors: number[] }>({
      name: 'terminology_place',
      text: 'SELECT seq, ancestors FROM terminology.concept WHERE tenant = $1 AND system = $2 AND code = $3',
      values: [scope.tenant, scope.system, code],
    });
    return rows[0];
  }

  return {
    info: scope.info,
    async find(code) {
      const { rows } = await sql.query<ConceptRow>({
        name: 'terminology_concept',
        text: `SELECT ${conceptColumns} FROM terminology.concept c WHERE c.tenant = $1 AND c.system = $2 AND c.code = $3`,
        values: [scope.tenant, scope.system, code],
      });
      return rows[0] && conceptOf(rows[0]);
    },
    select: (selection, options) => select(sql, scope, selection, options),
    async contains(selection, code) {
      const values = createValues(scope);
      const wanted = await selectionCondition(sql, scope, selection, values, 'one');
      const { rows } = await query<{ found: boolean }>(
        sql,
        `SELECT EXISTS (SELECT FROM terminology.concept c
           WHERE c.tenant = $1 AND c.system = $2 AND c.code = ${values.add(code)} AND ${wanted}) AS found`,
        values,
      );
      return rows[0]!.found;
    },
    async subsumption(codeA, codeB) {
      const [a, b] = [await place(codeA), await place(codeB)];
      if (!a || !b) return undefined;
      if (a.seq === b.seq) return 'equivalent';
      if (b.ancestors.includes(a.seq)) return 'subsumes';
      return a.ancestors.includes(b.seq) ? 'subsumed-by' : 'not-subsumed';
    },
    async related(code, direction, limit) {
      const from = await place(code);
      if (!from) return undefined;
      const values = createValues(scope);
      const numbers =
        direction === 'above'
          ? `${values.add(from.ancestors)}::integer[]`
          : `(SELECT p.concepts FROM terminology.posting p
               WHERE p.tenant = $1 AND p.system = $2 AND p.list = 'below' AND p.key = ${values.add(code)})`;
      const { rows } = await sql.query<{ code: string }>(
        `SELECT c.code FROM unnest(${numbers}) AS wanted(seq)
         JOIN terminology.concept c ON c.tenant = $1 AND c.system = $2 AND c.seq = wanted.seq
         LIMIT ${Math.trunc(limit)}`,
        values.list,
      );
      if (rows.length >= limit) throw tooCostly(`More than ${limit} codes are ${direction} this one`);
      return [code, ...rows.map((row) => row.code)];
    },
    async children(code) {
      const { rows } = await sql.query<{ code: string }>(
        `SELECT c.code FROM terminology.posting p
         JOIN terminology.concept c ON c.tenant = p.tenant AND c.system = p.system AND c.seq = ANY(p.concepts)
         WHERE p.tenant = $1 AND p.system = $2 AND p.list = 'children' AND p.key = $3 ORDER BY c.seq`,
        [scope.tenant, scope.system, code],
      );
      return rows.map((row) => row.code);
    },
  };
}

/** Numbers first, rows of the page after: sorting whole rows of a large system would move hundreds of megabytes. */
async function select(sql: Sql, scope: LoadedScope, selection: Selection, options: SelectOptions): Promise<Selected> {
  const values = createValues(scope);
  const where = [await selectionCondition(sql, scope, selection, values, 'many')];
  if (options.activeOnly) where.push('NOT c.inactive');
  if (options.selectableOnly) where.push('NOT c.abstract');
  const words = options.text === undefined ? [] : questionWords(options.text);
  where.push(...wordConditions(words, values));
  const order = orderOf(selection, words, values);
  const { rows } = await query<{ total: string; page: number[] }>(
    sql,
    `WITH hits AS MATERIALIZED (
       SELECT c.seq, ${order.column} AS place FROM terminology.concept c ${order.join}
       WHERE c.tenant = $1 AND c.system = $2 AND ${where.join(' AND ')})
     SELECT (SELECT count(*) FROM hits) AS total,
            ARRAY(SELECT seq FROM hits ORDER BY place, seq
                  OFFSET ${values.add(options.offset)} LIMIT ${values.add(options.limit)}) AS page`,
    values,
  );
  const { total, page } = rows[0]!;
  if (page.length === 0) return { concepts: [], total: Number(total) };
  const shown = await sql.query<ConceptRow>(
    `SELECT ${conceptColumns} FROM unnest($3::integer[]) WITH ORDINALITY AS wanted(seq, n)
     JOIN terminology.concept c ON c.tenant = $1 AND c.system = $2 AND c.seq = wanted.seq ORDER BY wanted.n`,
    [scope.tenant, scope.system, page],
  );
  return { concepts: shown.rows.map(conceptOf), total: Number(total) };
}

/** Best match first: the shortest name. Else the order of a list, else that of the system. */
function orderOf(selection: Selection, words: readonly string[], values: Values): { column: string; join: string } {
  if (words.length > 0) return { column: `length(coalesce(c.display, ''))`, join: '' };
  const listed = [...new Set(listedConcepts(selection).map(({ code }) => code))];
  if (listed.length === 0) return { column: '0', join: '' };
  return {
    column: 'coalesce(listed.n, 2147483647)',
    join: `LEFT JOIN unnest(${values.add(listed)}::text[]) WITH ORDINALITY AS listed(code, n) ON listed.code = c.code`,
  };
}

async function query<Row extends object>(sql: Sql, text: string, values: Values) {
  try {
    return await sql.query<Row>(text, values.list);
  } catch (error) {
    throw explainPattern(error);
  }
}

function conceptOf(row: ConceptRow): Concept {
  return {
    code: row.code,
    ...(row.display === null ? {} : { display: row.display }),
    ...(row.definition === null ? {} : { definition: row.definition }),
    designations: row.designations,
    properties: row.properties,
    parents: row.parents,
    abstract: row.abstract,
    inactive: row.inactive,
  };
}
