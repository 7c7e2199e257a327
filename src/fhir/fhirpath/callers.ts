/**
 * FHIRPath (http://hl7.org/fhirpath/N1) that a caller writes and `@medplum/core` evaluates, which it does without a limit while
 * everybody waits. So only that is taken whose cost is at most the length of the expression times the size of what it looks at: each
 * step goes down from where it stands, nothing is made larger than it was, no list is compared with itself, and no regular expression.
 */
import type { Atom } from '@medplum/core';

type Library = typeof import('@medplum/core');

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Their argument is asked of each item, and sees only that. */
const criteriaFunctions = wordsOf('where exists all select');

/**
 * The argument of any other function must be written out: the library evaluates it from the top again. Not among them: what takes a
 * regular expression, resolves references, walks whole trees, joins lists or looks for doubles, and `replace`, which makes more.
 */
const otherFunctions = wordsOf(
  'empty not first last single tail skip take count ofType as is extension hasValue allTrue anyTrue allFalse anyFalse startsWith endsWith contains indexOf substring lower upper trim length toString toInteger toDecimal toBoolean',
);
const typeFunctions = wordsOf('ofType as is');

/** Not among them: `|`, which looks for doubles, and `&` and `+`, by which a text grows. */
const infixOperators = wordsOf('. = != ~ !~ < > <= >= and or xor implies in contains is as - * / div mod');

/** @returns what of the expression is not taken, for the refusal of it; undefined when all is. */
export function notTaken(atom: Atom, library: Library): string | undefined {
  const { SymbolAtom, FunctionAtom, InfixOperatorAtom, LiteralAtom } = library;
  const visit = (part: unknown): string | undefined => {
    if (typeof part !== 'object' || part === null || part instanceof LiteralAtom) return undefined;
    // `%resource` and its kin lead back to the top, from each item of a list again.
    if (part instanceof SymbolAtom && part.name.startsWith('%')) return 'a variable';
    if (part instanceof InfixOperatorAtom && !infixOperators.has(part.operator)) return 'an operator';
    if (part instanceof FunctionAtom && !criteriaFunctions.has(part.name)) {
      if (!otherFunctions.has(part.name)) return 'a function';
      if (typeFunctions.has(part.name)) return undefined;
      if (!part.args.every((argument) => argument instanceof LiteralAtom)) return 'an argument that is not written out';
    }
    for (const inner of Object.values(part)) {
      const found = visit(inner);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return visit(atom);
}
