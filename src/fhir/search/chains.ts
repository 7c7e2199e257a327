/**
 * Links of chains (https://hl7.org/fhir/R4/search.html#chaining). First in two steps: what is at the other end, then the keys of
 * exactly that; the planner sees the keys and uses the GIN index. When that is too much, the other end is looked up from each
 * resource that the other criteria leave, which the time limit of the search bounds.
 */
import {
  canonicalTypes,
  type Definition,
  type DefinitionRow,
  definitionColumns,
  definitionOf,
  namingsOf,
  ownDefinition,
} from './canonicals.ts';
import { type ConditionScope, targetCondition } from './conditions.ts';
import { type ChainEnds, containedMatches, ownQuestion } from './contained.ts';
import { elementPaths } from './content-path.ts';
import { tooCostly } from './refusals.ts';
import type { Criterion } from './request.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import type { SqlValues } from './sql-values.ts';

type Chain = Extract<Criterion, { kind: 'chain' }>;

export const defaultLinkLimit = 5000;

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
  const ends = await targetsOf(chain);
  const outside = ends
    ? targetCondition(chain.parameter, ends.references, ends.newest, scope)
    : await lookedUpTargets(search, chain, scope, buildWhere);
  const inside = await containedMatches(search, chain, targetsOf);
  if (inside.length > 0) return { text: `(${outside} OR r.id = ANY(${scope.values.add(inside)}::text[]))` };
  return ends ? { text: outside, references: [...ends.references, ...ends.newest] } : { text: outside };
}

/** Resources the reference may point to; undefined when there are too many. */
async function chainTargets(
  search: RunningSearch,
  { parameter, targets }: Chain,
  buildWhere: BuildWhere,
): Promise<ChainEnds | undefined> {
  const { linkLimit = defaultLinkLimit } = search;
  const references: string[] = [];
  const definitions: Definition[] = [];
  for (const { type, criterion } of targets) {
    const isNamedByUrl = canonicalTypes(search, parameter, type).length > 0;
    // Canonicals lead to nothing that has no url.
    if (parameter.form === 'canonical' && !isNamedByUrl) continue;
    const { text, values } = await buildWhere(search, type, [criterion]);
    const rows = await search.sql.query<DefinitionRow>(
      `SELECT ${isNamedByUrl ? definitionColumns : 'r.id'} FROM ${tableOf(type)} r WHERE ${text} LIMIT ${linkLimit + 1 - references.length}`,
      values.list,
    );
    references.push(...rows.map(({ id }) => `${type}/${id}`));
    if (references.length > linkLimit) return undefined;
    if (!isNamedByUrl) continue;
    definitions.push(...rows.map((row) => definitionOf({ ...row, type })));
    definitions.push(...(await ownMatches(search, type, criterion, buildWhere)));
  }
  const namings = await namingsOf(search, definitions);
  return {
    references: [...references, ...namings.flatMap(({ exact }) => exact ?? [])],
    newest: namings.flatMap(({ newest }) => newest ?? []),
  };
}

/** Definitions of the program's own of which the criterion holds. */
async function ownMatches(
  search: RunningSearch,
  type: string,
  criterion: Criterion,
  buildWhere: BuildWhere,
): Promise<Definition[]> {
  const own = search.own?.(type) ?? [];
  if (own.length === 0) return [];
  const holds = await ownQuestion(search, criterion, (chain) => chainTargets(search, chain, buildWhere));
  return own.filter(holds).map(ownDefinition);
}

/** From the content of each resource to its target by id. */
async function lookedUpTargets(
  search: RunningSearch,
  { parameter, targets }: Chain,
  scope: ConditionScope,
  buildWhere: BuildWhere,
): Promise<string> {
  const paths = elementPaths(parameter.expression);
  const isNamedByUrl = targets.some(({ type }) => canonicalTypes(search, parameter, type).length > 0);
  if (!paths || isNamedByUrl)
    throw tooCostly(`The chain through ${parameter.code} has too many targets: narrow what it asks of them`);
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
