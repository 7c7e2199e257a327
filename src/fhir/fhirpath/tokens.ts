/** Words of FHIRPath (http://hl7.org/fhirpath/N1/#lexical-elements). */

export interface Token {
  kind: 'string' | 'name' | 'number' | 'date' | 'symbol' | 'variable';
  /** Strings unquoted, dates and variables without `@` and `%`. */
  text: string;
}

/** The text is no FHIRPath, or uses more of it than is compiled here. */
export class FhirPathError extends Error {
  override name = 'FhirPathError';
}

const tokenPattern = new RegExp(
  [
    '(?:',
    [
      String.raw`('(?:[^'\\]|\\.)*')`,
      '(`[^`]*`|"[^"]*")',
      '([A-Za-z_][A-Za-z0-9_]*)',
      String.raw`(\d+(?:\.\d+)?)`,
      String.raw`@(T?[\d:.TZ+-]*[\dTZ])`,
      String.raw`%(?:([\w-]*\w)|${'`'}([^${'`'}]*)${'`'}|'([^']*)')`,
      String.raw`(!=|!~|<=|>=|\$[a-z]+|[|=~<>&+*/().,[\]{}-])`,
    ].join('|'),
    ')',
  ].join(''),
  'y',
);

/** By itself: as part of a word it would be tried again, shorter, where nothing follows it. */
const betweenPattern = /(?:\s+|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/y;

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gs, (_, code: string | undefined, character: string) =>
      code ? String.fromCharCode(Number.parseInt(code, 16)) : (escapes[character] ?? character),
    );
}

/** @throws FhirPathError at a character that begins no word. */
export function tokenise(expression: string): Token[] {
  const pattern = new RegExp(tokenPattern);
  const between = new RegExp(betweenPattern);
  const text = expression.trimEnd();
  const tokens: Token[] = [];
  for (;;) {
    between.lastIndex = pattern.lastIndex;
    between.exec(text);
    const at = between.lastIndex;
    if (at >= text.length) break;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) throw new FhirPathError(`unexpected character at ${at} of ${expression}`);
    const [, string, quoted, name, number, date, variable, ...more] = match;
    if (string !== undefined) tokens.push({ kind: 'string', text: unquote(string) });
    else if (quoted !== undefined) tokens.push({ kind: 'name', text: quoted.slice(1, -1) });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (date !== undefined) tokens.push({ kind: 'date', text: date });
    else if (variable !== undefined) tokens.push({ kind: 'variable', text: variable });
    else if (more[0] !== undefined || more[1] !== undefined)
      tokens.push({ kind: 'variable', text: (more[0] ?? more[1])! });
    else tokens.push({ kind: 'symbol', text: more[2]! });
  }
  return tokens;
}
