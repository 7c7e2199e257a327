/** Rows of `terminology.concept` as concepts. */
import type { Sql } from '../../db/index.ts';
import type { Concept, ConceptProperty, Designation } from './concept.ts';
import type { LoadedScope } from './loaded-finder.ts';

interface ConceptRow {
  code: string;
  seq: number;
  display: string | null;
  definition: string | null;
  inactive: boolean;
  abstract: boolean;
  parents: number[];
  designations: Designation[];
  properties: ConceptProperty[];
}

const conceptColumns = 'code, seq, display, definition, inactive, abstract, parents, designations, properties';

export async function findConcept(sql: Sql, scope: LoadedScope, code: string): Promise<Concept | undefined> {
  const { rows } = await sql.query<ConceptRow>({
    name: 'terminology_concept',
    text: `SELECT ${conceptColumns} FROM terminology.concept WHERE tenant = $1 AND system = $2 AND code = $3`,
    values: [scope.tenant, scope.system, code],
  });
  return rows[0] && conceptOf(rows[0], await codesAt(sql, scope, rows[0].parents));
}

/** Where a concept stands. */
export interface Place {
  seq: number;
  ancestors: number[];
}

export async function placeOf(sql: Sql, scope: LoadedScope, code: string): Promise<Place | undefined> {
  const { rows } = await sql.query<Place>({
    name: 'terminology_place',
    text: 'SELECT seq, ancestors FROM terminology.concept WHERE tenant = $1 AND system = $2 AND code = $3',
    values: [scope.tenant, scope.system, code],
  });
  return rows[0];
}

/** The concepts with these numbers, in this order. */
export async function conceptsAt(sql: Sql, scope: LoadedScope, numbers: readonly number[]): Promise<Concept[]> {
  const { rows } = await sql.query<ConceptRow>(
    `SELECT ${conceptColumns} FROM terminology.concept WHERE tenant = $1 AND system = $2 AND seq = ANY($3::integer[])`,
    [scope.tenant, scope.system, numbers],
  );
  const bySeq = new Map(rows.map((row) => [row.seq, row]));
  const parents = await codesAt(sql, scope, [...new Set(rows.flatMap((row) => row.parents))]);
  return numbers.flatMap((seq) => {
    const row = bySeq.get(seq);
    return row ? [conceptOf(row, parents)] : [];
  });
}

/** Codes by number. */
export async function codesAt(sql: Sql, scope: LoadedScope, numbers: readonly number[]): Promise<Map<number, string>> {
  if (numbers.length === 0) return new Map();
  const { rows } = await sql.query<{ seq: number; code: string }>(
    'SELECT seq, code FROM terminology.concept WHERE tenant = $1 AND system = $2 AND seq = ANY($3::integer[])',
    [scope.tenant, scope.system, numbers],
  );
  return new Map(rows.map(({ seq, code }) => [seq, code]));
}

function conceptOf(row: ConceptRow, codes: ReadonlyMap<number, string>): Concept {
  return {
    code: row.code,
    ...(row.display === null ? {} : { display: row.display }),
    ...(row.definition === null ? {} : { definition: row.definition }),
    designations: row.designations,
    properties: row.properties,
    parents: row.parents.map((seq) => codes.get(seq)!),
    abstract: row.abstract,
    inactive: row.inactive,
  };
}
