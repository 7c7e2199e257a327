/** A code system in tables: loaded from its official files, hundreds of thousands of concepts, nothing of it in memory. */
import type { Sql } from '../../db/index.ts';
import { type Canonical, compareVersions } from './canonical.ts';
import type { SystemInfo } from './concept.ts';
import { codesAt, findConcept, placeOf } from './loaded-concepts.ts';
import { type LoadedScope, loadedFinder } from './loaded-finder.ts';
import { containsCode, selectLoaded } from './loaded-selection.ts';
import { tooCostly } from './problems.ts';
import type { KnownSystem } from './system.ts';

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
    text: `SELECT system, url, version, name, title, language, value_set, properties, concepts
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
    size: row.concepts,
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

export function loadedSystem(scope: LoadedScope, sql: Sql): KnownSystem {
  const finder = loadedFinder(scope, sql);
  return {
    info: scope.info,
    find: (code) => findConcept(sql, scope, code),
    select: (selection, options) => selectLoaded(sql, scope, selection, options),
    contains: (selection, code) => containsCode(sql, scope, selection, code),
    async subsumption(codeA, codeB) {
      const [a, b] = [await placeOf(sql, scope, codeA), await placeOf(sql, scope, codeB)];
      if (!a || !b) return undefined;
      if (a.seq === b.seq) return 'equivalent';
      if (b.ancestors.includes(a.seq)) return 'subsumes';
      return a.ancestors.includes(b.seq) ? 'subsumed-by' : 'not-subsumed';
    },
    async related(code, direction, limit) {
      const from = await placeOf(sql, scope, code);
      if (!from) return undefined;
      const numbers = direction === 'above' ? from.ancestors : [...(await finder.below([code]))];
      if (numbers.length >= limit) throw tooCostly(`More than ${limit} codes are ${direction} this one`);
      return [code, ...(await codesAt(sql, scope, numbers)).values()];
    },
    async children(code) {
      const numbers = [...(await finder.children([code]))].sort((a, b) => a - b);
      const codes = await codesAt(sql, scope, numbers);
      return numbers.map((seq) => codes.get(seq)!);
    },
  };
}
