/** Least and greatest values, and lengths (https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_). */
import { compareTimes } from '../../fhirpath/index.ts';
import { createUcum, ucumSystem } from '../../search/ucum.ts';
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

type UnitOf = ReturnType<typeof createUcum>;

function compare(value: unknown, limit: unknown, unitOf: UnitOf): number | undefined {
  if (typeof value === 'number' && typeof limit === 'number') return value - limit;
  if (typeof value === 'string' && typeof limit === 'string') return compareTimes(value, limit);
  return isObject(value) && isObject(limit) ? compareQuantities(value, limit, unitOf) : undefined;
}

/** Units that can be converted into one another are. */
function compareQuantities(value: Fields, limit: Fields, unitOf: UnitOf): number | undefined {
  if (typeof value.value !== 'number' || typeof limit.value !== 'number' || value.system !== limit.system)
    return undefined;
  if (value.code === limit.code) return value.value - limit.value;
  if (value.system !== ucumSystem || typeof value.code !== 'string' || typeof limit.code !== 'string') return undefined;
  const [unit, limitUnit] = [unitOf(value.code), unitOf(limit.code)];
  if (!unit || unit.dimension !== limitUnit?.dimension) return undefined;
  return unit.convert(value.value) - limitUnit.convert(limit.value);
}

type Fields = Record<string, unknown>;

function shown(limit: unknown): string {
  return isObject(limit) ? `${limit.value} ${limit.unit ?? limit.code ?? ''}`.trim() : String(limit);
}
