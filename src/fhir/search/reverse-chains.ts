/**
 * `_has` (https://hl7.org/fhir/R4/search.html#has): resources that others point to, by literal references or by canonicals. First what
 * the others refer to, which is all that is read of them; when those are too many, they are looked up from each resource that the other
 * criteria leave, by the key such a reference has.
 */
import type { ReferenceForm } from './canonical-elements.ts';
import {
  canonicalKeys,
  canonicalsAmong,
  canonicalTypes,
  type DefinitionRow,
  definitionColumns,
  definitionOf,
  definitionsMeant,
  namingsOf,
} from './canonicals.ts';
import { type BuildWhere, defaultLinkLimit } from './chains.ts';
import type { ConditionScope } from './conditions.ts';
import { elementPaths } from './content-path.ts';
import { keyKind, keyText } from './keys.ts';
import type { Parameter } from './parameters.ts';
import { tooCostly } from './refusals.ts';
import type { Criterion } from './request.ts';
import { seenCondition } from './row-limits.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { createSqlValues, type SqlValues } from './sql-values.ts';
import { targetOf } from './token-facts.ts';

type ReverseChain = Extract<Criterion, { kind: 'has' }>;

/** A resource of which the criterion holds points here. */
export async function reverseChainCondition(
  search: RunningSearch,
  type: string,
  chain: ReverseChain,
  scope: ConditionScope,
  buildWhere: BuildWhere,
): Promise<string> {
  const ids = await pointedTo(search, type, chain, buildWhere);
  return ids ? `r.id = ANY(${scope.values.add(ids)}::text[])` : lookedUpSources(search, type, chain, scope, buildWhere);
}

/** Ids of resources of `type` that the resources at the other end point to; undefined when those are too many. */
async function pointedTo(
  search: RunningSearch,
  type: string,
  { type: source, parameter, criterion }: ReverseChain,
  buildWhere: BuildWhere,
): Promise<string[] | undefined> {
  const { linkLimit = defaultLinkLimit } = search;
  const { text, values } = await buildWhere(search, source, [criterion]);
  const references = await referencesFrom(search, source, parameter, { text, values }, linkLimit + 1);
  if (!references) return undefined;
  // The url of a definition is no address.
  const base = parameter.form === 'canonical' ? () => undefined : parameter.shared.base;
  const targets = [...references].map((reference) => targetOf({ reference }, base));
  const ids = targets.flatMap((target) => (target?.type === type ? target.id : []));
  const types = canonicalTypes(search, parameter, type);
  const meant = await definitionsMeant(search, types, canonicalsAmong([...references]));
  ids.push(...meant.flatMap(({ id, own }) => (own ? [] : id)));
  return [...new Set(ids)];
}

/** Texts of the references in the resources of a condition; undefined when those are `limit` or more. */
async function referencesFrom(
  search: RunningSearch,
  source: string,
  { expression, form, select }: Parameter,
  { text, values }: { text: string; values: SqlValues },
  limit: number,
): Promise<Set<string> | undefined> {
  const paths = elementPaths(expression);
  // Nothing is taken apart when there are too many.
  const rows = await search.sql.query<{ found: string[] | string | null }>(
    `SELECT CASE WHEN r.many THEN NULL ELSE ${paths ? textsAt(paths, form, values) : 'r.content'} END AS found
     FROM (SELECT r.content, count(*) OVER () >= ${limit} AS many
       FROM (SELECT r.content FROM ${tableOf(source)} r WHERE ${text} LIMIT ${limit}) r) r`,
    values.list,
  );
  if (rows.length >= limit) return undefined;
  return new Set(
    rows.flatMap(({ found }) => (typeof found === 'string' ? textsOf(select(JSON.parse(found))) : (found ?? []))),
  );
}

/** The texts of references and canonicals at SQL/JSON paths, as an array: whole resources stay in the database. */
function textsAt(paths: readonly string[], form: ReferenceForm | undefined, values: SqlValues): string {
  const queries = paths
    .flatMap((path) => [
      ...(form === 'canonical' ? [] : [`${path}.reference`]),
      ...(form === 'literal' ? [] : [`${path} ? (@.type() == "string")`]),
    ])
    .map((path) => `SELECT jsonb_path_query(c.body, ${values.add(path)}::jsonpath) #>> '{}' AS text`);
  return `ARRAY(SELECT t.text FROM (SELECT r.content::jsonb AS body OFFSET 0) c, LATERAL (${queries.join(' UNION ALL ')}) t)`;
}

function textsOf(values: readonly unknown[]): string[] {
  return values
    .map((value) => (typeof value === 'string' ? value : (value as { reference?: unknown } | null)?.reference))
    .filter((text) => typeof text === 'string');
}

/** From each resource to those that point to it, by the key such a reference has (keys.ts). */
async function lookedUpSources(
  search: RunningSearch,
  type: string,
  chain: ReverseChain,
  scope: ConditionScope,
  buildWhere: BuildWhere,
): Promise<string> {
  const { type: source, parameter, criterion } = chain;
  const definitions =
    canonicalTypes(search, parameter, type).length > 0 ? await definitionKeys(search, type, parameter) : undefined;
  const { text } = await buildWhere(search, source, [criterion], scope.values);
  const pointsHere = `LATERAL (SELECT FROM ${tableOf(source)} r WHERE r.keys @> ARRAY[o.key] AND ${text} LIMIT 1) s`;
  const byUrl =
    definitions &&
    `r.id IN (SELECT o.id FROM unnest(${scope.values.add(definitions.ids)}::text[], ${scope.values.add(definitions.keys)}::bigint[]) o (id, key), ${pointsHere})`;
  if (byUrl !== undefined && parameter.form === 'canonical') return byUrl;
  // The key is made in PostgreSQL.
  const prefix = scope.values.add(keyText(search.tenant, parameter.code, keyKind.value, `${type}/`));
  const digest = `left(encode(sha256(convert_to(${prefix} || r.id, 'UTF8')), 'hex'), 16)`;
  const byId = `EXISTS (SELECT FROM (SELECT ('x' || ${digest})::bit(64)::bigint AS key OFFSET 0) o, ${pointsHere})`;
  return byUrl === undefined ? byId : `(${byUrl} OR ${byId})`;
}

/** Ids of all definitions of a type, each with a key of what refers to it: `url|version`, and `url` alone for the newest. */
async function definitionKeys(
  search: RunningSearch,
  type: string,
  parameter: Parameter,
): Promise<{ ids: string[]; keys: string[] }> {
  const { linkLimit = defaultLinkLimit } = search;
  const values = createSqlValues(search.tenant);
  const seen = seenCondition(search.rows, type, values);
  const rows = await search.sql.query<DefinitionRow>(
    `SELECT ${definitionColumns} FROM ${tableOf(type)} r
     WHERE r.tenant = $1 AND NOT r.deleted${seen === undefined ? '' : ` AND ${seen}`} LIMIT ${linkLimit + 1}`,
    values.list,
  );
  if (rows.length > linkLimit) throw tooCostly(`_has: ${parameter.code} leads from too many to too many: narrow it`);
  const definitions = rows.map((row) => definitionOf({ ...row, type }));
  const namings = await namingsOf(search, definitions);
  const pairs = definitions.flatMap(({ id }, index) =>
    [
      ...canonicalKeys(search, parameter, namings[index]!),
      keyText(search.tenant, parameter.code, keyKind.value, `${type}/${id}`),
    ].map((text) => ({ id, key: search.hasher.decimal(text) })),
  );
  return { ids: pairs.map(({ id }) => id), keys: pairs.map(({ key }) => key) };
}
