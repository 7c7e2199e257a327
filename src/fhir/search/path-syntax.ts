/** The part of FHIRPath (http://hl7.org/fhirpath/N1) that search parameters use, as a tree. */

export type PathNode =
  | { kind: 'this' }
  | { kind: 'literal'; value: string | number | boolean }
  | { kind: 'member'; input: PathNode; name: string }
  | { kind: 'item'; input: PathNode; index: number }
  | { kind: 'call'; input: PathNode; name: string; args: PathNode[] }
  | { kind: 'type'; operator: 'is' | 'as'; input: PathNode; type: string }
  | { kind: 'binary'; operator: BinaryOperator; left: PathNode; right: PathNode };

type BinaryOperator = '|' | '=' | '!=' | 'and' | 'or';

/** The expression uses more of FHIRPath than is compiled here. */
export class PathSyntaxError extends Error {
  override name = 'PathSyntaxError';
}

const tokenPattern = /\s*(?:('(?:[^'\\]|\\.)*')|([A-Za-z_][A-Za-z0-9_]*)|(\d+(?:\.\d+)?)|(!=|[|=().,[\]$]))/y;

interface Token {
  kind: 'string' | 'name' | 'number' | 'symbol';
  text: string;
}

function tokenise(expression: string): Token[] {
  const pattern = new RegExp(tokenPattern);
  const tokens: Token[] = [];
  const text = expression.trimEnd();
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) throw new PathSyntaxError(`unexpected character at ${at} of ${expression}`);
    const [, string, name, number, symbol] = match;
    if (string !== undefined) tokens.push({ kind: 'string', text: unquote(string) });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else tokens.push({ kind: 'symbol', text: symbol! });
  }
  return tokens;
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, '$1');
}

/** The operands of the top-level union of an expression, each as text. */
export function splitUnion(expression: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let at = 0; at < expression.length; at++) {
    const character = expression[at];
    if (character === "'") quoted = !quoted;
    else if (quoted) continue;
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === '|' && depth === 0) {
      parts.push(expression.slice(start, at).trim());
      start = at + 1;
    }
  }
  parts.push(expression.slice(start).trim());
  return parts;
}

/** @throws PathSyntaxError when the expression is outside the subset. */
export function parsePath(expression: string): PathNode {
  const tokens = tokenise(expression);
  let at = 0;

  const peek = (text: string) => tokens[at]?.text === text && tokens[at]?.kind !== 'string';
  const accept = (text: string) => {
    const found = peek(text);
    if (found) at++;
    return found;
  };
  const expect = (text: string) => {
    if (!accept(text)) throw new PathSyntaxError(`expected ${text} in ${expression}`);
  };
  const name = (): string => {
    const token = tokens[at++];
    if (token?.kind !== 'name') throw new PathSyntaxError(`expected a name in ${expression}`);
    return token.text;
  };

  // Loosest first: or, and, = and !=, |, is and as, then paths.
  const binary = (operators: readonly BinaryOperator[], operand: () => PathNode) => (): PathNode => {
    let left = operand();
    for (;;) {
      const operator = operators.find((candidate) => accept(candidate));
      if (!operator) return left;
      left = { kind: 'binary', operator, left, right: operand() };
    }
  };
  const typed = (): PathNode => {
    let input = path();
    for (;;) {
      const operator = accept('as') ? 'as' : accept('is') ? 'is' : undefined;
      if (!operator) return input;
      input = { kind: 'type', operator, input, type: name() };
    }
  };
  const union = binary(['|'], typed);
  const equality = binary(['!=', '='], union);
  const conjunction = binary(['and'], equality);
  const whole = binary(['or'], conjunction);

  const path = (): PathNode => {
    let node = primary();
    for (;;) {
      if (accept('.')) node = invocation(node);
      else if (accept('[')) node = item(node);
      else return node;
    }
  };
  const item = (input: PathNode): PathNode => {
    const token = tokens[at++];
    if (token?.kind !== 'number') throw new PathSyntaxError(`expected an index in ${expression}`);
    expect(']');
    return { kind: 'item', input, index: Number(token.text) };
  };
  const primary = (): PathNode => {
    const token = tokens[at];
    if (!token) throw new PathSyntaxError(`unexpected end of ${expression}`);
    if (accept('(')) {
      const inner = whole();
      expect(')');
      return inner;
    }
    if (token.kind === 'string' || token.kind === 'number') {
      at++;
      return { kind: 'literal', value: token.kind === 'string' ? token.text : Number(token.text) };
    }
    if (accept('$')) {
      expect('this');
      return { kind: 'this' };
    }
    if (accept('true')) return { kind: 'literal', value: true };
    if (accept('false')) return { kind: 'literal', value: false };
    return invocation({ kind: 'this' });
  };
  const invocation = (input: PathNode): PathNode => {
    const word = name();
    if (!accept('(')) return { kind: 'member', input, name: word };
    const args: PathNode[] = [];
    if (!accept(')')) {
      do args.push(whole());
      while (accept(','));
      expect(')');
    }
    if ((word === 'as' || word === 'is' || word === 'ofType') && args[0]?.kind === 'member') {
      return { kind: 'type', operator: word === 'is' ? 'is' : 'as', input, type: args[0].name };
    }
    return { kind: 'call', input, name: word, args };
  };

  const node = whole();
  if (at < tokens.length) throw new PathSyntaxError(`unexpected ${tokens[at]!.text} in ${expression}`);
  return node;
}
