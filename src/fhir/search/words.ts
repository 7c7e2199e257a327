/**
 * Words in texts: `_text`, `_content` and `:text` of tokens. No index has them: the content of the rows that the other criteria
 * leave is read, here and in PostgreSQL with the same patterns. A value asks for words that begin with its own, in any order,
 * whatever their case and accents.
 */
import type { Selector } from './path-compiler.ts';
import { invalid } from './refusals.ts';
import { foldString } from './strings.ts';

/** Where to look: the narratives, every string of the resource, or the texts of codes at SQL/JSON paths. */
export type TextPlace = { kind: 'narrative' } | { kind: 'content' } | CodeTexts;

export interface CodeTexts {
  kind: 'codes';
  paths: readonly string[];
  /** Selects the codes in memory. */
  select: Selector;
}

/** Most words of one value, and the longest of them in characters. */
const wordLimit = 20;
const longestWord = 60;

/** Characters a word is made of, beside which it begins; a set that both engines know. */
const wordCharacters = '0-9A-Za-zªµºÀ-ÖØ-öø-ʯ\u0300-\u036fͰ-ҁҊ-ԯḀ-῿';
const combiningMarks = '[\u0300-\u036f]*';

export interface WordPatterns {
  /** Regular expressions of the letters of each word of a search value. @throws FhirError 400 when it has none. */
  of(code: string, value: string): string[];
}

/** Makes the patterns; the table of letters is filled when first needed (20 ms). */
export function createWordPatterns(): WordPatterns {
  let spellings: ReadonlyMap<string, string> | undefined;
  return {
    of(code, value) {
      const words = [...new Set(foldString(value).split(' '))].filter((word) => word !== '');
      if (words.length === 0) throw invalid(`${code} has no word to search for`);
      if (words.length > wordLimit || words.some((word) => word.length > longestWord)) {
        throw invalid(`${code} takes ${wordLimit} words of ${longestWord} characters at most`);
      }
      spellings ??= spellingsByFolded();
      return words.map((word) => wordPattern(word, spellings!));
    },
  };
}

/** Characters that fold to one or two letters: `e` of `eEéÉ…`, `oe` of `œŒ`. */
function spellingsByFolded(): Map<string, string> {
  const spellings = new Map<string, string>();
  const scripts = [
    [0x41, 0x24f],
    [0x370, 0x52f],
    [0x1e00, 0x1fff],
  ] as const;
  for (const [first, last] of scripts) {
    for (let code = first; code <= last; code++) {
      const character = String.fromCharCode(code);
      const folded = foldString(character);
      if (/^[\p{L}\p{N}]{1,2}$/u.test(folded)) spellings.set(folded, (spellings.get(folded) ?? '') + character);
    }
  }
  return spellings;
}

function wordPattern(word: string, spellings: ReadonlyMap<string, string>): string {
  const letters = [...word.normalize('NFC')];
  const one = (letter: string) => `[${spellings.get(letter) ?? letter}]${combiningMarks}`;
  let pattern = '';
  for (let at = 0; at < letters.length; at++) {
    const pair = letters.slice(at, at + 2).join('');
    const ligature = letters.length > at + 1 ? spellings.get(pair) : undefined;
    if (ligature) {
      pattern += `(?:${one(letters[at]!)}${one(letters[at + 1]!)}|[${ligature}])`;
      at++;
    } else pattern += one(letters[at]!);
  }
  return pattern;
}

/** The letters at the beginning of a word. */
export function wordStart(letters: string): string {
  return `(?:^|[^${wordCharacters}])${letters}`;
}

/** SQL/JSON paths whose existence says that the words occur; all must exist. */
export function jsonPaths(
  place: TextPlace,
  patterns: readonly string[],
): { all: readonly string[] } | { any: readonly string[] } {
  switch (place.kind) {
    case 'narrative':
      // Tags have no words: what is followed by the end of a tag before any beginning is inside one.
      return { all: patterns.map((pattern) => `lax $.**.div ? (${like(`${wordStart(pattern)}(?![^<>]*>)`)})`) };
    case 'content':
      return { all: patterns.map((pattern) => `lax $.** ? (${like(wordStart(pattern))})`) };
    case 'codes':
      return {
        any: place.paths.flatMap((path) =>
          ['.text', '.display', '.coding.display', '.type.text'].map(
            (text) => `lax ${path}${text} ? (${patterns.map((pattern) => like(wordStart(pattern))).join(' && ')})`,
          ),
        ),
      };
  }
}

/** The flag lets a line break count as any other character between words. */
function like(pattern: string): string {
  return `@ like_regex ${JSON.stringify(pattern)} flag "s"`;
}

/** The same question of a resource in memory. */
export function hasWords(place: TextPlace, patterns: readonly RegExp[], resource: unknown): boolean {
  if (place.kind === 'codes') {
    return place
      .select(resource)
      .flatMap(codeTexts)
      .some((text) => patterns.every((pattern) => pattern.test(text)));
  }
  const texts: string[] = [];
  collectTexts(resource, place.kind === 'narrative', undefined, texts);
  return patterns.every((pattern) => texts.some((text) => pattern.test(text)));
}

function collectTexts(node: unknown, narrative: boolean, name: string | undefined, into: string[]): void {
  if (typeof node === 'string') {
    if (!narrative) into.push(node);
    else if (name === 'div') into.push(withoutTags(node));
  } else if (Array.isArray(node)) {
    for (const item of node) collectTexts(item, narrative, name, into);
  } else if (typeof node === 'object' && node !== null) {
    for (const [property, value] of Object.entries(node)) collectTexts(value, narrative, property, into);
  }
}

/** The text without what PostgreSQL's pattern passes over: what stands before the end of a tag and after any beginning of one. */
function withoutTags(text: string): string {
  const parts = text.split('>');
  const last = parts.pop()!;
  return [...parts.map((part) => part.slice(0, Math.max(part.lastIndexOf('<'), 0))), last].join('>');
}

/** Texts of an element selected by a token parameter: CodeableConcept, Coding, Identifier. */
export function codeTexts(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { text, display, coding, type } = value as Record<string, unknown>;
  const codings = Array.isArray(coding) ? coding.map((item) => (item as { display?: unknown } | null)?.display) : [];
  const found = [text, display, ...codings, (type as { text?: unknown } | undefined)?.text];
  return found.filter((item): item is string => typeof item === 'string');
}
