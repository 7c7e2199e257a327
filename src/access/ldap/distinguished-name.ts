/**
 * Comparing distinguished names (RFC 4514, RFC 4517 §4.2.15): without case, without the blanks around separators, and whichever way
 * a character was escaped. Names are the keys of the rules that give roles, so what is not surely the same is different.
 */

/** A form in which equal names are equal texts. */
export function comparableName(name: string): string {
  return splitUnescaped(name.trim(), ',')
    .map((part) => splitUnescaped(part, '+').map(attribute).sort().join('+'))
    .join(',');
}

function attribute(text: string): string {
  const equals = text.indexOf('=');
  const type = text.slice(0, equals).trim().toLowerCase();
  return `${type}=${comparableValue(text.slice(equals + 1))}`;
}

/** One spelling of each character: separators within values escaped, everything else as itself. */
function comparableValue(text: string): string {
  const value = unescapeValue(trimUnescaped(text)).normalize('NFKC').toLowerCase().replace(/ +/g, ' ');
  return value.replace(/[\\,+=]/g, (character) => `\\${character}`);
}

function trimUnescaped(text: string): string {
  const start = text.replace(/^ +/, '');
  const end = start.replace(/(?<! ) +$/, '');
  // The blank behind a backslash belongs to the value.
  return /(^|[^\\])(\\\\)*\\$/.test(end) && end.length < start.length ? `${end} ` : end;
}

/** `\2C` and `\,` are both a comma; runs of hexadecimal pairs are UTF-8. */
function unescapeValue(text: string): string {
  return text.replace(/((?:\\[0-9a-fA-F]{2})+)|\\(.)/g, (_whole, pairs: string | undefined, character: string) =>
    pairs === undefined ? character : Buffer.from(pairs.replaceAll('\\', ''), 'hex').toString('utf8'),
  );
}

function splitUnescaped(text: string, separator: ',' | '+'): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
