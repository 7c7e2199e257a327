/** `<` and its kin (http://hl7.org/fhirpath/N1/#comparison): undefined when it cannot be decided. */
import { type CanonicalUnit, ucumSystem } from '../search/ucum.ts';
import { isObject, plain } from './values.ts';

/** Look-up of UCUM units: `createUcum`. */
export type UnitOf = (code: string) => CanonicalUnit | undefined;

/** @param isTime the operands are dates or times, not text. @returns negative, 0, positive; undefined when neither can be said. */
export function compareItems(left: unknown, right: unknown, isTime: boolean, unitOf: UnitOf): number | undefined {
  const a = plain(left);
  const b = plain(right);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') {
    if (isTime) return compareTimes(a, b);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (isObject(a) && isObject(b)) return compareQuantities(a, b, unitOf);
  return undefined;
}

/** Units of UCUM that can be converted into one another are; others have to be the same. */
export function compareQuantities(
  a: Record<string, unknown>,
  b: Record<string, unknown>,
  unitOf: UnitOf,
): number | undefined {
  if (typeof a.value !== 'number' || typeof b.value !== 'number') return undefined;
  const sameUnit = a.code === b.code && a.system === b.system && (a.code !== undefined || a.unit === b.unit);
  if (sameUnit) return a.value - b.value;
  if (a.system !== ucumSystem || b.system !== ucumSystem) return undefined;
  if (typeof a.code !== 'string' || typeof b.code !== 'string') return undefined;
  const [unit, other] = [unitOf(a.code), unitOf(b.code)];
  if (!unit || unit.dimension !== other?.dimension) return undefined;
  return unit.convert(a.value) - other.convert(b.value);
}

const timePattern =
  /^(?:(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?)?(?:T?(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?)?(Z|[+-]\d{2}:\d{2})?$/;

/**
 * Compares as far as both are precise: 2024 and 2025-03 can be told apart, 2024 and 2024-03 cannot.
 */
export function compareTimes(a: string, b: string): number | undefined {
  const left = timePattern.exec(a);
  const right = timePattern.exec(b);
  if (!left || !right) return undefined;
  if (left[8] && right[8] && left[8] !== right[8]) {
    const difference = Date.parse(a) - Date.parse(b);
    return Number.isNaN(difference) ? undefined : difference;
  }
  for (let part = 1; part <= 6; part++) {
    const [first, second] = [left[part], right[part]];
    if (first === undefined && second === undefined) continue;
    if (first === undefined || second === undefined) return undefined;
    if (first !== second) return Number(first) - Number(second);
  }
  return Number(`0.${left[7] ?? 0}`) - Number(`0.${right[7] ?? 0}`);
}
