/**
 * Searches asked of one resource in memory, for subscriptions: the tests that SQL is made of, on the values that would be indexed.
 */
import { FhirError } from '../contract.ts';
import { clauseTest } from './clause-test.ts';
import { passes } from './comparisons.ts';
import { dateInterval } from './dates.ts';
import { indexParameters, unindexed } from './index-values.ts';
import { keyText } from './keys.ts';
import { distanceMetres } from './near.ts';
import type { Parameter } from './parameters.ts';
import { readQuery } from './query.ts';
import type { Criterion } from './request.ts';
import type { SearchParts } from './scope.ts';
import { asksTerminology } from './terminology-clauses.ts';
import type { StringTest, ValueTest } from './value-test.ts';
import { hasWords, wordStart } from './words.ts';

/** Says whether a resource matches; resources of another type never do. */
export type ResourcePredicate = (resource: unknown) => boolean;

/**
 * Compiles searches to predicates. Modifiers and values mean what they mean in a search over HTTP; sorting and paging have no
 * effect. `now` is what `ap` of dates is relative to when a resource is matched.
 * @throws FhirError 400 for what cannot be understood, and for what needs other resources: chains, `_has`, `_list`, compartments,
 * `_include`, `:in`, `:above` and `:below` of codes.
 */
export function createMatcher(
  { registry }: Pick<SearchParts, 'registry'>,
  now: () => Date = () => new Date(),
): (type: string, query: string) => ResourcePredicate {
  return (type, query) => {
    const request = readQuery(registry, [type], query, 'strict');
    if (request.includes.length > 0) throw elsewhere('_include and _revinclude');
    const criteria = request.criteria.get(type) ?? [];
    const asked: Asked = { types: registry.types, parameters: new Set(), approximately: false };
    const testsAt = (nowMs: number) => criteria.map((criterion) => toTest(criterion, nowMs, asked));
    // Now for the refusals, and for good unless `ap` depends on the moment.
    const tests = testsAt(now().getTime());
    const parameters = [...asked.parameters].filter(({ code }) => !unindexed.includes(code));
    const patterns = createPatterns();
    return (resource) => {
      if ((resource as { resourceType?: unknown } | null)?.resourceType !== type) return false;
      const values = valuesOf(parameters, resource);
      const current = asked.approximately ? testsAt(now().getTime()) : tests;
      return current.every((test) => holds(test, values, patterns));
    };
  };
}

/** What a search asks about, gathered while it is read. */
interface Asked {
  types: ReadonlySet<string>;
  parameters: Set<Parameter>;
  /** A value has the prefix `ap`. */
  approximately: boolean;
}

/** Regular expressions of the beginnings of words, each compiled once. */
type Patterns = (letters: string) => RegExp;

function createPatterns(): Patterns {
  const compiled = new Map<string, RegExp>();
  return (letters) => {
    const known = compiled.get(letters) ?? new RegExp(wordStart(letters));
    compiled.set(letters, known);
    return known;
  };
}

/**
 * Looks again at a resource that SQL found, with the values themselves in place of their hashes; criteria that need other resources
 * are passed over. For conditional writes, whose match nobody sees before it is written to (docs/decisions/0012-search-values.md).
 */
export function createConfirmation(
  { registry }: Pick<SearchParts, 'registry'>,
  type: string,
  criteria: readonly Criterion[],
  nowMs: number,
): ResourcePredicate {
  const asked: Asked = { types: registry.types, parameters: new Set(), approximately: false };
  const tests = criteria.filter(standsAlone).map((criterion) => toTest(criterion, nowMs, asked));
  const parameters = [...asked.parameters].filter(({ code }) => !unindexed.includes(code));
  const patterns = createPatterns();
  return (resource) => {
    const values = valuesOf(parameters, resource);
    return (
      (resource as { resourceType?: unknown }).resourceType === type &&
      tests.every((test) => holds(test, values, patterns))
    );
  };
}

/** Whether the resource itself has the answer. */
function standsAlone(criterion: Criterion): boolean {
  switch (criterion.kind) {
    case 'clause':
      return !asksTerminology(criterion.clause);
    case 'all':
    case 'any':
      return criterion.of.every(standsAlone);
    case 'not':
      return standsAlone(criterion.of);
    default:
      return false;
  }
}

/** Asks tests of single resources in memory; `parameters` are those that the tests are about. */
export function createTester(parameters: readonly Parameter[]): (test: ValueTest, resource: unknown) => boolean {
  const indexed = parameters.filter(({ code }) => !unindexed.includes(code));
  const patterns = createPatterns();
  return (test, resource) => holds(test, valuesOf(indexed, resource), patterns);
}

function elsewhere(what: string): FhirError {
  return new FhirError(400, 'not-supported', `${what}: what a resource alone cannot answer is not supported here`);
}

/** Keys of one resource need no tenant. */
export const noTenant = '';

function toTest(criterion: Criterion, nowMs: number, asked: Asked): ValueTest {
  switch (criterion.kind) {
    case 'clause': {
      const { parameter, modifier, values } = criterion.clause;
      if (asksTerminology(criterion.clause)) throw elsewhere(`${parameter.code}:${modifier}`);
      asked.parameters.add(parameter);
      if (values.some((value) => /(?:^|\$)ap/.test(value))) asked.approximately = true;
      return clauseTest(criterion.clause, { tenant: noTenant, nowMs, types: asked.types });
    }
    case 'all':
    case 'any':
      return { kind: criterion.kind, of: criterion.of.map((part) => toTest(part, nowMs, asked)) };
    case 'not':
      return { kind: 'not', of: toTest(criterion.of, nowMs, asked) };
    case 'chain':
      throw elsewhere(`A chain through ${criterion.parameter.code}`);
    default:
      throw elsewhere(`${names[criterion.kind] ?? criterion.kind} in a criterion`);
  }
}

const names: Readonly<Record<string, string>> = {
  has: '_has',
  list: '_list',
  compartment: 'A compartment',
  filter: '_filter',
};

/** What would be stored of a resource, as it is tested. */
interface Values {
  resource: unknown;
  keys: ReadonlySet<string>;
  columns: ReadonlyMap<number, Range>;
  dates: (Range & { param: number })[];
  numbers: (Range & { param: number; unit: string | undefined })[];
  strings: { param: number; value: string }[];
}

interface Range {
  lo: number;
  hi: number;
}

function valuesOf(parameters: readonly Parameter[], resource: unknown): Values {
  const keys = new Set<string>();
  const columns = new Map<number, Range>();
  const values: Values = { resource, keys, columns, dates: [], numbers: [], strings: [] };
  indexParameters(parameters, resource, {
    addKey: (parameter, kind, parts) => keys.add(keyText(noTenant, parameter, kind, ...parts)),
    dateColumn: (column, interval) => columns.set(column, interval),
    date: (param, { lo, hi }) => values.dates.push({ param, lo, hi }),
    number: (param, unit, lo, hi) => values.numbers.push({ param, unit, lo, hi }),
    string: (param, value) => values.strings.push({ param, value }),
    hashHead: asItIs,
  });
  return values;
}

const asItIs = (head: string) => `${head} `;

function holds(test: ValueTest, values: Values, patterns: Patterns): boolean {
  const { resource, keys } = values;
  switch (test.kind) {
    case 'all':
      return test.of.every((part) => holds(part, values, patterns));
    case 'any':
      return test.of.some((part) => holds(part, values, patterns));
    case 'not':
      return !holds(test.of, values, patterns);
    case 'constant':
      return test.value;
    case 'keys':
      return test.texts.some((text) => keys.has(text));
    case 'id':
      return test.ids.some((id) => id === (resource as { id?: unknown }).id);
    case 'updated': {
      const updated = (resource as { meta?: { lastUpdated?: unknown } }).meta?.lastUpdated;
      const ms = typeof updated === 'string' ? dateInterval(updated)?.lo : undefined;
      return ms !== undefined && passes(test.range, ms, ms);
    }
    case 'date-column': {
      const interval = values.columns.get(test.column);
      return interval !== undefined && passes(test.range, interval.lo, interval.hi);
    }
    case 'date':
      return values.dates.some(({ param, lo, hi }) => param === test.param && passes(test.range, lo, hi));
    case 'number':
      return values.numbers.some(
        ({ param, unit, lo, hi }) => param === test.param && unit === test.unit && passes(test.range, lo, hi),
      );
    case 'string':
      return values.strings.some(
        ({ param, value }) => param === test.param && test.tests.some((part) => stringHolds(part, value)),
      );
    case 'head-string':
      return values.strings.some(
        ({ param, value }) => param === test.param && value.startsWith(asItIs(test.head) + test.starts),
      );
    case 'near':
      return values.numbers.some(
        ({ param, lo, hi }) =>
          param === test.param && distanceMetres(test.near, { latitude: lo, longitude: hi }) <= test.near.metres,
      );
    case 'words':
      return hasWords(test.place, test.patterns.map(patterns), resource);
  }
}

function stringHolds(test: StringTest, value: string): boolean {
  if ('starts' in test) return value.startsWith(test.starts);
  if ('contains' in test) return value.includes(test.contains);
  return test.words.every((word) => ` ${value}`.includes(` ${word}`));
}
