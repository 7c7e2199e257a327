/** Search result parameters (https://hl7.org/fhir/R4/search.html#return): order, page, parts and additions of the answer. */
import { readInclude } from './include-syntax.ts';
import type { ParameterRegistry } from './parameters.ts';
import type { QueryPair } from './query-string.ts';
import { invalid, notSupported } from './refusals.ts';
import type { ResultOptions, SortKey, Summary } from './request.ts';

/** Most matches of one page. */
export const countLimit = 1000;
const sortLimit = 10;

/** Parameters that say in which form to answer; handled by the REST layer. */
const formParameters = new Set(['_format', '_pretty']);

/** Reads a parameter into the options; false when it is none of these. @throws FhirError 400 also when said twice differently. */
export function readResultOption(
  registry: ParameterRegistry,
  types: readonly string[],
  options: ResultOptions,
  { name, value }: QueryPair,
): boolean {
  if (formParameters.has(name)) return true;
  const [bare, modifier] = name.split(':', 2) as [string, string?];
  if (bare === '_include' || bare === '_revinclude') {
    options.includes.push(readInclude(registry, types, bare === '_revinclude', modifier, value));
    return true;
  }
  switch (name) {
    case '_count':
      options.count = once(name, options.count, readCount(value));
      return true;
    case '_cursor':
      options.cursor = once(name, options.cursor, value);
      return true;
    case '_sort':
      options.sort.push(...readSort(registry, types, value));
      if (options.sort.length > sortLimit) throw invalid(`_sort takes ${sortLimit} parameters at most`);
      return true;
    case '_total':
      options.total = once(name, options.total, oneOf(name, value, ['none', 'estimate', 'accurate'] as const));
      return true;
    case '_summary':
      options.summary = once(
        name,
        options.summary,
        oneOf(name, value, ['true', 'false', 'text', 'data', 'count'] as const satisfies (Summary | 'false')[]),
      );
      return true;
    case '_elements':
      options.elements = [...(options.elements ?? []), ...readElements(value)];
      return true;
    case '_contained':
      if (oneOf(name, value, ['false', 'true', 'both'] as const) !== 'false') {
        throw notSupported(`_contained=${value}: contained resources are not searched`);
      }
      return true;
    default:
      return false;
  }
}

/** Options that exclude each other. */
export function checkResultOptions({ summary, elements }: ResultOptions): void {
  if (elements && summary && summary !== 'false' && summary !== 'count') {
    throw invalid(`_elements and _summary=${summary} contradict each other`, '_summary');
  }
}

function once<T>(name: string, before: T | undefined, value: T): T {
  if (before !== undefined && before !== value) throw invalid(`${name} is given twice with different values`);
  return value;
}

function oneOf<const T extends readonly string[]>(name: string, value: string, allowed: T): T[number] {
  if (!allowed.includes(value)) throw invalid(`${name}=${value.slice(0, 60)} is not one of ${allowed.join(', ')}`);
  return value;
}

function readCount(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw invalid(`_count=${value.slice(0, 60)} is not a number`);
  return Math.min(Number(value), countLimit);
}

function readSort(registry: ParameterRegistry, types: readonly string[], value: string): SortKey[] {
  return value
    .split(',')
    .filter((key) => key !== '')
    .map((key) => {
      const descending = key.startsWith('-');
      const code = descending ? key.slice(1) : key;
      const missing = types.find((type) => !registry.of(type).has(code));
      if (missing !== undefined) throw notSupported(`_sort: ${unknownParameter(registry, missing, code)}`);
      return { code, descending };
    });
}

function readElements(value: string): string[] {
  const elements = value.split(',').filter((element) => element !== '');
  if (elements.some((element) => !/^[A-Za-z]{1,64}$/.test(element))) {
    throw invalid('_elements takes names of elements at the top of a resource');
  }
  return elements;
}

export function unknownParameter(registry: ParameterRegistry, type: string, name: string): string {
  const known = [...registry.of(type).keys()].sort().join(', ');
  return `Unknown search parameter "${name.slice(0, 100)}" for ${type}. Known: ${known}`;
}
