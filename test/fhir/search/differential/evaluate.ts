/** Answers a search by looking at every resource: slow, obvious, and independent of what the server does. */

import { UcumLhcUtils } from '@lhncbc/ucum-lhc';
import type { Resource } from '@medplum/fhirtypes';
import type { SearchParameterDefinition } from '../../../../src/fhir/definitions/search-parameters.ts';
import { dateMatches, dateSpan, elementSpan, folded, numberMatches, type Span } from './compare.ts';
import type { Condition, FilterNode, Search, Value } from './condition.ts';
import { createSelector, type Select } from './elements.ts';
import { leadsTo, literalReference, type Stored } from './references.ts';

type Element = Record<string, unknown>;

const units = UcumLhcUtils.getInstance();

export interface World {
  resources: readonly Stored[];
  nowMs: number;
  select: Select;
}

export function createWorld(resources: readonly Stored[], nowMs: number): World {
  return { resources, nowMs, select: createSelector() };
}

/** Ids of the matches in order: by the sort parameters, missing values last, then by id in the direction of the last of them. */
export function evaluate(world: World, search: Search): string[] {
  const matches = world.resources.filter(
    (resource) =>
      resource.resourceType === search.type &&
      search.conditions.every((condition) => holds(world, resource, condition)) &&
      (!search.filter || filterHolds(world, resource, search.filter)),
  );
  const rows = matches.map(({ id }, index) => ({
    id,
    keys: search.sort.map(({ parameter, descending }) => sortKey(world, matches[index]!, parameter, descending)),
  }));
  const directions = search.sort.map(({ descending }) => (descending ? -1 : 1));
  rows.sort((a, b) => {
    for (const [index, direction] of directions.entries()) {
      const [x, y] = [a.keys[index], b.keys[index]];
      if (x === undefined && y === undefined) continue;
      if (x === undefined) return 1;
      if (y === undefined) return -1;
      const order = byValue(x, y);
      if (order !== 0) return order * direction;
    }
    return byValue(a.id, b.id) * (directions.at(-1) ?? 1);
  });
  return rows.map(({ id }) => id);
}

function byValue(a: string | number, b: string | number): number {
  // Two open ends are equal, and their difference is no number.
  if (typeof a === 'number' || typeof b === 'number') return a === b ? 0 : Number(a) - Number(b);
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function holds(world: World, resource: Stored, condition: Condition): boolean {
  switch (condition.kind) {
    case 'parameter':
      return parameterHolds(world, resource, condition);
    case 'chain':
      return world.select(condition.parameter.expression, resource).some(
        (value) =>
          // A chained condition is evaluated inside contained resources.
          containedIn(resource).some(
            (target) =>
              literalReference(value) === `#${target.id}` &&
              target.resourceType === condition.target &&
              holdsInside(world, { ...target, contained: containedIn(resource) } as Stored, condition.of),
          ) ||
          world.resources.some(
            (target) =>
              target.resourceType === condition.target &&
              leadsTo(world.resources, value, target) &&
              holds(world, target, condition.of),
          ),
      );
    case 'has':
      return world.resources.some(
        (source) =>
          source.resourceType === condition.type &&
          world
            .select(condition.parameter.expression, source)
            .some((value) => leadsTo(world.resources, value, resource)) &&
          holds(world, source, condition.of),
      );
  }
}

function containedIn(resource: Stored): readonly Stored[] {
  return (resource as { contained?: Stored[] }).contained ?? [];
}

/** What is contained has no id of its own, and nothing points to it from outside. */
function holdsInside(world: World, resource: Stored, condition: Condition): boolean {
  const isOutside = condition.kind === 'has' || ['_id', '_lastUpdated'].includes(condition.parameter.code);
  return !isOutside && holds(world, resource, condition);
}

function parameterHolds(
  world: World,
  resource: Stored,
  { parameter, modifier, values }: Extract<Condition, { kind: 'parameter' }>,
): boolean {
  const elements = world.select(parameter.expression, resource);
  const [first] = values;
  if (first?.kind === 'missing')
    return first.missing !== elements.some((element) => isSearchable(world, resource, parameter, element));
  const found = values.some((value) =>
    elements.some((element) => elementMatches(world, resource, parameter, modifier, element, value)),
  );
  return modifier === 'not' ? !found : found;
}

/** Whether an element has anything that its parameter could find it by. */
function isSearchable(world: World, resource: Stored, parameter: SearchParameterDefinition, element: unknown): boolean {
  switch (parameter.type) {
    case 'date':
      return elementSpan(element) !== undefined;
    case 'string':
      return stringsOf(element).some((text) => folded(text) !== '');
    case 'number':
    case 'quantity':
      return measureOf(element) !== undefined;
    case 'token':
      return (
        tokensOf(element).some(({ system, code }) => code !== undefined || system !== undefined) ||
        isSaidInWords(element)
      );
    case 'reference': {
      const { reference, identifier } = (typeof element === 'string' ? { reference: element } : element) as Element;
      return (
        (typeof reference === 'string' && reference !== '') ||
        typeof (identifier as Element | undefined)?.value === 'string'
      );
    }
    case 'composite':
      return parameter.components!.every(({ type, expression }) =>
        componentElements(world, resource, element, expression).some((inner) =>
          // Words alone pair with nothing.
          type === 'token'
            ? tokensOf(inner).some(isToken)
            : isSearchable(world, resource, { ...parameter, type }, inner),
        ),
      );
    default:
      return element !== '';
  }
}

const isToken = ({ system, code }: Token) => code !== undefined || system !== undefined;

/** "Either CodeableConcept.text, Coding.display, or Identifier.type.text" (the modifier :text). */
function isSaidInWords(element: unknown): boolean {
  if (typeof element !== 'object' || element === null) return false;
  const { text, display, coding, type } = element as Element;
  const { text: ofType } = (type ?? {}) as Element;
  return [text, display, ofType].some(Boolean) || (Array.isArray(coding) && coding.some(isSaidInWords));
}

function elementMatches(
  world: World,
  resource: Stored,
  parameter: SearchParameterDefinition,
  modifier: string | undefined,
  element: unknown,
  value: Value,
): boolean {
  switch (value.kind) {
    case 'token':
      return tokenMatches(modifier === 'identifier' ? (element as Element).identifier : element, value);
    case 'identifier-of-type': {
      const { type, value: identifier } = element as { type?: { coding?: Element[] }; value?: string };
      const codings = type?.coding ?? [];
      return (
        identifier === value.value && codings.some(({ system, code }) => system === value.system && code === value.code)
      );
    }
    case 'text':
      return textMatches(parameter, modifier, element, value.text);
    case 'ordered':
      if (parameter.type === 'date') {
        const span = elementSpan(element);
        return span !== undefined && dateMatches(value.prefix, span, value.text, world.nowMs);
      }
      return quantityMatches(element, value);
    case 'composite':
      return value.parts.every((part, index) => {
        const { type, expression } = parameter.components![index]!;
        const as = { ...parameter, type };
        return componentElements(world, resource, element, expression).some((inner) =>
          elementMatches(world, resource, as, undefined, inner, part),
        );
      });
    case 'missing':
      throw new Error('asked of all elements together');
  }
}

function componentElements(world: World, resource: Stored, element: unknown, expression: string): unknown[] {
  if (typeof element !== 'object' || element === null) return [];
  return world.select(expression, (expression.includes('%resource') ? resource : element) as Resource);
}

interface Token {
  system?: string;
  code?: string;
}

/** The table of the token parameter: which part of each data type is system and which is code. */
function tokensOf(element: unknown): Token[] {
  if (typeof element === 'string' || typeof element === 'boolean' || typeof element === 'number') {
    return element === '' ? [] : [{ code: String(element) }];
  }
  if (typeof element !== 'object' || element === null) return [];
  const { coding, system, code, value } = element as Element;
  if (Array.isArray(coding)) return coding.flatMap(tokensOf);
  const text = typeof code === 'string' ? code : typeof value === 'string' ? value : undefined;
  return [{ ...(typeof system === 'string' ? { system } : {}), ...(text === undefined ? {} : { code: text }) }];
}

function tokenMatches(element: unknown, { system, code }: Token): boolean {
  return tokensOf(element).some((token) => {
    if (code !== undefined && token.code !== code) return false;
    return system === undefined || (token.system ?? '') === system;
  });
}

function textMatches(
  { type, target }: SearchParameterDefinition,
  modifier: string | undefined,
  element: unknown,
  text: string,
): boolean {
  switch (type) {
    case 'string': {
      const strings = stringsOf(element);
      if (modifier === 'exact') return strings.includes(text);
      return strings.some((candidate) =>
        modifier === 'contains' ? folded(candidate).includes(folded(text)) : folded(candidate).startsWith(folded(text)),
      );
    }
    case 'reference': {
      const reference = literalReference(element);
      if (reference === undefined || reference.startsWith('#')) return false;
      if (modifier !== undefined) return reference === `${modifier}/${text.replace(`${modifier}/`, '')}`;
      if (!text.includes('/') && !text.includes(':')) return target.some((name) => reference === `${name}/${text}`);
      return reference === text || (typeof element === 'string' && reference.split('|')[0] === text);
    }
    case 'uri':
      return element === text || (typeof element === 'string' && element.split('|')[0] === text);
    default:
      throw new Error(`${type} has no text values`);
  }
}

/** A string, or the parts of a HumanName or an Address. */
function stringsOf(element: unknown): string[] {
  if (typeof element === 'string') return [element];
  if (typeof element === 'number' || typeof element === 'boolean') return [String(element)];
  if (typeof element !== 'object' || element === null) return [];
  const parts = [
    'family',
    'given',
    'prefix',
    'suffix',
    'text',
    'line',
    'city',
    'district',
    'state',
    'country',
    'postalCode',
  ];
  return parts.flatMap((part) => (element as Element)[part] ?? []).filter((item) => typeof item === 'string');
}

/** The numbers an element stands for: a point, or all that a comparator or a Range leaves open. */
function measureOf(element: unknown): Span | undefined {
  if (typeof element === 'number') return { lo: element, hi: element };
  if (typeof element !== 'object' || element === null) return undefined;
  const { low, high, value, comparator, origin } = element as Element;
  if (low !== undefined || high !== undefined) {
    const [first, last] = [measureOf(low), measureOf(high)];
    if (!first && !last) return undefined;
    return { lo: first?.lo ?? Number.NEGATIVE_INFINITY, hi: last?.hi ?? Number.POSITIVE_INFINITY };
  }
  if (origin !== undefined || typeof value !== 'number') return undefined;
  const just = Math.abs(value) * 1e-12;
  switch (comparator) {
    case '<':
      return { lo: Number.NEGATIVE_INFINITY, hi: value - just };
    case '<=':
      return { lo: Number.NEGATIVE_INFINITY, hi: value };
    case '>=':
      return { lo: value, hi: Number.POSITIVE_INFINITY };
    case '>':
      return { lo: value + just, hi: Number.POSITIVE_INFINITY };
    default:
      return { lo: value, hi: value };
  }
}

const ucum = 'http://unitsofmeasure.org';

/** With a unit: one that UCUM converts into that of the element, or without a system the code or the unit as written. */
function quantityMatches(
  element: unknown,
  { prefix, text, system, code }: Extract<Value, { kind: 'ordered' }>,
): boolean {
  const span = measureOf(element);
  if (!span) return false;
  if (code === undefined) return numberMatches(prefix, span, text, (value) => value);
  const quantity = element as Element;
  if (!system) {
    return [quantity.code, quantity.unit].includes(code) && numberMatches(prefix, span, text, (value) => value);
  }
  if (quantity.system !== system) return false;
  if (quantity.code === code) return numberMatches(prefix, span, text, (value) => value);
  if (system !== ucum) return false;
  const convert = (value: number) => units.convertUnitTo(code, value, String(quantity.code)).toVal;
  return convert(1) !== null && numberMatches(prefix, span, text, (value) => convert(value)!);
}

function sortKey(
  world: World,
  resource: Stored,
  { code, type, expression }: SearchParameterDefinition,
  descending: boolean,
): string | number | undefined {
  if (code === '_id') return resource.id;
  const keys = world.select(expression, resource).flatMap((element): (string | number)[] => {
    switch (type) {
      case 'date': {
        const span = elementSpan(element);
        return span ? [span.lo] : [];
      }
      case 'number':
      case 'quantity': {
        const span = measureOf(element);
        return span ? [span.lo] : [];
      }
      case 'string':
        return stringsOf(element)
          .map(folded)
          .filter((text) => text !== '');
      case 'token':
        return tokensOf(element).flatMap((token) => token.code ?? []);
      case 'reference':
        // What a reference to a contained resource says means nothing outside its resource.
        return [(element as { reference?: string }).reference ?? (typeof element === 'string' ? element : [])]
          .flat()
          .filter((text) => !text.startsWith('#'));
      default:
        return typeof element === 'string' ? [element] : [];
    }
  });
  keys.sort(byValue);
  return descending ? keys.at(-1) : keys[0];
}

function filterHolds(world: World, resource: Stored, filter: FilterNode): boolean {
  switch (filter.kind) {
    case 'and':
      return filterHolds(world, resource, filter.left) && filterHolds(world, resource, filter.right);
    case 'or':
      return filterHolds(world, resource, filter.left) || filterHolds(world, resource, filter.right);
    case 'not':
      return !filterHolds(world, resource, filter.of);
    case 'test':
      return filterTestHolds(world, resource, filter);
  }
}

function filterTestHolds(
  world: World,
  resource: Stored,
  { parameter, operator, value }: Extract<FilterNode, { kind: 'test' }>,
): boolean {
  const elements = world.select(parameter.expression, resource);
  if (value.kind === 'missing') {
    return value.missing !== elements.some((element) => isSearchable(world, resource, parameter, element));
  }
  if (value.kind === 'ordered' && operator === 'po') {
    const asked = dateSpan(value.text)!;
    return elements.some((element) => {
      const span = elementSpan(element);
      return span !== undefined && span.lo < asked.hi && span.hi > asked.lo;
    });
  }
  if (value.kind === 'text' && parameter.type === 'string') {
    const text = folded(value.text);
    return elements
      .flatMap(stringsOf)
      .map(folded)
      .filter((candidate) => candidate !== '')
      .some((candidate) => textOperator(operator, candidate, text));
  }
  if (operator === 'ne' && value.kind !== 'ordered') {
    const found = elements.some((element) => elementMatches(world, resource, parameter, undefined, element, value));
    return !found && elements.some((element) => isSearchable(world, resource, parameter, element));
  }
  return elements.some((element) => elementMatches(world, resource, parameter, undefined, element, value));
}

function textOperator(operator: string, candidate: string, text: string): boolean {
  const order = Buffer.compare(Buffer.from(candidate), Buffer.from(text));
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'co':
      return candidate.includes(text);
    case 'sw':
      return candidate.startsWith(text);
    case 'ew':
      return candidate.endsWith(text);
    case 'ge':
      return order >= 0;
    case 'lt':
      return order < 0;
    default:
      throw new Error(`${operator} is not asked of texts`);
  }
}
