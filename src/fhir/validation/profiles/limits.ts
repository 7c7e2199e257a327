/** Least and greatest values, and lengths (https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_). */
import { compareTimes } from '../../fhirpath/index.ts';
import { isObject } from '../run.ts';
import type { ElementRules } from './tree.ts';

/** @returns what is wrong; undefined when nothing is, or when it cannot be said. */
export function limitProblem(value: unknown, rules: ElementRules): string | undefined {
  const { maxLength, minValue, maxValue } = rules;
  if (maxLength !== undefined && typeof value === 'string' && [...value].length > maxLength)
    return `must not be longer than ${maxLength} characters`;
  const below = minValue === undefined ? undefined : order(value, minValue);
  if (below !== undefined && below < 0) return `must not be less than ${shown(minValue)}`;
  const above = maxValue === undefined ? undefined : order(value, maxValue);
  if (above !== undefined && above > 0) return `must not be more than ${shown(maxValue)}`;
  return undefined;
}

function order(value: unknown, limit: unknown): number | undefined {
  if (typeof value === 'number' && typeof limit === 'number') return value - limit;
  if (typeof value === 'string' && typeof limit === 'string') return compareTimes(value, limit);
  if (isObject(value) && isObject(limit) && value.code === limit.code && value.system === limit.system)
    return order(value.value, limit.value);
  return undefined;
}

function shown(limit: unknown): string {
  return isObject(limit) ? `${limit.value} ${limit.unit ?? limit.code ?? ''}`.trim() : String(limit);
}
