/** `<` and its kin (http://hl7.org/fhirpath/N1/#comparison): undefined when it cannot be decided. */
import { type CanonicalUnit, ucumSystem } from '../search/ucum.ts';
import { compareTimes } from './times.ts';
import { isObject, plain } from './values.ts';

/** Types that are quantities, whatever R4 derives them from. */
export const quantityTypes: ReadonlySet<string> = new Set(
  'Quantity SimpleQuantity MoneyQuantity Age Count Distance Duration'.split(' '),
);

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
  if (sameUnit(a, b)) return a.value - b.value;
  if (a.system !== ucumSystem || b.system !== ucumSystem) return undefined;
  if (typeof a.code !== 'string' || typeof b.code !== 'string') return undefined;
  const [unit, other] = [unitOf(a.code), unitOf(b.code)];
  if (!unit || unit.dimension !== other?.dimension) return undefined;
  return unit.convert(a.value) - other.convert(b.value);
}

/** `~` of quantities: the same measure, as far as the less precise of the two is told. */
export function areEquivalentQuantities(
  a: Record<string, unknown>,
  b: Record<string, unknown>,
  unitOf: UnitOf,
): boolean {
  if (typeof a.value !== 'number' || typeof b.value !== 'number') return false;
  if (sameUnit(a, b)) return areEquivalentNumbers(a.value, b.value);
  const converted = inUnitOf(a, b, unitOf);
  return converted !== undefined && areEquivalentNumbers(a.value, converted);
}

/** `~` of numbers (http://hl7.org/fhirpath/N1/#equivalence): equal when rounded to the fewer decimals of the two. */
export function areEquivalentNumbers(a: number, b: number): boolean {
  const least = Math.min(decimalsOf(a), decimalsOf(b));
  return a.toFixed(least) === b.toFixed(least);
}

/** As JavaScript writes it: zeros at the end are not told. At most as many as `toFixed` takes. */
function decimalsOf(value: number): number {
  return Math.min(/\.(\d+)/.exec(String(value))?.[1]?.length ?? 0, 15);
}

/** The number of `b` in the unit of `a`; undefined where they measure different things, or on scales with zeros of their own. */
export function inUnitOf(a: Record<string, unknown>, b: Record<string, unknown>, unitOf: UnitOf): number | undefined {
  if (typeof b.value !== 'number') return undefined;
  if (sameUnit(a, b)) return b.value;
  if (a.system !== ucumSystem || b.system !== ucumSystem) return undefined;
  if (typeof a.code !== 'string' || typeof b.code !== 'string') return undefined;
  const [unit, other] = [unitOf(a.code), unitOf(b.code)];
  if (!unit || unit.dimension !== other?.dimension || unit.convert(0) !== 0 || other.convert(0) !== 0) return undefined;
  return Number((other.convert(b.value) / unit.convert(1)).toPrecision(12));
}

function sameUnit(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  return a.code === b.code && a.system === b.system && (a.code !== undefined || a.unit === b.unit);
}
