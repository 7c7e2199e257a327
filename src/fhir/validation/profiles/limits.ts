/** Least and greatest values, and lengths (https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_). */
import { compareQuantities, compareTimes, type UnitOf } from '../../fhirpath/index.ts';
import { createUcum } from '../../search/ucum.ts';
import { isObject } from '../run.ts';
import type { ElementRules } from './tree.ts';

/** @returns a test whose answer is what is wrong; undefined when nothing is, or when it cannot be said. */
export function limitTest({ maxLength, minValue, maxValue }: ElementRules): (value: unknown) => string | undefined {
  const unitOf = createUcum();
  const order = (value: unknown, limit: unknown) => compare(value, limit, unitOf);
  return (value) => {
    if (maxLength !== undefined && typeof value === 'string' && [...value].length > maxLength)
      return `must not be longer than ${maxLength} characters`;
    const below = minValue === undefined ? undefined : order(value, minValue);
    if (below !== undefined && below < 0) return `must not be less than ${shown(minValue)}`;
    const above = maxValue === undefined ? undefined : order(value, maxValue);
    if (above !== undefined && above > 0) return `must not be more than ${shown(maxValue)}`;
    return undefined;
  };
}

function compare(value: unknown, limit: unknown, unitOf: UnitOf): number | undefined {
  if (typeof value === 'number' && typeof limit === 'number') return value - limit;
  if (typeof value === 'string' && typeof limit === 'string') return compareTimes(value, limit);
  return isObject(value) && isObject(limit) ? compareQuantities(value, limit, unitOf) : undefined;
}

function shown(limit: unknown): string {
  return isObject(limit) ? `${limit.value} ${limit.unit ?? limit.code ?? ''}`.trim() : String(limit);
}
