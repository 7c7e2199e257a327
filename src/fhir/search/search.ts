/** Runs searches: query string → SQL → one page of stored resources. */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import type { SearchOptions, SearchPage, StoredVersion } from '../store/contract.ts';
import { type ConditionScope, clauseCondition, targetCondition } from './conditions.ts';
import { collectIncludes } from './includes.ts';
import { unversionedReference } from './index-values.ts';
import { type Clause, countLimit, invalid, parseQuery, type ReverseChain, type SearchRequest } from './query.ts';
import { type SearchParts, type SearchScope, tableOf } from './scope.ts';
import { createOrdering } from './sort.ts';
import { createSqlValues } from './sql-values.ts';
import { subsetText } from './subset.ts';

const defaultPage = 20;
/** Most targets one link of a chain may have; beyond it the chain must be narrowed. */
const chainLimit = 5000;
const chainDepthLimit = 4;

interface Row {
  id: string;
  version: number;
  updated: Date;
  content: string;
  [sortValue: `s${number}`]: string;
}

/** Answers a page with everything a searchset Bundle shows. */
export async function searchPage(
  parts: SearchParts,
  scope: SearchScope,
  type: ResourceType,
  query: string,
  options: SearchOptions = {},
): Promise<SearchPage> {
  const request = parseQuery(parts.registry, type, query, options.handling ?? 'strict');
  const count = request.count ?? options.defaultCount ?? defaultPage;
  const self = request.honoured.join('&');
  const warnings = request.warnings;
  if (request.summary === 'count' || count === 0) {
    return { matches: [], included: [], total: await countMatches(parts, scope, request), self, warnings };
  }
  const { rows, cursor } = await selectRows(parts, scope, request, count);
  const total = request.total ? await countMatches(parts, scope, request) : undefined;
  const matches = rows.map((row) => stored(type, row));
  const included = await collectIncludes(parts, scope, request.includes, matches, warnings);
  const subset = (version: StoredVersion) => subsetText(parts.definitions, version, request.summary, request.elements);
  return {
    matches: matches.map(subset),
    included: request.summary || request.elements ? included.map(subset) : included,
    self,
    warnings,
    ...(total === undefined ? {} : { total }),
    ...(cursor === undefined ? {} : { next: [...request.honoured, `_cursor=${cursor}`].join('&') }),
  };
}

/** Resources of a search, `countLimit` at most. */
export async function searchResources(
  parts: SearchParts,
  scope: SearchScope,
  type: ResourceType,
  query: string,
): Promise<Resource[]> {
  const request = parseQuery(parts.registry, type, query, 'strict');
  const { rows } = await selectRows(parts, scope, request, request.count ?? countLimit);
  return rows.map((row) => parseJson(row.content) as Resource);
}

/** Ids matching criteria, in no promised order. */
export async function searchIds(
  parts: SearchParts,
  scope: SearchScope,
  type: string,
  query: string,
  limit: number,
  depth = 0,
): Promise<string[]> {
  const request = parseQuery(parts.registry, type, query, 'strict');
  const { where, conditions } = await buildWhere(parts, scope, request, depth);
  const { rows } = await scope.sql.query<{ id: string }>(
    `SELECT r.id FROM ${tableOf(type)} r WHERE ${where} LIMIT ${Math.trunc(limit)}`,
    conditions.values.list,
  );
  return rows.map((row) => row.id);
}

/** True when criteria say something: a conditional interaction without a condition would match anything. */
export function hasCriteria(parts: SearchParts, type: string, query: string): boolean {
  const { clauses, reverseChains } = parseQuery(parts.registry, type, query, 'strict');
  return clauses.length + reverseChains.length > 0;
}

async function selectRows(parts: SearchParts, scope: SearchScope, request: SearchRequest, count: number) {
  const { where, conditions } = await buildWhere(parts, scope, request, 0);
  const ordering = createOrdering(request.sort, conditions.values);
  const after = request.cursor === undefined ? '' : ` AND ${ordering.after(request.cursor)}`;
  const { rows } = await scope.sql.query<Row>(
    `SELECT r.id, r.version, r.updated, r.content${ordering.select} FROM ${tableOf(request.type)} r
     WHERE ${where}${after} ORDER BY ${ordering.orderBy} LIMIT ${count + 1}`,
    conditions.values.list,
  );
  const more = rows.length > count;
  const page = more ? rows.slice(0, count) : rows;
  return { rows: page, cursor: more && page.length > 0 ? ordering.cursor(page.at(-1)!) : undefined };
}

async function countMatches(parts: SearchParts, scope: SearchScope, request: SearchRequest): Promise<number> {
  const { where, conditions } = await buildWhere(parts, scope, request, 0);
  const { rows } = await scope.sql.query<{ count: string }>(
    `SELECT count(*) AS count FROM ${tableOf(request.type)} r WHERE ${where}`,
    conditions.values.list,
  );
  return Number(rows[0]!.count);
}

async function buildWhere(parts: SearchParts, scope: SearchScope, request: SearchRequest, depth: number) {
  if (depth > chainDepthLimit) throw invalid(`A chain has more than ${chainDepthLimit} links`);
  const conditions: ConditionScope = {
    tenant: scope.tenant,
    hasher: parts.hasher,
    values: createSqlValues(scope.tenant),
    nowMs: scope.nowMs,
    types: parts.registry.types,
  };
  const where = ['r.tenant = $1', 'NOT r.deleted'];
  for (const clause of request.clauses) {
    where.push(
      clause.chain
        ? targetCondition(clause.parameter, await chainTargets(parts, scope, clause, depth), conditions)
        : clauseCondition(clause, conditions),
    );
  }
  for (const chain of request.reverseChains) {
    const ids = await pointedTo(parts, scope, request.type, chain, depth);
    where.push(`r.id = ANY(${conditions.values.add(ids)}::text[])`);
  }
  return { where: where.join(' AND '), conditions };
}

/** First step of a chain: the targets, as references. */
async function chainTargets(parts: SearchParts, scope: SearchScope, clause: Clause, depth: number): Promise<string[]> {
  const references: string[] = [];
  for (const type of clause.chain!.types) {
    const ids = await searchIds(parts, scope, type, clause.chain!.query, chainLimit + 1, depth + 1);
    references.push(...ids.map((id) => `${type}/${id}`));
    if (references.length > chainLimit)
      throw tooCostly(`The chain through ${clause.parameter.code} has more than ${chainLimit} targets`);
  }
  return references;
}

/** First step of `_has`: ids of `type` that the matching resources point to. */
async function pointedTo(
  parts: SearchParts,
  scope: SearchScope,
  type: string,
  chain: ReverseChain,
  depth: number,
): Promise<string[]> {
  const request = parseQuery(parts.registry, chain.type, chain.query, 'strict');
  const { where, conditions } = await buildWhere(parts, scope, request, depth + 1);
  const { rows } = await scope.sql.query<{ content: string }>(
    `SELECT r.content FROM ${tableOf(chain.type)} r WHERE ${where} LIMIT ${chainLimit + 1}`,
    conditions.values.list,
  );
  if (rows.length > chainLimit)
    throw tooCostly(`_has through ${chain.type}.${chain.parameter.code} meets more than ${chainLimit} resources`);
  const ids = new Set<string>();
  for (const { content } of rows) {
    for (const value of chain.parameter.select(JSON.parse(content))) {
      const reference = (value as { reference?: string } | null)?.reference;
      if (typeof reference !== 'string') continue;
      const [target, id] = unversionedReference(reference).split('/');
      if (target === type && id) ids.add(id);
    }
  }
  return [...ids];
}

function tooCostly(diagnostics: string): FhirError {
  return new FhirError(400, 'too-costly', `${diagnostics}: add a condition`);
}

function stored(type: ResourceType, row: Row): StoredVersion {
  return { type, id: row.id, version: row.version, updated: row.updated, deleted: false, text: row.content };
}
