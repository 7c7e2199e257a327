/**
 * Makes valid FHIR of whatever callers sent along (https://hl7.org/fhir/R4/datatypes.html#string): headers and addresses hold blanks, controls
 * and nothing at all; an event that cannot be read back proves nothing.
 */

/** The same without empty values; text without controls, blanks other than spaces, and blanks around it. */
export function presentable<T>(value: T): T {
  return cleaned(value) as T;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return text(value) || undefined;
  if (Array.isArray(value)) {
    const items = value.map(cleaned).filter((item) => item !== undefined);
    return items.length > 0 ? items : undefined;
  }
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const kept = cleaned(field);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}

function text(value: string): string {
  return value
    .toWellFormed()
    .replace(/[^\S ]/gu, ' ')
    .replace(/\p{Cc}/gu, '\ufffd')
    .trim();
}
