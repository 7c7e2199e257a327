/** Numbers and quantities with the precision they are written with (https://hl7.org/fhir/R4/search.html#number). */

/** From `lo` inclusive to `hi`; a point when both are the same. */
export interface NumberRange {
  lo: number;
  hi: number;
}

const numberPattern = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** A number as search parameters write it, with the half-open range its digits imply: 100 is [99.5, 100.5), 1.00e2 the same. */
export function parseNumber(text: string): { value: number; range: NumberRange } | undefined {
  const match = numberPattern.exec(text);
  const value = Number(text);
  if (!match || !Number.isFinite(value)) return undefined;
  const exponent = Number(match[4] ?? 0);
  const half = 0.5 * 10 ** (exponent - (match[3]?.length ?? 0));
  return { value, range: { lo: value - half, hi: value + half } };
}

/** Value of a JSON number, also when it was kept as written (`JSON.rawJSON`). */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'object' && value !== null && 'rawJSON' in value && typeof value.rawJSON === 'string') {
    const number = Number(value.rawJSON);
    return Number.isFinite(number) ? number : undefined;
  }
  return undefined;
}

/** A number with the units it can be asked for in. */
export interface Measure extends NumberRange {
  /** System and code, code or unit alone; empty when there is none. */
  units: { system?: string; code: string }[];
}

const currencySystem = 'urn:iso:std:iso:4217';

/** The measures of a quantity element: Quantity (Age, Duration…), Money, Range or SampledData; nothing when it has no number. */
export function elementMeasures(value: unknown): Measure[] {
  const plain = numberOf(value);
  if (plain !== undefined) return [{ lo: plain, hi: plain, units: [] }];
  if (typeof value !== 'object' || value === null) return [];
  const element = value as Record<string, unknown>;
  if ('low' in element || 'high' in element) return rangeMeasures(element);
  if ('origin' in element) return elementMeasures(element.origin);
  const number = numberOf(element.value);
  return number === undefined ? [] : [{ lo: number, hi: number, units: unitsOf(element) }];
}

function rangeMeasures({ low, high }: Record<string, unknown>): Measure[] {
  const [first] = elementMeasures(low);
  const [last] = elementMeasures(high);
  const units = first?.units ?? last?.units;
  if (!units) return [];
  return [{ lo: first?.lo ?? Number.NEGATIVE_INFINITY, hi: last?.hi ?? Number.POSITIVE_INFINITY, units }];
}

function unitsOf({ system, code, unit, currency }: Record<string, unknown>): Measure['units'] {
  const units: Measure['units'] = [];
  if (typeof currency === 'string') units.push({ system: currencySystem, code: currency }, { code: currency });
  if (typeof code === 'string') {
    if (typeof system === 'string') units.push({ system, code });
    units.push({ code });
  }
  if (typeof unit === 'string' && unit !== code) units.push({ code: unit });
  return units;
}
