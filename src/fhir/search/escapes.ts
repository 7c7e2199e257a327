/** Escapes inside search values (https://hl7.org/fhir/R4/search.html#escaping): `\,` `\|` `\$` and `\\`. */

/** Splits at unescaped commas; the parts keep their escapes. */
export function splitValues(text: string): string[] {
  return splitAt(text, ',');
}

/** Splits at unescaped bars and removes the escapes. */
export function splitBars(text: string): string[] {
  return splitAt(text, '|').map(unescapeValue);
}

/** Splits the parts of a composite at unescaped dollars; the parts keep their escapes. */
export function splitParts(text: string): string[] {
  return splitAt(text, '$');
}

function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '\\' && at + 1 < text.length) {
      part += character + text[++at]!;
    } else if (character === separator) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  parts.push(part);
  return parts;
}

/** Removes the escapes. A backslash before anything else stands for itself. */
export function unescapeValue(text: string): string {
  return text.includes('\\') ? text.replace(/\\([,|$\\])/g, '$1') : text;
}

/** A value as a search writes it, so that it is one value whatever is in it. */
export function escapeValue(text: string): string {
  return text.replace(/[\\,|$]/g, '\\$&');
}

/** `identifier=` of an identifier, percent-encoded: exactly this number of exactly this system (of none when it is absent). */
export function identifierQuery(system: string | undefined, value: string | undefined): string {
  return `identifier=${identifierToken(system, value)}`;
}

/** The value of such a search under a parameter of another name. */
export function identifierToken(system: string | undefined, value: string | undefined): string {
  return encodeURIComponent(`${escapeValue(system ?? '')}|${escapeValue(value ?? '')}`);
}
