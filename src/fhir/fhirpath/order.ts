/** `<` and its kin (http://hl7.org/fhirpath/N1/#comparison): undefined when it cannot be decided. */
import { isObject, plain } from './values.ts';

/** @param isTime the operands are dates or times, not text. @returns negative, 0, positive; undefined when neither can be said. */
export function compareItems(left: unknown, right: unknown, isTime: boolean): number | undefined {
  const a = plain(left);
  const b = plain(right);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') {
    if (isTime) return compareTimes(a, b);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (isObject(a) && isObject(b)) return compareQuantities(a, b);
  return undefined;
}

function compareQuantities(a: Record<string, unknown>, b: Record<string, unknown>): number | undefined {
  if (typeof a.value !== 'number' || typeof b.value !== 'number') return undefined;
  const sameUnit = a.code === b.code && a.system === b.system && (a.code !== undefined || a.unit === b.unit);
  return sameUnit ? a.value - b.value : undefined;
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
