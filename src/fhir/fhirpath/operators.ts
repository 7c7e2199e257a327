/** Operators (http://hl7.org/fhirpath/N1/#operations). */
import { createUcum } from '../search/ucum.ts';
import { arithmetic } from './arithmetic.ts';
import { type Compiled, fromItems, fromTruth, type Items } from './compiled.ts';
import {
  areEquivalentNumbers,
  areEquivalentQuantities,
  compareItems,
  compareQuantities,
  quantityTypes,
} from './order.ts';
import { compareTimes, parseTime, timeTypes } from './times.ts';
import { FhirPathError } from './tokens.ts';
import { distinct, isEqual, isEquivalent, isObject, longestText, plain } from './values.ts';

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
  '~': (left, right) => {
    const isSame = equivalence(left, right);
    return fromTruth((focus, scope) => sameItems(left.items(focus, scope), right.items(focus, scope), isSame));
  },
  '!~': (left, right) => {
    const isSame = equivalence(left, right);
    return fromTruth((focus, scope) => !sameItems(left.items(focus, scope), right.items(focus, scope), isSame));
  },
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
    fromItems(
      (focus, scope) => {
        const [first, second] = [textOf(left.items(focus, scope)), textOf(right.items(focus, scope))];
        return first.length + second.length > longestText ? [] : [first + second];
      },
      ['string'],
    ),
  ...arithmetic,
};

export function compileBinary(operator: string, left: Compiled, right: Compiled): Compiled {
  const compiled = operators[operator];
  if (!compiled) throw new FhirPathError(`the operator ${operator} is not compiled`);
  return compiled(left, right);
}

function unionTypes(left: Compiled, right: Compiled): readonly string[] | undefined {
  return left.types && right.types && [...new Set([...left.types, ...right.types])];
}

/** Text is compared as time when both sides may be one, and one is known to be. */
function areTimes(left: Compiled, right: Compiled): boolean {
  return mayBothBe(left, right, timeTypes);
}

/** Quantities are equal by value and unit, whatever else they have (https://hl7.org/fhir/R4/fhirpath.html#quantity). */
function areQuantities(left: Compiled, right: Compiled): boolean {
  return mayBothBe(left, right, quantityTypes);
}

/** What has no type may have any; between two such nothing is assumed. */
function mayBothBe(left: Compiled, right: Compiled, wanted: ReadonlySet<string>): boolean {
  const may = ({ types }: Compiled) => types === undefined || types.some((type) => wanted.has(type));
  return may(left) && may(right) && (left.types !== undefined || right.types !== undefined);
}

/** How two items that are not the same stand to each other, where they are times or quantities: 0 when they mean the same. */
function orderTest(left: Compiled, right: Compiled): ((a: unknown, b: unknown) => number | undefined) | undefined {
  if (areTimes(left, right)) return (a, b) => (sameKindOfTime(a, b) ? compareTimes(String(a), String(b)) : Number.NaN);
  if (!areQuantities(left, right)) return undefined;
  const unitOf = createUcum();
  return (a, b) => (isObject(a) && isObject(b) ? compareQuantities(a, b, unitOf) : Number.NaN);
}

/** A day and a time of day have no order, and are not the same for all that. */
function sameKindOfTime(a: unknown, b: unknown): boolean {
  const [left, right] = [a, b].map((text) => parseTime(String(text)));
  return left !== undefined && left.isTime === right?.isTime;
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

type Equivalence = (a: unknown, b: unknown) => boolean;

/** Never undecided (http://hl7.org/fhirpath/N1/#equivalence): times of different precision are not equivalent. */
function equivalence(left: Compiled, right: Compiled): Equivalence {
  const isTime = areTimes(left, right);
  const unitOf = createUcum();
  return (item, other) => {
    const [a, b] = [plain(item), plain(other)];
    if (isTime && typeof a === 'string' && typeof b === 'string' && compareTimes(a, b) === 0) return true;
    if (typeof a === 'number' && typeof b === 'number') return areEquivalentNumbers(a, b);
    return isEquivalent(a, b) || (isObject(a) && isObject(b) && areEquivalentQuantities(a, b, unitOf));
  };
}

function sameItems(lefts: Items, rights: Items, isSame: Equivalence): boolean {
  if (lefts.length !== rights.length) return false;
  return lefts.every((item) => rights.some((other) => isSame(item, other)));
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
