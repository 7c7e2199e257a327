/** Strings as search compares them: without case, accents and surplus blanks (https://hl7.org/fhir/R4/search.html#string). */

/** Longest string kept for ordered search; what follows counts for `:exact` only. In UTF-16 units. */
const foldedLimit = 200;

/** Letters that no decomposition brings to plain ones. */
const letters: Readonly<Record<string, string>> = {
  œ: 'oe',
  æ: 'ae',
  ß: 'ss',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  ı: 'i',
  þ: 'th',
  ς: 'σ',
};
/**
 * What separates words. An apostrophe that is a letter to Unicode (Breton cʼh is written with one) and the accent typed in its place
 * are no more than any other: a name is found however its writer's keyboard had it.
 */
const separators = /[\s\p{P}\p{C}`\u02B9-\u02BF\u02C8]+/gu;
const letterPattern = new RegExp(`[${Object.keys(letters).join('')}]`, 'g');

/**
 * Folds a string for comparison: `Éléonore  TEST` and `eleonore test` are the same. Apostrophes of any form, hyphens and other
 * punctuation count as blanks, marks and invisible characters (soft hyphens, joiners) as nothing: `Jean-Marc` is `jean marc`, `d’Arc` and `d'Arc` are `d arc`, and `OBrien` is not `O'Brien`.
 */
export function foldString(text: string): string {
  // Most codes and names without accents: ten times faster.
  if (text.length <= foldedLimit && /^[A-Za-z0-9]+(?: [A-Za-z0-9]+)*$/.test(text)) return text.toLowerCase();
  return text
    .toWellFormed()
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .replace(letterPattern, (letter) => letters[letter]!)
    .replace(separators, ' ')
    .trim()
    .slice(0, foldedLimit)
    .replace(/[\uD800-\uDBFF]$|\s$/, '');
}

const nameParts = ['family', 'given', 'prefix', 'suffix', 'text'] as const;
const addressParts = ['line', 'city', 'district', 'state', 'country', 'postalCode', 'text'] as const;

/** The strings a value is searched by: itself, or the parts of a HumanName or an Address. */
export function searchedStrings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  const element = value as Record<string, unknown>;
  const strings: string[] = [];
  for (const part of [...nameParts, ...addressParts]) {
    const content = element[part];
    if (part === 'text' && strings.includes(content as string)) continue;
    if (typeof content === 'string') strings.push(content);
    else if (Array.isArray(content)) strings.push(...content.filter((item) => typeof item === 'string'));
  }
  return strings;
}
