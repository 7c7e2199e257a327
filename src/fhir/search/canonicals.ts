/**
 * What canonicals lead to (https://hl7.org/fhir/R4/references.html#canonical): the definition with that `url` and, when the canonical
 * names one, that version; else the newest of those in sight. Which one that is, validation and terminology say the same way.
 */
import type { Resource } from '@medplum/fhirtypes';
import { chooseVersion, parseCanonical } from '../terminology/canonical.ts';
import { keysCondition } from './conditions.ts';
import { keyKind, keyText } from './keys.ts';
import type { Parameter } from './parameters.ts';
import { seenCondition } from './row-limits.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { createSqlValues } from './sql-values.ts';

/** What of a definition decides whether a canonical means it. */
export interface Definition {
  type: string;
  id: string;
  url: string;
  version?: string;
  status?: string;
  date?: string;
  /** Of the program's own, which is not stored. */
  own?: Resource;
}

/** Types a canonical of the parameter may lead to; none when its values are References, or the caller does not see the urls. */
export function canonicalTypes({ registry }: RunningSearch, { form, target }: Parameter, type?: string): string[] {
  if (form === undefined || form === 'literal') return [];
  const types = target.length > 0 ? target : [...registry.types];
  return types.filter(
    (each) => (type === undefined || each === type) && registry.types.has(each) && registry.of(each).has('url'),
  );
}

/** The canonicals among the values of a reference parameter; those of contained resources lead nowhere outside. */
export function canonicalsAmong(values: readonly unknown[]): string[] {
  return values.filter((value): value is string => typeof value === 'string' && value !== '' && !value.startsWith('#'));
}

/** Every version in sight of the definitions with these urls, stored ones and the program's own. */
export async function definitionsOf(
  search: RunningSearch,
  types: readonly string[],
  urls: readonly string[],
): Promise<Definition[]> {
  if (types.length === 0 || urls.length === 0) return [];
  const values = createSqlValues(search.tenant);
  const keys = keysCondition(
    urls.map((url) => keyText(search.tenant, 'url', keyKind.value, url)),
    { hasher: search.hasher, values },
  );
  const arms = types.map((type) => {
    const seen = seenCondition(search.rows, type, values);
    return `SELECT '${type}' AS type, ${definitionColumns} FROM ${tableOf(type)} r
      WHERE r.tenant = $1 AND NOT r.deleted AND ${keys}${seen === undefined ? '' : ` AND ${seen}`}`;
  });
  const rows = await search.sql.query<DefinitionRow>(arms.join(' UNION ALL '), values.list);
  const wanted = new Set(urls);
  const own = types.flatMap((type) => (search.own?.(type) ?? []).map(ownDefinition));
  const found = [...rows.map(definitionOf), ...own].filter(({ url }) => wanted.has(url));
  // Of two that nothing tells apart, always the same.
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What {@link definitionOf} reads, of the table `r` of a type. */
export const definitionColumns = `r.id, (SELECT ARRAY[c.b ->> 'url', c.b ->> 'version', c.b ->> 'status', c.b ->> 'date']
  FROM (SELECT r.content::jsonb AS b OFFSET 0) c) AS told`;

export interface DefinitionRow {
  type: string;
  id: string;
  told: (string | null)[];
}

export function definitionOf({ type, id, told }: DefinitionRow): Definition {
  const [url, version, status, date] = told;
  return {
    type,
    id,
    url: url ?? '',
    ...(version ? { version } : {}),
    ...(status ? { status } : {}),
    ...(date ? { date } : {}),
  };
}

export function ownDefinition(own: Resource): Definition {
  const { url = '', version, status, date } = own as { url?: string; version?: string; status?: string; date?: string };
  return {
    own,
    type: own.resourceType,
    id: own.id ?? '',
    url,
    ...(version ? { version } : {}),
    ...(status ? { status } : {}),
    ...(date ? { date } : {}),
  };
}

/** The one of each type that a canonical means. */
export function meantBy(canonical: string, definitions: readonly Definition[]): Definition[] {
  const { url, version } = parseCanonical(canonical);
  const named = Map.groupBy(
    definitions.filter((definition) => definition.url === url),
    ({ type }) => type,
  );
  return [...named.values()].flatMap((versions) => chooseVersion(versions, version) ?? []);
}

/** What several canonicals mean, each once. */
export async function definitionsMeant(
  search: RunningSearch,
  types: readonly string[],
  canonicals: readonly string[],
): Promise<Definition[]> {
  if (types.length === 0 || canonicals.length === 0) return [];
  const urls = new Set(canonicals.map((canonical) => parseCanonical(canonical).url));
  const byUrl = Map.groupBy(await definitionsOf(search, types, [...urls]), ({ url }) => url);
  const meant = canonicals.flatMap((canonical) => meantBy(canonical, byUrl.get(parseCanonical(canonical).url) ?? []));
  return [...new Set(meant)];
}

/** How references name a definition: by its version, and without one when it is what that means `among` all there are. */
export interface Naming {
  exact?: string;
  newest?: string;
}

export function namingOf(definition: Definition, among: readonly Definition[]): Naming {
  const { type, url, version, id, own } = definition;
  if (url === '') return {};
  const means = (canonical: string) =>
    meantBy(canonical, among).some((each) => each.type === type && each.id === id && !each.own === !own);
  const exact = version === undefined ? undefined : `${url}|${version}`;
  return { ...(exact !== undefined && means(exact) ? { exact } : {}), ...(means(url) ? { newest: url } : {}) };
}

/** The same of several. */
export async function namingsOf(search: RunningSearch, definitions: readonly Definition[]): Promise<Naming[]> {
  const named = definitions.filter(({ url }) => url !== '');
  const types = [...new Set(named.map(({ type }) => type))];
  const urls = [...new Set(named.map(({ url }) => url))];
  const byUrl = Map.groupBy(await definitionsOf(search, types, urls), ({ url }) => url);
  return definitions.map((definition) => namingOf(definition, byUrl.get(definition.url) ?? []));
}

/** Texts of the keys that such canonicals have in what refers by the parameter. */
export function canonicalKeys(
  { tenant }: Pick<RunningSearch, 'tenant'>,
  { code }: Pick<Parameter, 'code'>,
  { exact, newest }: Naming,
): string[] {
  return [
    ...(exact === undefined ? [] : [keyText(tenant, code, keyKind.value, exact)]),
    ...(newest === undefined ? [] : [keyText(tenant, code, keyKind.newest, newest)]),
  ];
}
