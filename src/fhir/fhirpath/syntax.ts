/** FHIRPath as a tree (http://hl7.org/fhirpath/N1/grammar.html). */
import { calendarUnit } from './durations.ts';
import { parseTime } from './times.ts';
import { FhirPathError, type Token, tokenise } from './tokens.ts';

export type Expression =
  | { kind: 'this' }
  | { kind: 'index' }
  | { kind: 'empty' }
  | {
      kind: 'literal';
      value: string | number | boolean;
      type: 'string' | 'integer' | 'decimal' | 'boolean' | 'date' | 'dateTime' | 'time';
    }
  | { kind: 'total' }
  | { kind: 'quantity'; value: number; unit: string; isCalendar: boolean }
  | { kind: 'variable'; name: string }
  | { kind: 'member'; input: Expression; name: string }
  | { kind: 'item'; input: Expression; index: Expression }
  | { kind: 'call'; input: Expression; name: string; args: Expression[] }
  | { kind: 'type'; operator: 'is' | 'as'; input: Expression; type: string }
  | { kind: 'negative'; input: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression };

/** Loosest first (http://hl7.org/fhirpath/N1/#operator-precedence); `is` and `as` stand between `|` and the comparisons. */
const levels: readonly (readonly string[])[] = [
  ['implies'],
  ['or', 'xor'],
  ['and'],
  ['in', 'contains'],
  ['=', '!=', '~', '!~'],
  ['<=', '>=', '<', '>'],
  ['|'],
  ['is', 'as'],
  ['+', '-', '&'],
  ['*', '/', 'div', 'mod'],
];

const maxNesting = 100;
const self: Expression = { kind: 'this' };

/** @throws FhirPathError when the text is no FHIRPath. */
export function parseFhirPath(text: string): Expression {
  const tokens = tokenise(text);
  let at = 0;
  let depth = 0;

  const fail = (wanted: string): never => {
    throw new FhirPathError(`expected ${wanted} in ${text}`);
  };
  const peek = (word: string) => {
    const token = tokens[at];
    return token !== undefined && token.text === word && (token.kind === 'symbol' || token.kind === 'name');
  };
  const accept = (word: string) => {
    const found = peek(word);
    if (found) at++;
    return found;
  };
  const expect = (word: string) => {
    if (!accept(word)) fail(word);
  };
  const next = (): Token => tokens[at++] ?? fail('more');
  const name = (): string => {
    const token = next();
    return token.kind === 'name' ? token.text : fail('a name');
  };
  const typeName = (): string => {
    let type = name();
    while (accept('.')) type += `.${name()}`;
    return type;
  };

  const level = (index: number): Expression => {
    const operators = levels[index];
    if (!operators) return unary();
    let left = level(index + 1);
    for (;;) {
      const operator = operators.find((word) => accept(word));
      if (!operator) return left;
      if (operator === 'is' || operator === 'as') left = { kind: 'type', operator, input: left, type: typeName() };
      else left = { kind: 'binary', operator, left, right: level(index + 1) };
    }
  };
  const expression = (): Expression => {
    if (++depth > maxNesting) throw new FhirPathError(`nested deeper than ${maxNesting}`);
    const tree = level(0);
    depth--;
    return tree;
  };
  const unary = (): Expression => {
    if (accept('-')) return { kind: 'negative', input: unary() };
    if (accept('+')) return unary();
    let node = primary();
    for (;;) {
      if (accept('.')) node = invocation(node, next());
      else if (accept('[')) {
        node = { kind: 'item', input: node, index: expression() };
        expect(']');
      } else return node;
    }
  };
  const primary = (): Expression => {
    const token = next();
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: token.text, type: 'string' };
      case 'date':
        return timeLiteral(token.text);
      case 'variable':
        return { kind: 'variable', name: token.text };
      case 'number':
        return number(token.text);
      case 'symbol':
        if (token.text === '(') {
          const inner = expression();
          expect(')');
          return inner;
        }
        if (token.text === '{') {
          expect('}');
          return { kind: 'empty' };
        }
    }
    if (token.text === 'true' || token.text === 'false')
      return { kind: 'literal', value: token.text === 'true', type: 'boolean' };
    return invocation(self, token);
  };
  const number = (digits: string): Expression => {
    const value = Number(digits);
    const unit = tokens[at];
    if (unit?.kind === 'string') {
      at++;
      return { kind: 'quantity', value, unit: unit.text, isCalendar: false };
    }
    const calendar = unit?.kind === 'name' ? calendarUnit(unit.text) : undefined;
    if (calendar !== undefined) {
      at++;
      return { kind: 'quantity', value, unit: calendar, isCalendar: true };
    }
    return { kind: 'literal', value, type: digits.includes('.') ? 'decimal' : 'integer' };
  };
  const invocation = (input: Expression, token: Token): Expression => {
    if (token.kind === 'symbol') {
      if (token.text === '$this') return self;
      if (token.text === '$index') return { kind: 'index' };
      if (token.text === '$total') return { kind: 'total' };
    }
    if (token.kind !== 'name') return fail('a name');
    const word = token.text;
    if (!accept('(')) return { kind: 'member', input, name: word };
    if (word === 'is' || word === 'as' || word === 'ofType') {
      const type = typeName();
      expect(')');
      if (word === 'ofType')
        return { kind: 'call', input, name: 'ofType', args: [{ kind: 'member', input: self, name: type }] };
      return { kind: 'type', operator: word, input, type };
    }
    const args: Expression[] = [];
    if (!accept(')')) {
      do args.push(expression());
      while (accept(','));
      expect(')');
    }
    return { kind: 'call', input, name: word, args };
  };

  const whole = expression();
  if (at < tokens.length) throw new FhirPathError(`unexpected ${tokens[at]!.text} in ${text}`);
  return whole;
}

/** `2015` is a date and `2015T` a dateTime, `T14:30` a time; as values they are written as in resources. */
function timeLiteral(text: string): Expression {
  const value = text.replace(/^T|T$/g, '');
  if (!parseTime(value)) throw new FhirPathError(`@${text} is no date or time`);
  const type = text.startsWith('T') ? 'time' : text.includes('T') ? 'dateTime' : 'date';
  return { kind: 'literal', value, type };
}
