/**
 * The syntax of `_filter` (https://hl7.org/fhir/R4/search_filter.html) as a tree. `and` and `or` are read from left to right, neither
 * binds closer; `not` needs parentheses.
 */
import { invalid } from './refusals.ts';

const operators = [
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'lt',
  'ge',
  'le',
  'ap',
  'sa',
  'eb',
  'pr',
  'po',
  'ss',
  'sb',
  'in',
  'ni',
  're',
] as const;

export type FilterOperator = (typeof operators)[number];

export type Filter = { kind: 'and' | 'or'; left: Filter; right: Filter } | { kind: 'not'; of: Filter } | FilterTest;

/** `subject[active eq true].name co "pet"` */
export interface FilterTest {
  kind: 'test';
  path: readonly FilterStep[];
  operator: FilterOperator;
  /** What stood there, a JSON string without its quotes. */
  value: string;
}

export interface FilterStep {
  /** A search parameter, or `_has:Type:reference:parameter`. */
  name: string;
  /** What must hold of the resources this step leads to. */
  filter?: Filter;
}

/** Deepest nesting, and most tests of one filter. */
const depthLimit = 20;
const testLimit = 100;

const namePattern = /[A-Za-z_][A-Za-z0-9_-]*(?::[A-Za-z_][A-Za-z0-9_-]*)*/y;
const wordPattern = /[a-z]+(?=\s|\()/y;
const stringPattern = /"(?:[^"\\]|\\.)*"/y;
const tokenPattern = /[^\s)\]]+/y;
const blankPattern = /\s*/y;

/** @throws FhirError 400 saying where the filter cannot be read. */
export function parseFilter(text: string): Filter {
  let at = 0;
  let tests = 0;

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const blanks = () => take(new RegExp(blankPattern));
  const accept = (character: string): boolean => {
    const found = text[at] === character;
    if (found) at++;
    return found;
  };
  const fail = (expected: string) => invalid(`_filter: ${expected} expected at character ${at + 1}`);
  const expect = (character: string) => {
    blanks();
    if (!accept(character)) throw fail(`"${character}"`);
  };

  /** One filter and what `and` and `or` join to it, up to the end or a closing bracket. */
  function whole(depth: number): Filter {
    if (depth > depthLimit) throw invalid(`_filter is nested deeper than ${depthLimit} levels`);
    let left = single(depth);
    for (;;) {
      blanks();
      const before = at;
      const word = take(new RegExp(wordPattern));
      if (word !== 'and' && word !== 'or') {
        at = before;
        return left;
      }
      left = { kind: word, left, right: single(depth) };
    }
  }

  function single(depth: number): Filter {
    blanks();
    if (accept('(')) return parenthesised(depth);
    const before = at;
    if (take(new RegExp(wordPattern)) === 'not') {
      blanks();
      if (accept('(')) return { kind: 'not', of: parenthesised(depth) };
    }
    at = before;
    return test(depth);
  }

  function parenthesised(depth: number): Filter {
    const inner = whole(depth + 1);
    expect(')');
    return inner;
  }

  function test(depth: number): FilterTest {
    if (++tests > testLimit) throw invalid(`_filter has more than ${testLimit} tests`);
    const path = [step(depth)];
    while (accept('.')) path.push(step(depth));
    if (path.at(-1)!.filter) throw fail('"." after "]"');
    blanks();
    const operator = operatorOf(take(new RegExp(wordPattern)));
    if (!operator) throw fail(`one of ${operators.join(' ')}`);
    blanks();
    return { kind: 'test', path, operator, value: value() };
  }

  function step(depth: number): FilterStep {
    const name = take(new RegExp(namePattern));
    if (name === undefined) throw fail('the name of a search parameter');
    if (!accept('[')) return { name };
    const filter = whole(depth + 1);
    expect(']');
    return { name, filter };
  }

  function value(): string {
    if (text[at] !== '"') {
      const token = take(new RegExp(tokenPattern));
      if (token === undefined) throw fail('a value');
      return token;
    }
    const quoted = take(new RegExp(stringPattern));
    try {
      const said = quoted === undefined ? undefined : (JSON.parse(quoted) as string);
      // As in the query itself: no text that is stored has one, and PostgreSQL takes none.
      if (said !== undefined && !said.includes('\u0000')) return said;
    } catch {
      // Falls through to the refusal.
    }
    throw fail('a JSON string');
  }

  const filter = whole(0);
  if (at < text.length) throw fail('"and", "or" or the end');
  return filter;
}

function operatorOf(word: string | undefined): FilterOperator | undefined {
  return operators.find((operator) => operator === word);
}
