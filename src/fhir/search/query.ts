/** Reads a search's query string (https://hl7.org/fhir/R4/search.html) against the parameters of its type. */
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { splitValues } from './escapes.ts';
import type { Parameter, ParameterRegistry } from './parameters.ts';

/** One condition: any of `values` (OR); the clauses of a request must all hold (AND). */
export interface Clause {
  parameter: Parameter;
  modifier?: string;
  /** Still escaped where an escape can matter (`\|`); commas are split. */
  values: string[];
  /** `subject:Patient.name=x`: the condition put to the reference's target. */
  chain?: { types: string[]; query: string };
}

/** `_has:Observation:patient:code=x`: resources of `type` pointing here through `parameter` and matching `query`. */
export interface ReverseChain {
  type: string;
  parameter: Parameter;
  query: string;
}

export interface Include {
  sourceType: string;
  /** Undefined for `*`: every reference parameter. */
  parameter?: Parameter;
  targetType?: string;
  reverse: boolean;
  iterate: boolean;
}

export interface SortKey {
  parameter: Parameter;
  descending: boolean;
}

export type Summary = 'true' | 'text' | 'data' | 'count';

export interface SearchRequest {
  type: string;
  clauses: Clause[];
  reverseChains: ReverseChain[];
  includes: Include[];
  sort: SortKey[];
  count?: number;
  total: boolean;
  summary?: Summary;
  elements?: string[];
  cursor?: string;
  /** The parameters honoured, as written, without the cursor. */
  honoured: string[];
  warnings: OperationOutcomeIssue[];
}

/** Most parameters one query may carry, and the longest query in characters. */
const parameterLimit = 100;
const queryLimit = 64 * 1024;
export const countLimit = 1000;

/** Parameters that say how to answer and not what to find; handled by the REST layer. */
const answerParameters = new Set(['_format', '_pretty']);

export function parseQuery(
  registry: ParameterRegistry,
  type: string,
  query: string,
  handling: 'strict' | 'lenient',
): SearchRequest {
  if (!registry.types.has(type)) throw new FhirError(404, 'not-supported', `Resource type ${type} is not supported`);
  if (query.length > queryLimit) throw invalid(`The query is longer than ${queryLimit} characters`);
  const request: SearchRequest = {
    type,
    clauses: [],
    reverseChains: [],
    includes: [],
    sort: [],
    total: false,
    honoured: [],
    warnings: [],
  };
  const pairs = query.split('&').filter((pair) => pair !== '');
  if (pairs.length > parameterLimit) throw invalid(`More than ${parameterLimit} search parameters`);
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = decode(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decode(pair.slice(at + 1));
    if (name === '_cursor') {
      request.cursor = value;
      continue;
    }
    if (!readParameter(registry, request, name, value)) {
      const diagnostics = unknownParameter(registry, type, name);
      if (handling === 'strict') throw new FhirError(400, 'not-supported', diagnostics);
      request.warnings.push({ severity: 'warning', code: 'not-supported', diagnostics });
      continue;
    }
    request.honoured.push(pair);
  }
  return request;
}

/** False when the parameter is not known. */
function readParameter(registry: ParameterRegistry, request: SearchRequest, name: string, value: string): boolean {
  if (answerParameters.has(name)) return true;
  if (name.startsWith('_has:')) return readReverseChain(registry, request, name.slice(5), value);
  const [bare, modifier] = name.split(':', 2) as [string, string?];
  switch (bare) {
    case '_count':
      request.count = readCount(value);
      return true;
    case '_sort':
      request.sort = value === '' ? [] : value.split(',').map((key) => readSort(registry, request.type, key));
      return true;
    case '_total':
      if (!['none', 'estimate', 'accurate'].includes(value))
        throw invalid(`_total=${value} is not none, estimate or accurate`);
      request.total = value !== 'none';
      return true;
    case '_summary':
      if (!['true', 'false', 'text', 'data', 'count'].includes(value)) {
        throw invalid(`_summary=${value} is not true, false, text, data or count`);
      }
      request.summary = value === 'false' ? undefined : (value as Summary);
      return true;
    case '_elements':
      request.elements = value.split(',').filter((element) => /^[A-Za-z]+$/.test(element));
      return true;
    case '_include':
    case '_revinclude':
      request.includes.push(readInclude(registry, request.type, bare === '_revinclude', modifier, value));
      return true;
  }
  return readClause(registry, request, name, value);
}

function readClause(registry: ParameterRegistry, request: SearchRequest, name: string, value: string): boolean {
  const dot = name.indexOf('.');
  const head = dot < 0 ? name : name.slice(0, dot);
  const [code, modifier, ...more] = head.split(':') as [string, string?, ...string[]];
  const parameter = registry.of(request.type).get(code);
  if (!parameter || more.length > 0) return false;
  if (dot >= 0) {
    request.clauses.push(readChain(registry, parameter, modifier, name.slice(dot + 1), value));
    return true;
  }
  const values = splitValues(value).filter((item) => item !== '');
  if (values.length === 0) throw invalid(`Search parameter ${name} has no value`);
  request.clauses.push({ parameter, values, ...(modifier === undefined ? {} : { modifier }) });
  return true;
}

function readChain(
  registry: ParameterRegistry,
  parameter: Parameter,
  modifier: string | undefined,
  rest: string,
  value: string,
): Clause {
  if (parameter.type !== 'reference') throw invalid(`${parameter.code} is not a reference: it cannot be chained`);
  const wanted = rest.split(/[.:]/, 1)[0]!;
  const candidates = modifier === undefined ? parameter.target : [modifier];
  const types = candidates.filter(
    (type) => registry.types.has(type) && (wanted === '_has' || registry.of(type).has(wanted)),
  );
  if (types.length === 0) throw invalid(`${parameter.code} has no target with the search parameter ${wanted}`);
  return { parameter, values: [], chain: { types, query: `${encodeURIComponent(rest)}=${encodeURIComponent(value)}` } };
}

function readReverseChain(registry: ParameterRegistry, request: SearchRequest, name: string, value: string): boolean {
  const [type, code, ...rest] = name.split(':');
  if (!type || !code || rest.length === 0 || !registry.types.has(type)) return false;
  const parameter = registry.of(type).get(code);
  if (parameter?.type !== 'reference') return false;
  request.reverseChains.push({
    type,
    parameter,
    query: `${encodeURIComponent(rest.join(':'))}=${encodeURIComponent(value)}`,
  });
  return true;
}

function readSort(registry: ParameterRegistry, type: string, key: string): SortKey {
  const descending = key.startsWith('-');
  const code = descending ? key.slice(1) : key;
  const parameter = registry.of(type).get(code);
  if (!parameter) throw new FhirError(400, 'not-supported', `_sort: ${unknownParameter(registry, type, code)}`);
  return { parameter, descending };
}

function readCount(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw invalid(`_count=${value} is not a number`);
  return Math.min(Number(value), countLimit);
}

function readInclude(
  registry: ParameterRegistry,
  type: string,
  reverse: boolean,
  modifier: string | undefined,
  value: string,
): Include {
  const iterate = modifier === 'iterate' || modifier === 'recurse';
  if (modifier !== undefined && !iterate) throw invalid(`Modifier :${modifier} is not supported on _include`);
  if (value === '*' && !reverse) return { sourceType: type, reverse, iterate };
  const [sourceType, code, targetType] = value.split(':');
  if (!sourceType || !code || !registry.types.has(sourceType)) {
    throw invalid(`Include ${value} is not of the form Type:parameter or Type:parameter:Target`);
  }
  if (code === '*') return { sourceType, reverse, iterate };
  const parameter = registry.of(sourceType).get(code);
  if (parameter?.type !== 'reference')
    throw invalid(`Include ${value}: ${code} is no reference parameter of ${sourceType}`);
  return { sourceType, parameter, reverse, iterate, ...(targetType ? { targetType } : {}) };
}

function unknownParameter(registry: ParameterRegistry, type: string, name: string): string {
  const known = [...registry.of(type).keys()].sort().join(', ');
  return `Unknown search parameter "${name.slice(0, 100)}" for ${type}. Known: ${known}`;
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid('The query is not valid percent-encoded UTF-8');
  }
  if (decoded.includes('\u0000')) throw invalid('The query has a NUL character');
  return decoded;
}

export function invalid(diagnostics: string): FhirError {
  return new FhirError(400, 'invalid', diagnostics);
}
