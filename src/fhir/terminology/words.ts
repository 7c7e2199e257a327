/** Words by which people look for concepts: without case, accents, ligatures and elisions. */

/** Longest word kept; chemistry has longer ones, nobody types them whole. In UTF-16 units. */
const wordLimit = 40;
/** Most words of one question. */
const questionLimit = 12;

/** `Échographie de l'œil` → `echographie`, `de`, `l`, `oeil`. */
export function wordsOf(text: string): string[] {
  return text
    .toWellFormed()
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/œ/g, 'oe')
    .replace(/æ/g, 'ae')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.slice(0, wordLimit).toWellFormed());
}

/** The words of a `filter`, each once. */
export function questionWords(text: string): string[] {
  return [...new Set(wordsOf(text))].slice(0, questionLimit);
}

/** Every word that finds a concept. */
export function conceptWords(concept: {
  code: string;
  display?: string;
  designations: readonly { value: string }[];
}): Set<string> {
  // A code is typed with its punctuation or without.
  const bareCode = concept.code.replace(/[^\p{L}\p{N}]+/gu, '');
  const texts = [concept.code, bareCode, concept.display ?? '', ...concept.designations.map(({ value }) => value)];
  return new Set(texts.flatMap(wordsOf));
}

/** True when each word of the question begins a word of the concept. */
export function hasWords(words: ReadonlySet<string>, question: readonly string[]): boolean {
  return question.every((wanted) => {
    if (words.has(wanted)) return true;
    for (const word of words) if (word.startsWith(wanted)) return true;
    return false;
  });
}
