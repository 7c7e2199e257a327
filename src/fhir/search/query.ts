/** Reads a search's query (https://hl7.org/fhir/R4/search.html) against the parameters of the types it goes to. */
import { FhirError } from '../contract.ts';
import { type Links, startLinks } from './links.ts';
import type { ParameterRegistry } from './parameters.ts';
import { type QueryPair, readPairs } from './query-string.ts';
import { readCriterion } from './read-criterion.ts';
import { aboutParameter, notSupported } from './refusals.ts';
import type { NamedCriterion, ResultOptions, SearchRequest } from './request.ts';
import { checkResultOptions, readResultOption, unknownParameter } from './result-options.ts';

export type Handling = 'strict' | 'lenient';

/**
 * Reads a query that goes to every one of `types`: each must have every parameter.
 * @throws FhirError 404 for a type that is not stored, 400 for what cannot be understood and, unless lenient, for unknown parameters,
 * 422 `too-costly` for chains that lead to too many types.
 */
export function readQuery(
  registry: ParameterRegistry,
  types: readonly string[],
  query: string,
  handling: Handling,
): SearchRequest {
  return readRequest(registry, types, readPairs(query), handling);
}

export function readRequest(
  registry: ParameterRegistry,
  types: readonly string[],
  pairs: readonly QueryPair[],
  handling: Handling,
): SearchRequest {
  for (const type of types) {
    if (!registry.types.has(type)) {
      throw new FhirError(404, 'not-supported', `Resource type ${type.slice(0, 64)} is not supported`);
    }
  }
  const options: ResultOptions = { sort: [], includes: [] };
  const criteria = new Map<string, NamedCriterion[]>(types.map((type) => [type, []]));
  const request: SearchRequest = Object.assign(options, { criteria, honoured: [], warnings: [] });
  const links = startLinks();
  for (const pair of pairs) {
    try {
      if (!readResultOption(registry, types, options, pair)) readCriteria(registry, criteria, pair, links);
    } catch (thrown) {
      const error = aboutParameter(thrown, pair.name);
      if (handling === 'strict' || !(error instanceof FhirError) || !isUnknown(error)) throw error;
      request.warnings.push(...error.outcome.issue.map((issue) => ({ ...issue, severity: 'warning' as const })));
      continue;
    }
    if (pair.name !== '_cursor') request.honoured.push(pair.text);
  }
  checkResultOptions(options);
  return request;
}

function readCriteria(
  registry: ParameterRegistry,
  criteria: Map<string, NamedCriterion[]>,
  { name, value }: QueryPair,
  links: Links,
): void {
  const read = [...criteria.keys()].map((type) => {
    const criterion = readCriterion(registry, type, name, value, links);
    if (!criterion) throw notSupported(unknownParameter(registry, type, name));
    return [type, criterion] as const;
  });
  for (const [type, criterion] of read) criteria.get(type)!.push({ ...criterion, asked: name });
}

function isUnknown({ outcome }: FhirError): boolean {
  return outcome.issue[0]?.code === 'not-supported';
}
