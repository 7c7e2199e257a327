/**
 * Least and greatest values, and lengths (https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_): of
 * dates also as a duration, by which they may lie behind the present or ahead of it.
 */
import { compareQuantities, compareTimes, movedTime, presentAt, type UnitOf } from '../../fhirpath/index.ts';
import { createUcum } from '../../search/ucum.ts';
import { isObject } from '../run.ts';
import type { ElementRules } from './tree.ts';

/** @returns a test whose answer is what is wrong; undefined when nothing is, or when it cannot be said. `now` is the present. */
export function limitTest({
  maxLength,
  minValue,
  maxValue,
}: ElementRules): (value: unknown, now: Date) => string | undefined {
  const unitOf = createUcum();
  return (value, now) => {
    const order = (limit: unknown, sign: 1 | -1) => compare(value, fixedLimit(value, limit, sign, now), unitOf);
    if (maxLength !== undefined && typeof value === 'string' && [...value].length > maxLength)
      return `must not be longer than ${maxLength} characters`;
    const below = minValue === undefined ? undefined : order(minValue, -1);
    if (below !== undefined && below < 0) return `must not be less than ${shown(minValue)}`;
    const above = maxValue === undefined ? undefined : order(maxValue, 1);
    if (above !== undefined && above > 0) return `must not be more than ${shown(maxValue)}`;
    return undefined;
  };
}

/** A duration as the date or instant it means for a value that is one. */
function fixedLimit(value: unknown, limit: unknown, sign: 1 | -1, now: Date): unknown {
  if (typeof value !== 'string' || !isObject(limit)) return limit;
  const { date, dateTime } = presentAt(now);
  return movedTime(value.includes('T') ? dateTime : date, limit, sign);
}

function compare(value: unknown, limit: unknown, unitOf: UnitOf): number | undefined {
  if (typeof value === 'number' && typeof limit === 'number') return value - limit;
  if (typeof value === 'string' && typeof limit === 'string') return compareTimes(value, limit);
  return isObject(value) && isObject(limit) ? compareQuantities(value, limit, unitOf) : undefined;
}

function shown(limit: unknown): string {
  return isObject(limit) ? `${limit.value} ${limit.unit ?? limit.code ?? ''}`.trim() : String(limit);
}
