/** What is stored beside a resource so that it can be found: keys for equality, values that need order. */
import { facetFacts } from './composite-facts.ts';
import { elementInterval, type Interval, openEndMs, openStartMs } from './dates.ts';
import type { Facts } from './facts.ts';
import { type Key, type KeyHasher, type KeyKind, keyKind } from './keys.ts';
import { positionOf } from './near.ts';
import { elementMeasures } from './numbers.ts';
import type { Parameter, ParameterRegistry } from './parameters.ts';
import { phoneticKeys } from './phonetic.ts';
import { foldString, searchedStrings } from './strings.ts';
import { referenceFacts, tokenFacts, uriFacts } from './token-facts.ts';
import { codeTexts } from './words.ts';

export interface IndexEntry {
  /** Binary `bigint[]`. */
  keys: Buffer;
  /** `d1_lo, d1_hi, d2_lo, …` as PostgreSQL reads them; `-infinity` twice when there is none. */
  dateColumns: string[];
  strings: { param: number; value: string }[];
  dates: { param: number; lo: string; hi: string }[];
  /** `unit` is a decimal bigint, `0` for the number without its unit. */
  numbers: { param: number; unit: string; lo: number; hi: number }[];
}

/** What a date column holds when the resource has no such date. */
export const noDate = '-infinity';

/** A moment as PostgreSQL reads it, inside what both ends can write. */
export function sqlTime(ms: number): string {
  return new Date(Math.min(Math.max(ms, openStartMs), openEndMs)).toISOString();
}

/** Parameter `unit` of a row of `fhir.number_key`. */
export function unitKey(hasher: KeyHasher, unit: string | undefined): string {
  return unit === undefined ? '0' : hasher.decimal(unit);
}

/** What a string of a composite begins with in its row: 64 bits of its head. */
export function hashHead(hasher: KeyHasher, head: string): string {
  return `${BigInt.asUintN(64, BigInt(hasher.decimal(head)))
    .toString(16)
    .padStart(16, '0')} `;
}

/** Parameters whose values are columns of the table, or words that no index has. */
export const unindexed: readonly string[] = ['_id', '_lastUpdated', '_text', '_content'];

/** Numbers under which resources with these parameters have rows in the tables of ordered values. */
export function orderedParams(parameters: Iterable<Parameter>): number[] {
  const params = new Set<number>();
  for (const { code, type, key, dateColumn, facets } of parameters) {
    for (const facet of facets ?? []) params.add(facet.key);
    const hasRows = ['string', 'number', 'quantity', 'date'].includes(type) || code === 'near';
    if (hasRows && dateColumn === undefined && !unindexed.includes(code)) params.add(key);
  }
  return [...params];
}

/** Makes the function that indexes a resource for a tenant. Pure, about 10 µs for a ServiceRequest. */
export function createIndexer(registry: ParameterRegistry, hasher: KeyHasher) {
  const byType = new Map<string, { parameters: Parameter[]; dateColumns: number }>();
  return function index(tenant: string, type: string, resource: unknown): IndexEntry {
    let known = byType.get(type);
    if (!known) {
      const parameters = [...registry.of(type).values()].filter(({ code }) => !unindexed.includes(code));
      known = { parameters, dateColumns: Math.max(0, ...parameters.map(({ dateColumn }) => dateColumn ?? 0)) };
      byType.set(type, known);
    }
    const keys = new Set<Key>();
    const columns: string[] = Array(known.dateColumns * 2).fill(noDate);
    const entry: IndexEntry = { keys: Buffer.alloc(0), dateColumns: columns, strings: [], dates: [], numbers: [] };
    indexParameters(known.parameters, resource, {
      addKey: (parameter, kind, parts) => keys.add(hasher.key(tenant, parameter, kind, parts)),
      dateColumn(column, { lo, hi }) {
        columns[column * 2 - 2] = sqlTime(lo);
        columns[column * 2 - 1] = sqlTime(hi);
      },
      date: (param, { lo, hi }) => entry.dates.push({ param, lo: sqlTime(lo), hi: sqlTime(hi) }),
      string: (param, value) => entry.strings.push({ param, value }),
      number: (param, unit, lo, hi) => entry.numbers.push({ param, unit: unitKey(hasher, unit), lo, hi }),
      hashHead: (head) => hashHead(hasher, head),
    });
    const { id } = (resource ?? {}) as { id?: string };
    if (id !== undefined && openedAlone.includes(type))
      keys.add(hasher.key(tenant, '_id', keyKind.value, [`${type}/${id}`]));
    entry.keys = hasher.array(keys);
    return entry;
  };
}

export type Indexer = ReturnType<typeof createIndexer>;

/** What is looked for by itself when one record or one case is opened to somebody: these have a key of their own reference, too. */
const openedAlone: readonly string[] = ['Patient', 'ServiceRequest', 'Task', 'Encounter'];

const noParts: readonly string[] = [];

/** Takes what is indexed of a resource. */
export interface IndexTarget extends Pick<Facts, 'string' | 'date' | 'number'> {
  /** The parts of a key, but for the tenant. */
  addKey(parameter: string, kind: KeyKind, parts: readonly string[]): void;
  dateColumn(column: number, interval: Interval): void;
  hashHead(head: string): string;
}

/** Tells `target` everything that these parameters find in a resource. */
export function indexParameters(parameters: Iterable<Parameter>, resource: unknown, target: IndexTarget): void {
  let code = '';
  let count = 0;
  const facts: Facts = {
    key(kind, ...parts) {
      count++;
      target.addKey(code, kind, parts);
    },
    pair(facet, forms) {
      count++;
      target.addKey(facet, keyKind.pair, forms);
    },
    string(param, value) {
      count++;
      target.string(param, value);
    },
    date(param, interval) {
      count++;
      target.date(param, interval);
    },
    number(param, unit, lo, hi) {
      count++;
      target.number(param, unit, lo, hi);
    },
  };
  // Composites that pair the same parts of the same element share what is stored.
  const facets = new Map<string, number>();
  for (const parameter of parameters) {
    const values = parameter.select(resource);
    if (values.length === 0) continue;
    code = parameter.code;
    count = 0;
    for (const facet of parameter.facets ?? []) {
      const before = count;
      const known = facets.get(facet.name);
      if (known === undefined) facetFacts(facet, resource, parameter.shared, facts, target.hashHead);
      else count += known;
      facets.set(facet.name, count - before);
    }
    if (parameter.dateColumn !== undefined) {
      const interval = elementInterval(values.at(-1));
      if (interval) {
        count++;
        target.dateColumn(parameter.dateColumn, interval);
      }
    } else if (!parameter.facets) for (const value of values) valueFacts(parameter, value, facts);
    // `:missing` is asked of what can be searched: an element without a usable value counts as missing.
    if (count > 0 || isSaidInWords(parameter, values)) target.addKey(code, keyKind.present, noParts);
  }
}

/** What `:text` finds has a value: a CodeableConcept without any coding among it. No key tells of the words. */
function isSaidInWords({ type }: Parameter, values: readonly unknown[]): boolean {
  return type === 'token' && values.some((value) => codeTexts(value).some((text) => text !== ''));
}

function valueFacts({ type, code, key, shared }: Parameter, value: unknown, facts: Facts): void {
  switch (type) {
    case 'token':
      tokenFacts(value, facts.key);
      return;
    case 'reference':
      referenceFacts(value, shared.base, facts.key);
      return;
    case 'uri':
      uriFacts(value, facts.key);
      return;
    case 'string':
      for (const text of searchedStrings(value)) {
        if (code === 'phonetic') for (const sound of phoneticKeys(text)) facts.key(keyKind.sound, sound);
        else stringFacts(key, text, facts);
      }
      return;
    case 'date': {
      const interval = elementInterval(value);
      if (interval) facts.date(key, interval);
      return;
    }
    case 'number':
    case 'quantity':
      for (const { unit, lo, hi } of elementMeasures(value, shared.units)) facts.number(key, unit, lo, hi);
      return;
    case 'special': {
      const position = code === 'near' ? positionOf(value) : undefined;
      if (position) facts.number(key, undefined, position.latitude, position.longitude);
    }
  }
}

function stringFacts(param: number, text: string, facts: Facts): void {
  const folded = foldString(text);
  if (folded === '') return;
  facts.key(keyKind.exact, text);
  facts.string(param, folded);
}
