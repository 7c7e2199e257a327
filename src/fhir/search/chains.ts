/**
 * Links of chains, forward and reverse (https://hl7.org/fhir/R4/search.html#chaining, #has). First in two steps: what is at the
 * other end, then the keys of exactly that; the planner sees the keys and uses the GIN index. When that is too much, the other
 * end is looked up from each resource that the other criteria leave, which the time limit of the search bounds.
 */
import { type ConditionScope, targetCondition } from './conditions.ts';
import { containedMatches } from './contained.ts';
import { elementPaths } from './content-path.ts';
import { keyKind, keyText } from './keys.ts';
import { tooCostly } from './refusals.ts';
import type { Criterion } from './request.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import type { SqlValues } from './sql-values.ts';
import { targetOf } from './token-facts.ts';

type Chain = Extract<Criterion, { kind: 'chain' }>;
type ReverseChain = Extract<Criterion, { kind: 'has' }>;

const defaultLinkLimit = 5000;

/** Makes the condition of what is at the other end (where.ts, which asks for chains in turn). */
export type BuildWhere = (
  search: RunningSearch,
  type: string,
  criteria: readonly Criterion[],
  values?: SqlValues,
) => Promise<{ text: string; values: SqlValues }>;

/** The reference points to a resource of which the criterion holds, one of its own or a contained one. @returns with the resources, where they were resolved ahead. */
export async function chainCondition(
  search: RunningSearch,
  chain: Chain,
  scope: ConditionScope,
  buildWhere: BuildWhere,
): Promise<{ text: string; references?: readonly string[] }> {
  const targetsOf = (of: Chain) => chainTargets(search, of, buildWhere);
  const references = await targetsOf(chain);
  const outside = references
    ? targetCondition(chain.parameter, references, scope)
    : await lookedUpTargets(search, chain, scope, buildWhere);
  const inside = await containedMatches(search, chain, targetsOf);
  if (inside.length > 0) return { text: `(${outside} OR r.id = ANY(${scope.values.add(inside)}::text[]))` };
  return references ? { text: outside, references } : { text: outside };
}

/** Resources the reference may point to; undefined when there are too many. */
async function chainTargets(
  search: RunningSearch,
  { targets }: Chain,
  buildWhere: BuildWhere,
): Promise<string[] | undefined> {
  const { linkLimit = defaultLinkLimit } = search;
  const references: string[] = [];
  for (const { type, criterion } of targets) {
    const { text, values } = await buildWhere(search, type, [criterion]);
    const rows = await search.sql.query<{ id: string }>(
      `SELECT r.id FROM ${tableOf(type)} r WHERE ${text} LIMIT ${linkLimit + 1 - references.length}`,
      values.list,
    );
    references.push(...rows.map(({ id }) => `${type}/${id}`));
    if (references.length > linkLimit) return undefined;
  }
  return references;
}

/** From the content of each resource to its target by id. */
async function lookedUpTargets(
  search: RunningSearch,
  { parameter, targets }: Chain,
  scope: ConditionScope,
  buildWhere: BuildWhere,
): Promise<string> {
  const paths = elementPaths(parameter.expression);
  if (!paths) throw tooCostly(`The chain through ${parameter.code} has too many targets: narrow what it asks of them`);
  const { values } = scope;
  const base = parameter.shared.base();
  const own = base === undefined ? '' : `(?:${base.replace(/\W/g, '\\$&')}/)?`;
  const found: string[] = [];
  for (const { type, criterion } of targets) {
    const { text } = await buildWhere(search, type, [criterion], values);
    const pattern = values.add(`^${own}${type}/([A-Za-z0-9.-]{1,64})(/_history/[^/]+)?$`);
    const references = paths.map(
      (path) =>
        `SELECT jsonb_path_query(r.content::jsonb, ${values.add(`${path}.reference`)}::jsonpath) #>> '{}' AS text`,
    );
    // Here and below, OFFSET 0 keeps apart what reads content from the look-up: row-level security lets only leakproof conditions
    // use an index.
    found.push(`EXISTS (SELECT FROM (SELECT DISTINCT (regexp_match(v.text, ${pattern}))[1] AS id FROM (${references.join(' UNION ALL ')}) v OFFSET 0) o,
      LATERAL (SELECT FROM ${tableOf(type)} r WHERE r.id = o.id AND ${text} LIMIT 1) t)`);
  }
  return `CASE WHEN r.deleted THEN false ELSE ${found.join(' OR ')} END`;
}

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
  const rows = await search.sql.query<{ content: string }>(
    `SELECT r.content FROM ${tableOf(source)} r WHERE ${text} LIMIT ${linkLimit + 1}`,
    values.list,
  );
  if (rows.length > linkLimit) return undefined;
  const ids = new Set<string>();
  for (const { content } of rows) {
    for (const value of parameter.select(JSON.parse(content))) {
      const target = targetOf(value, parameter.shared.base);
      if (target?.type === type) ids.add(target.id);
    }
  }
  return [...ids];
}

/** From each resource to those that point to it, by the key such a reference has (keys.ts), made in PostgreSQL. */
async function lookedUpSources(
  search: RunningSearch,
  type: string,
  { type: source, parameter, criterion }: ReverseChain,
  scope: ConditionScope,
  buildWhere: BuildWhere,
): Promise<string> {
  const { text } = await buildWhere(search, source, [criterion], scope.values);
  const prefix = scope.values.add(keyText(search.tenant, parameter.code, keyKind.value, `${type}/`));
  const digest = `left(encode(sha256(convert_to(${prefix} || r.id, 'UTF8')), 'hex'), 16)`;
  return `EXISTS (SELECT FROM (SELECT ('x' || ${digest})::bit(64)::bigint AS key OFFSET 0) o,
    LATERAL (SELECT FROM ${tableOf(source)} r WHERE r.keys @> ARRAY[o.key] AND ${text} LIMIT 1) s)`;
}
