/** Runs searches: query → criteria → SQL → one page of stored resources with everything a searchset Bundle shows. */
import type { OperationOutcomeIssue, Resource, ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import type { SearchOptions, SearchPage, StoredVersion } from '../store/contract.ts';
import { compartmentCriterion, compartmentTypes, isToldIn } from './compartments.ts';
import { countTimeoutMs } from './deadline.ts';
import { collectIncludes } from './includes.ts';
import { rowsAfter } from './leading-rows.ts';
import { createConfirmation } from './match.ts';
import { type OrderedRows, type PageRow, readPage } from './pages.ts';
import { readQuery, readRequest } from './query.ts';
import { readPairs } from './query-string.ts';
import { invalid } from './refusals.ts';
import type { SearchRequest } from './request.ts';
import { countLimit } from './result-options.ts';
import { beginSearch, type RunningSearch, type SearchParts, type SearchScope } from './scope.ts';
import { createSqlValues } from './sql-values.ts';
import { subsetText } from './subset.ts';
import { type SharedWhere, systemRows } from './system-rows.ts';
import { countMatches } from './totals.ts';
import { typeRows } from './type-rows.ts';
import { usedTypes } from './used-types.ts';
import { buildWhere, rowsWhere } from './where.ts';

const defaultPage = 20;

/** A search of one type. */
export async function searchPage(
  parts: SearchParts,
  scope: SearchScope,
  type: ResourceType,
  query: string,
  options: SearchOptions = {},
): Promise<SearchPage> {
  const search = beginSearch(parts, scope, options);
  const request = readQuery(parts.registry, [type], query, options.handling ?? 'strict');
  const where = await sharedWhere(search, request, options);
  const rows = typeRows(search, type, { ...where, text: where.texts.get(type)! }, request.sort);
  return answer(search, request, where, rows, options);
}

/**
 * A search of several types by the parameters they share. Without `types` and `_type` those are the parameters of every resource,
 * whatever the tenant has.
 */
export async function searchSystemPage(
  parts: SearchParts,
  scope: SearchScope,
  types: readonly ResourceType[] | undefined,
  query: string,
  options: SearchOptions = {},
): Promise<SearchPage> {
  const search = beginSearch(parts, scope, options);
  const handling = options.handling ?? 'strict';
  const pairs = readPairs(query);
  const typePairs = pairs.filter(({ name }) => name === '_type');
  const asked = askedTypes(
    search,
    typePairs.map(({ value }) => value),
  );
  const { compartment } = options;
  const inCompartment =
    compartment &&
    compartmentTypes(compartment.type).filter((type) => isToldIn(search.registry, type, compartment.type));
  const allowed = (type: string) =>
    (!types || types.includes(type as ResourceType)) && (!inCompartment || inCompartment.includes(type));
  const searched = (asked ?? types ?? inCompartment ?? (await usedTypes(search))).filter(allowed);
  const others = pairs.filter(({ name }) => name !== '_type');
  // No type of its own parameters: a query is understood or refused whatever the tenant has stored.
  const shared = asked || types || inCompartment ? searched : [...new Set([...searched, typeWithoutParameters])];
  const request = readRequest(parts.registry, shared.length > 0 ? shared : [typeWithoutParameters], others, handling);
  request.honoured.unshift(...typePairs.map(({ text }) => text));
  const where = await sharedWhere(search, request, options, searched);
  return answer(search, request, where, systemRows(search, where, request.sort), options);
}

/** Has the parameters of every resource and none of its own. */
const typeWithoutParameters = 'Parameters';

function askedTypes({ registry }: RunningSearch, values: readonly string[]): string[] | undefined {
  if (values.length === 0) return undefined;
  const types = values.flatMap((value) => value.split(',')).filter((type) => type !== '');
  for (const type of types) {
    if (!registry.types.has(type))
      throw invalid(`_type: ${type.slice(0, 64)} is not a supported resource type`, '_type');
  }
  // Said twice, both must hold.
  const [first = [], ...more] = values.map((value) => value.split(','));
  return [...new Set(first)].filter((type) => type !== '' && more.every((list) => list.includes(type)));
}

async function sharedWhere(
  search: RunningSearch,
  { criteria }: SearchRequest,
  { compartment }: SearchOptions,
  types: readonly string[] = [...criteria.keys()],
): Promise<SharedWhere> {
  const values = createSqlValues(search.tenant);
  const texts = new Map<string, string>();
  let isNarrow = true;
  for (const type of types) {
    const own = criteria.get(type) ?? [];
    const all = compartment ? [compartmentCriterion(search.registry, type, compartment), ...own] : own;
    const where = await buildWhere(search, type, all, values);
    texts.set(type, where.text);
    isNarrow &&= where.isNarrow;
  }
  return { texts, values, isNarrow };
}

async function answer(
  search: RunningSearch,
  request: SearchRequest,
  where: SharedWhere,
  rows: OrderedRows,
  options: SearchOptions,
): Promise<SearchPage> {
  const { includes, honoured, warnings, cursor } = request;
  const summary = request.summary === 'false' ? undefined : request.summary;
  const count = request.count ?? options.defaultCount ?? defaultPage;
  const first = honoured.join('&');
  const at = (place: string) => [...honoured, `_cursor=${place}`].join('&');
  const { own = [] } = options;
  if (summary === 'count' || count === 0) {
    const total = own.length + (await countMatches(search, where));
    return { matches: [], included: [], total, self: first, first, warnings };
  }
  const page = await readPage(rowsAfter(own, rows), cursor, count);
  const matches = page.rows.map(stored);
  const isWhole = cursor === undefined && page.next === undefined;
  const total =
    isWhole && request.total !== undefined && request.total !== 'none'
      ? matches.length
      : await totalOf(search, request, where, own.length, warnings);
  const included = await collectIncludes(search, { includes, mayInclude: options.mayInclude }, matches, warnings);
  const subset = (version: StoredVersion) => subsetText(search.definitions, version, summary, request.elements);
  return {
    matches: matches.map(subset),
    included: included.map(subset),
    self: cursor === undefined ? first : at(cursor),
    first,
    warnings,
    ...(rows.order && own.length === 0 ? { order: rows.order, places: page.places } : {}),
    ...(total === undefined ? {} : { total }),
    ...(page.next === undefined ? {} : { next: at(page.next) }),
    ...(page.previous === undefined ? {} : { previous: at(page.previous) }),
  };
}

/** Matches in all, with those that are not stored. A total that cannot be had in time is left out, and the answer says so. */
async function totalOf(
  search: RunningSearch,
  { total }: SearchRequest,
  where: SharedWhere,
  notStored: number,
  warnings: OperationOutcomeIssue[],
): Promise<number | undefined> {
  if (total !== 'accurate' && total !== 'estimate') return undefined;
  try {
    return notStored + (await countMatches({ ...search, sql: search.sql.within(countTimeoutMs) }, where));
  } catch (error) {
    if (!(error instanceof FhirError) || error.outcome.issue[0]?.code !== 'too-costly') throw error;
    warnings.push({
      severity: 'warning',
      code: 'too-costly',
      diagnostics: 'Counting all matches takes too long: the total is left out',
    });
    return undefined;
  }
}

function stored({ type, id, version, updated, content }: PageRow): StoredVersion {
  return { type: type as ResourceType, id, version, updated, deleted: false, text: content };
}

/** Resources of a search, `countLimit` at most. */
export async function searchResources(
  parts: SearchParts,
  scope: SearchScope,
  type: ResourceType,
  query: string,
): Promise<Resource[]> {
  const search = beginSearch(parts, scope);
  const request = readQuery(parts.registry, [type], query, 'strict');
  const where = await buildWhere(search, type, request.criteria.get(type)!);
  const { rows } = await readPage(
    typeRows(search, type, where, request.sort),
    request.cursor,
    request.count ?? countLimit,
  );
  return rows.map(({ content }) => JSON.parse(content) as Resource);
}

/** Ids matching criteria, in no promised order; what the hashes of the index found is looked at again. */
export async function searchIds(
  parts: SearchParts,
  scope: SearchScope,
  type: string,
  query: string,
  limit: number,
): Promise<string[]> {
  const search = beginSearch(parts, scope);
  const criteria = readQuery(parts.registry, [type], query, 'strict').criteria.get(type)!;
  const where = await buildWhere(search, type, criteria);
  const { from, condition } = rowsWhere(type, where);
  const rows = await search.sql.query<{ id: string; content: string }>(
    `SELECT r.id, r.content FROM ${from} WHERE ${condition} LIMIT ${Math.trunc(limit) + 1}`,
    where.values.list,
  );
  const confirms = createConfirmation(parts, type, criteria, scope.nowMs);
  return rows
    .filter(({ content }) => confirms(parseJson(content)))
    .slice(0, limit)
    .map(({ id }) => id);
}

/** True when criteria say something: a conditional interaction without a condition would match anything. */
export function hasCriteria(parts: SearchParts, type: string, query: string): boolean {
  return readQuery(parts.registry, [type], query, 'strict').criteria.get(type)!.length > 0;
}
