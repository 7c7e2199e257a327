import { keepLiterals } from '../../../src/fhir/json/index.ts';

/** Order of properties says nothing in JSON. */
export function sorted<T>(value: T): T & object {
  if (Array.isArray(value)) return keepLiterals(value, value.map(sorted)) as never;
  if (typeof value !== 'object' || value === null) return value as never;
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
  return keepLiterals(value, Object.fromEntries(entries));
}
