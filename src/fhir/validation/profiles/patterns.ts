/** Fixed values and patterns (https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_). */
import { isEqual } from '../../fhirpath/index.ts';
import { isObject } from '../run.ts';

/** The value is the fixed one, nothing more or less. */
export function isFixed(value: unknown, fixed: unknown): boolean {
  return isEqual(value, fixed);
}

/** The value has everything the pattern has; each item of a pattern's array is in the value's array, in any place. */
export function fitsPattern(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((wanted) => value.some((item) => fitsPattern(item, wanted)));
  }
  if (!isObject(pattern)) return isEqual(value, pattern);
  return isObject(value) && Object.entries(pattern).every(([name, wanted]) => fitsPattern(value[name], wanted));
}
