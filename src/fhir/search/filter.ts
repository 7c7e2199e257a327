/**
 * `_filter` (https://hl7.org/fhir/R4/search_filter.html) as criteria: the same that parameters of a query make, and a few that have
 * no modifier. Codes, references and addresses compare as in any search; only strings are without case.
 */
import { chainTypes } from './chain-types.ts';
import { dateInterval } from './dates.ts';
import { type Filter, type FilterOperator, type FilterStep, type FilterTest, parseFilter } from './filter-syntax.ts';
import { type Links, nextLink, spend } from './links.ts';
import type { Parameter, ParameterRegistry } from './parameters.ts';
import { invalid, notSupported } from './refusals.ts';
import type { Criterion, TextOperator } from './request.ts';

/** @throws FhirError 400 for what cannot be read, and for parameters and operators that do not fit; as `nextLink` for its paths. */
export function readFilter(registry: ParameterRegistry, type: string, text: string, links: Links): Criterion {
  const unknown: string[] = [];
  const criterion = compile(registry, type, parseFilter(text), unknown, links);
  if (!criterion) throw notSupported(`_filter: ${unknown[0]?.slice(0, 100)} is no search parameter of ${type}`);
  return criterion;
}

/** Undefined when the type has not every parameter; their names go to `unknown`. */
function compile(
  registry: ParameterRegistry,
  type: string,
  filter: Filter,
  unknown: string[],
  links: Links,
): Criterion | undefined {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const left = compile(registry, type, filter.left, unknown, links);
      const right = compile(registry, type, filter.right, unknown, links);
      return left && right && { kind: filter.kind === 'and' ? 'all' : 'any', of: [left, right] };
    }
    case 'not': {
      const of = compile(registry, type, filter.of, unknown, links);
      return of && { kind: 'not', of };
    }
    case 'test':
      // Within brackets it is made once for each type the path leads to.
      if (links.depth > 0) spend(links);
      return compilePath(registry, type, filter.path, filter, unknown, links);
  }
}

function compilePath(
  registry: ParameterRegistry,
  type: string,
  [step, ...rest]: readonly FilterStep[],
  test: FilterTest,
  unknown: string[],
  links: Links,
): Criterion | undefined {
  const { name, filter } = step!;
  if (name.startsWith('_has:')) return compileReverse(registry, step!, rest, test, unknown, links);
  const parameter = registry.of(type).get(name);
  if (!parameter) {
    unknown.push(name);
    return undefined;
  }
  if (rest.length === 0) return operation(parameter, test.operator, test.value);
  const targets = chainTypes(registry, parameter).flatMap((target) => {
    const next = nextLink(links);
    const end = compilePath(registry, target, rest, test, unknown, next);
    const condition = filter && compile(registry, target, filter, unknown, next);
    if (!end || (filter && !condition)) return [];
    return [{ type: target, criterion: condition ? ({ kind: 'all', of: [condition, end] } as const) : end }];
  });
  return targets.length === 0 ? undefined : { kind: 'chain', parameter, targets };
}

/** `_has:Observation:patient:code`, which R4 leaves to the parameter of that name. */
function compileReverse(
  registry: ParameterRegistry,
  { name, filter }: FilterStep,
  rest: readonly FilterStep[],
  test: FilterTest,
  unknown: string[],
  links: Links,
): Criterion | undefined {
  const [, type = '', code = '', ...inner] = name.split(':');
  const parameter = registry.types.has(type) ? registry.of(type).get(code) : undefined;
  if (parameter?.type !== 'reference' || inner.length === 0) {
    unknown.push(name);
    return undefined;
  }
  const next = { name: inner.join(':'), ...(filter ? { filter } : {}) };
  const criterion = compilePath(registry, type, [next, ...rest], test, unknown, nextLink(links));
  return criterion && { kind: 'has', type, parameter, criterion };
}

const prefixOperators: readonly FilterOperator[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb'];
const stringOperators: readonly TextOperator[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le'];
const partOperators: readonly TextOperator[] = ['co', 'sw', 'ew'];

/** Operators that are modifiers of tokens. */
const tokenModifiers: Partial<Record<FilterOperator, string>> = { in: 'in', ni: 'not-in', ss: 'below', sb: 'above' };

function operation(parameter: Parameter, operator: FilterOperator, value: string): Criterion {
  const { code, type } = parameter;
  const clause = (text: string, modifier?: string): Criterion => ({
    kind: 'clause',
    clause: { parameter, values: [text], ...(modifier === undefined ? {} : { modifier }) },
  });
  if (value === '') throw invalid(`_filter: ${code} ${operator} has no value`);
  // Bars separate in tokens and quantities; the other separators of a query mean nothing here.
  const literal = value.replace(/[\\,$]/g, '\\$&');
  if (operator === 'pr') {
    if (value !== 'true' && value !== 'false') throw invalid(`_filter: ${code} pr takes true or false`);
    return clause(value === 'true' ? 'false' : 'true', 'missing');
  }
  switch (type) {
    case 'date':
      if (operator === 'po') return { kind: 'overlap', parameter, ...overlapped(code, value) };
      if (prefixOperators.includes(operator)) return clause(operator + literal);
      break;
    case 'number':
    case 'quantity':
      if (prefixOperators.includes(operator)) return clause(operator + literal);
      break;
    case 'string': {
      // Sounds have no order and no parts.
      if (code === 'phonetic') {
        if (operator === 'eq') return clause(literal);
        break;
      }
      const known = stringOperators.find((name) => name === operator);
      if (known) return { kind: 'text', parameter, operator: known, value };
      break;
    }
    case 'token':
    case 'reference':
    case 'uri': {
      const part = partOperators.find((name) => name === operator);
      if (part) return { kind: 'text', parameter, operator: part, value };
      if (operator === 'eq' || (operator === 're' && type === 'reference')) return clause(literal);
      // Of several values one is another: what has none, or only this one, has not.
      if (operator === 'ne')
        return { kind: 'all', of: [clause('false', 'missing'), { kind: 'not', of: clause(literal) }] };
      const modifier = type === 'token' ? tokenModifiers[operator] : undefined;
      if (modifier !== undefined) return clause(literal, modifier);
      break;
    }
    default:
      if (operator === 'eq') return clause(value);
  }
  throw invalid(`_filter: the ${type} parameter ${code} cannot be compared by ${operator}`);
}

function overlapped(code: string, value: string): { loMs: number; hiMs: number } {
  const interval = dateInterval(value);
  if (!interval) throw invalid(`_filter: ${code} po takes a date`);
  return { loMs: interval.lo, hiMs: interval.hi };
}
