/** Functions of one item: strings, numbers. An empty input gives nothing, and so does more than one item. */
import { type FunctionCall, type FunctionCompiler, fromItems } from './compiled.ts';
import { FhirPathError } from './tokens.ts';
import { longestText, plain } from './values.ts';

/** A function of one string and further plain arguments; undefined is nothing. */
function ofString(work: (text: string, ...args: unknown[]) => unknown, type: string): FunctionCompiler {
  return (call) => {
    const args = call.args.map((_, index) => call.argument(index));
    return fromItems(
      (focus, scope) => {
        const items = call.input.items(focus, scope);
        const text = items.length === 1 ? plain(items[0]) : undefined;
        if (typeof text !== 'string') return [];
        const values = args.map((argument) => plain(argument.items(focus, scope)[0]));
        if (values.includes(undefined)) return [];
        const result = work(text, ...values);
        return result === undefined ? [] : Array.isArray(result) ? result : [result];
      },
      [type],
    );
  };
}

function ofNumber(work: (value: number, argument: number | undefined) => number): FunctionCompiler {
  return (call) => {
    const argument = call.args.length > 0 ? call.argument(0) : undefined;
    return fromItems(
      (focus, scope) => {
        const items = call.input.items(focus, scope);
        const value = items.length === 1 ? plain(items[0]) : undefined;
        if (typeof value !== 'number') return [];
        const other = argument && plain(argument.items(focus, scope)[0]);
        const result = work(value, typeof other === 'number' ? other : undefined);
        return Number.isFinite(result) ? [result] : [];
      },
      ['decimal'],
    );
  };
}

/**
 * Patterns are part of definitions, not of what is validated. Undefined for what is no regular expression.
 * @throws FhirPathError for a pattern that is not written out.
 */
function expressionOf({ name, args }: FunctionCall, wrap: (pattern: string) => string, flags: string) {
  const [pattern] = args;
  if (pattern?.kind !== 'literal' || typeof pattern.value !== 'string')
    throw new FhirPathError(`${name}() is compiled with a pattern that is written out only`);
  try {
    return new RegExp(wrap(pattern.value), flags);
  } catch {
    return undefined;
  }
}

function replaced(text: string, part: string, other: string): string | undefined {
  const times = text.split(part).length + 1;
  if (text.length + times * other.length > longestText) return undefined;
  return text.replaceAll(part, () => other);
}

/** @param other may say `$1` for what a group found, as long as the text at most. */
function rewritten(text: string, expression: RegExp, other: string): string | undefined {
  let found = 0;
  let longest = 0;
  for (const [match] of text.matchAll(expression)) {
    found++;
    longest = Math.max(longest, match.length);
  }
  const each = other.length * (other.includes('$') ? Math.max(longest, 1) : 1);
  if (text.length + found * each > longestText) return undefined;
  return text.replace(expression, other);
}

const asItIs = (pattern: string) => pattern;

const matches = (wrap: (pattern: string) => string): FunctionCompiler => {
  return (call) => {
    const expression = expressionOf(call, wrap, 's');
    return ofString((text) => expression?.test(text), 'boolean')(call);
  };
};

export const singleFunctions: Readonly<Record<string, FunctionCompiler>> = {
  startsWith: ofString((text, start) => text.startsWith(String(start)), 'boolean'),
  endsWith: ofString((text, end) => text.endsWith(String(end)), 'boolean'),
  contains: ofString((text, part) => text.includes(String(part)), 'boolean'),
  indexOf: ofString((text, part) => text.indexOf(String(part)), 'integer'),
  substring: ofString((text, start, length) => {
    const from = Number(start);
    if (from < 0 || from >= text.length) return undefined;
    return text.slice(from, length === undefined ? undefined : from + Number(length));
  }, 'string'),
  upper: ofString((text) => text.toUpperCase(), 'string'),
  lower: ofString((text) => text.toLowerCase(), 'string'),
  trim: ofString((text) => text.trim(), 'string'),
  length: ofString((text) => text.length, 'integer'),
  toChars: ofString((text) => [...text], 'string'),
  split: ofString((text, separator) => text.split(String(separator)), 'string'),
  replace: ofString((text, part, other) => replaced(text, String(part), String(other)), 'string'),
  matches: matches(asItIs),
  matchesFull: matches((pattern) => `^(?:${pattern})$`),
  replaceMatches: (call) => {
    const expression = expressionOf(call, asItIs, 'gs');
    return ofString((text, _, other) => expression && rewritten(text, expression, String(other)), 'string')(call);
  },
  abs: ofNumber(Math.abs),
  ceiling: ofNumber(Math.ceil),
  floor: ofNumber(Math.floor),
  truncate: ofNumber(Math.trunc),
  sqrt: ofNumber(Math.sqrt),
  exp: ofNumber(Math.exp),
  ln: ofNumber(Math.log),
  power: ofNumber((value, exponent) => value ** (exponent ?? Number.NaN)),
  round: ofNumber((value, digits = 0) => Math.round(value * 10 ** digits) / 10 ** digits),
};
