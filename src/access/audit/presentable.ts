/**
 * Makes valid FHIR of whatever callers sent along (https://hl7.org/fhir/R4/datatypes.html#string): headers and addresses hold blanks, controls
 * and nothing at all; an event that cannot be read back proves nothing.
 */

/** The same without empty values; text without controls and what is no character, without blanks other than spaces, and blanks around it. */
export function presentable<T>(value: T): T {
  return cleaned(value) as T;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return text(value) || undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(cleaned).filter((item) => item !== undefined);
    return items.length > 0 ? items : undefined;
  }
  const fields: Record<string, unknown> = {};
  let isEmpty = true;
  for (const [name, field] of Object.entries(value)) {
    const kept = cleaned(field);
    if (kept === undefined) continue;
    fields[name] = kept;
    isEmpty = false;
  }
  return isEmpty ? undefined : fields;
}

/** Nearly every text of an event: printed characters of ASCII, and spaces between them. */
const plain = /^[!-~]+(?: [!-~]+)*$/;

function text(value: string): string {
  if (plain.test(value)) return value;
  return value
    .toWellFormed()
    .replace(/[^\S ]/gu, ' ')
    .replace(/[\p{Cc}\ufffe\uffff]/gu, '\ufffd')
    .trim();
}
