/** Operators (http://hl7.org/fhirpath/N1/#operations). */
import { createUcum } from '../search/ucum.ts';
import { type Compiled, fromItems, fromTruth, type Items } from './compiled.ts';
import { compareItems, compareQuantities, compareTimes } from './order.ts';
import { FhirPathError } from './tokens.ts';
import { distinct, isEqual, isEquivalent, isObject, plain } from './values.ts';

type Operator = (left: Compiled, right: Compiled) => Compiled;

const operators: Readonly<Record<string, Operator>> = {
  and: (left, right) =>
    fromTruth((focus, scope) => {
      const first = left.truth(focus, scope);
      if (first === false) return false;
      const second = right.truth(focus, scope);
      if (second === false) return false;
      return first && second;
    }),
  or: (left, right) =>
    fromTruth((focus, scope) => {
      const first = left.truth(focus, scope);
      if (first === true) return true;
      const second = right.truth(focus, scope);
      if (second === true) return true;
      return first === undefined || second === undefined ? undefined : false;
    }),
  xor: (left, right) =>
    fromTruth((focus, scope) => {
      const first = left.truth(focus, scope);
      const second = right.truth(focus, scope);
      return first === undefined || second === undefined ? undefined : first !== second;
    }),
  implies: (left, right) =>
    fromTruth((focus, scope) => {
      const first = left.truth(focus, scope);
      if (first === false) return true;
      const second = right.truth(focus, scope);
      if (second === true) return true;
      return first === undefined ? undefined : second;
    }),
  '=': (left, right) => equality(left, right),
  '!=': (left, right) => {
    const same = equality(left, right);
    return fromTruth((focus, scope) => {
      const answer = same.truth(focus, scope);
      return answer === undefined ? undefined : !answer;
    });
  },
  '~': (left, right) => fromTruth((focus, scope) => sameItems(left.items(focus, scope), right.items(focus, scope))),
  '!~': (left, right) => fromTruth((focus, scope) => !sameItems(left.items(focus, scope), right.items(focus, scope))),
  '<': (left, right) => comparison(left, right, (order) => order < 0),
  '>': (left, right) => comparison(left, right, (order) => order > 0),
  '<=': (left, right) => comparison(left, right, (order) => order <= 0),
  '>=': (left, right) => comparison(left, right, (order) => order >= 0),
  '|': (left, right) =>
    fromItems(
      (focus, scope) => distinct([...left.items(focus, scope), ...right.items(focus, scope)]),
      unionTypes(left, right),
      { exists: (focus, scope) => left.exists(focus, scope) || right.exists(focus, scope) },
    ),
  in: (left, right) => membership(left, right),
  contains: (left, right) => membership(right, left),
  '&': (left, right) =>
    fromItems((focus, scope) => [textOf(left.items(focus, scope)) + textOf(right.items(focus, scope))], ['string']),
  '+': (left, right) =>
    arithmetic(left, right, (a, b) => (typeof a === 'string' && typeof b === 'string' ? a + b : number(a) + number(b))),
  '-': (left, right) => arithmetic(left, right, (a, b) => number(a) - number(b)),
  '*': (left, right) => arithmetic(left, right, (a, b) => number(a) * number(b)),
  '/': (left, right) => arithmetic(left, right, (a, b) => number(a) / number(b)),
  div: (left, right) => arithmetic(left, right, (a, b) => Math.trunc(number(a) / number(b))),
  mod: (left, right) => arithmetic(left, right, (a, b) => number(a) % number(b)),
};

export function compileBinary(operator: string, left: Compiled, right: Compiled): Compiled {
  const compiled = operators[operator];
  if (!compiled) throw new FhirPathError(`the operator ${operator} is not compiled`);
  return compiled(left, right);
}

function unionTypes(left: Compiled, right: Compiled): readonly string[] | undefined {
  return left.types && right.types && [...new Set([...left.types, ...right.types])];
}

const timeTypes = new Set(['date', 'dateTime', 'instant', 'time']);

/** Text is compared as time when both sides may be one. */
function areTimes(left: Compiled, right: Compiled): boolean {
  const some = (side: Compiled) => side.types?.some((type) => timeTypes.has(type)) ?? false;
  return some(left) && some(right);
}

const quantityTypes = new Set('Quantity SimpleQuantity MoneyQuantity Age Count Distance Duration'.split(' '));

/** Quantities are equal by value and unit, whatever else they have (https://hl7.org/fhir/R4/fhirpath.html#quantity). */
function areQuantities(left: Compiled, right: Compiled): boolean {
  const some = (side: Compiled) => side.types?.some((type) => quantityTypes.has(type)) ?? false;
  return some(left) && some(right);
}

/** How two items that are not the same stand to each other, where they are times or quantities: 0 when they mean the same. */
function orderTest(left: Compiled, right: Compiled): ((a: unknown, b: unknown) => number | undefined) | undefined {
  if (areTimes(left, right)) return (a, b) => compareTimes(String(a), String(b));
  if (!areQuantities(left, right)) return undefined;
  const unitOf = createUcum();
  return (a, b) => (isObject(a) && isObject(b) ? compareQuantities(a, b, unitOf) : undefined);
}

function equality(left: Compiled, right: Compiled): Compiled {
  const orderOf = orderTest(left, right);
  return fromTruth((focus, scope) => {
    const lefts = left.items(focus, scope);
    if (lefts.length === 0) return undefined;
    const rights = right.items(focus, scope);
    if (rights.length === 0) return undefined;
    if (lefts.length !== rights.length) return false;
    for (let at = 0; at < lefts.length; at++) {
      const [a, b] = [lefts[at], rights[at]];
      if (isEqual(a, b)) continue;
      if (!orderOf) return false;
      const order = orderOf(plain(a), plain(b));
      if (order !== 0) return order === undefined ? undefined : false;
    }
    return true;
  });
}

function sameItems(lefts: Items, rights: Items): boolean {
  if (lefts.length !== rights.length) return false;
  return lefts.every((item) => rights.some((other) => isEquivalent(item, other)));
}

function comparison(left: Compiled, right: Compiled, holds: (order: number) => boolean): Compiled {
  const isTime = areTimes(left, right);
  const unitOf = createUcum();
  return fromTruth((focus, scope) => {
    const lefts = left.items(focus, scope);
    const rights = right.items(focus, scope);
    if (lefts.length !== 1 || rights.length !== 1) return undefined;
    const order = compareItems(lefts[0], rights[0], isTime, unitOf);
    return order === undefined ? undefined : holds(order);
  });
}

function membership(item: Compiled, list: Compiled): Compiled {
  return fromTruth((focus, scope) => {
    const items = item.items(focus, scope);
    if (items.length !== 1) return undefined;
    return list.items(focus, scope).some((other) => isEqual(items[0], other));
  });
}

function textOf(items: Items): string {
  const value = plain(items[0]);
  return value === undefined ? '' : String(value);
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function arithmetic(left: Compiled, right: Compiled, work: (a: unknown, b: unknown) => number | string): Compiled {
  const types = left.types?.[0] === 'string' ? ['string'] : ['decimal'];
  return fromItems((focus, scope) => {
    const [a, b] = [left.items(focus, scope), right.items(focus, scope)];
    if (a.length !== 1 || b.length !== 1) return [];
    const result = work(plain(a[0]), plain(b[0]));
    // Not a number: operands of other types, or a division by zero; both are empty.
    if (typeof result === 'string') return [result];
    // Decimals are exact: 1.8 - 1.2 is 0.6, which doubles miss in the last digit.
    if (Number.isInteger(result)) return [result];
    return Number.isFinite(result) ? [Number(result.toPrecision(15))] : [];
  }, types);
}
