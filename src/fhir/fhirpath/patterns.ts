/**
 * Regular expressions in FHIRPath (http://hl7.org/fhirpath/N1/#matchesregex-string-boolean) that can take for ever: V8 tries one way
 * after the other to divide a text among quantifiers, and nothing else runs meanwhile. Profiles of tenants are not trusted with them.
 */
import { FhirPathError, type Token, tokenise } from './tokens.ts';

const expressionLimit = 5_000;
const patternLimit = 500;

const patternFunctions: ReadonlySet<string> = new Set(['matches', 'matchesFull', 'replaceMatches']);

/** @returns why the expression is better not evaluated, a subordinate clause's worth of English; undefined when nothing speaks against it. */
export function patternFault(expression: string): string | undefined {
  if (expression.length > expressionLimit) return `it has more than ${expressionLimit} characters`;
  let tokens: Token[];
  try {
    tokens = tokenise(expression);
  } catch (error) {
    if (!(error instanceof FhirPathError)) throw error;
    return /atches/.test(expression) ? 'its pattern cannot be read' : undefined;
  }
  for (const [at, { kind, text }] of tokens.entries()) {
    // Quoted, a name may be written with escapes.
    if (kind === 'name' && text.includes('\\')) return 'a name in it has an escape';
    if (kind !== 'name' || !patternFunctions.has(text) || tokens[at + 1]?.text !== '(') continue;
    const [pattern, next] = [tokens[at + 2], tokens[at + 3]];
    if (pattern?.kind !== 'string' || next?.kind !== 'symbol' || (next.text !== ')' && next.text !== ','))
      return 'its pattern is not written out';
    if (pattern.text.length > patternLimit) return `its pattern has more than ${patternLimit} characters`;
    if (repeatsWhatRepeats(pattern.text)) return 'its pattern repeats what repeats, or what was found before';
  }
  return undefined;
}

/** A group that may be long or short and comes several times, or a back reference. */
export function repeatsWhatRepeats(pattern: string): boolean {
  /** Of each group around, the whole first: whether texts of several lengths fit. */
  const varies = [false];
  // References back; escapes and classes, one character each; where groups begin, with their kind, and end; quantifiers.
  const parts =
    /(\\(?:[1-9]|k<))|\\.|\[(?:\\.|[^\]\\])*\]|(\((?:\?(?:[:=!]|<[=!]|<\w+>))?)|(\))?([*+?]|\{\d+(?:,\d*)?\})?/gsy;
  while (parts.lastIndex < pattern.length) {
    const from = parts.lastIndex;
    const [whole, reference, opening, closing, quantifier = ''] = parts.exec(pattern) ?? [''];
    // Any other character.
    if (whole === '') {
      parts.lastIndex = from + 1;
      continue;
    }
    if (reference !== undefined) return true;
    if (opening !== undefined) varies.push(false);
    const [least, most] = timesOf(quantifier);
    const inner = closing !== undefined && varies.length > 1 && varies.pop()!;
    if (inner && most > 1) return true;
    if (inner || least !== most) varies[varies.length - 1] = true;
  }
  return false;
}

function timesOf(quantifier: string): [least: number, most: number] {
  if (quantifier === '') return [1, 1];
  if (quantifier === '*') return [0, Number.POSITIVE_INFINITY];
  if (quantifier === '+') return [1, Number.POSITIVE_INFINITY];
  if (quantifier === '?') return [0, 1];
  const [least, most] = quantifier.slice(1, -1).split(',');
  return [Number(least), most === undefined ? Number(least) : most === '' ? Number.POSITIVE_INFINITY : Number(most)];
}
