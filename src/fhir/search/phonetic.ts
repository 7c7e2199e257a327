/**
 * How a name sounds in French, for the parameter `phonetic`: two spellings with the same sound give the same key. Spelling rules are
 * applied in order to each word: silent letters leave, groups of letters become the one sound they stand for. Capitals in the key
 * stand for sounds without a letter of their own: `S` of ch, `A` `E` `O` of an, in, on, `W` of oi; an `é` is one that is heard.
 */
import { foldString } from './strings.ts';

/** Longest key of a word; what follows seldom tells two names apart. */
const keyLength = 12;

const rules: readonly (readonly [RegExp, string])[] = [
  // Groups of consonants; g and c as the next vowel makes them.
  [/ph/g, 'f'],
  [/sch|sh|ch(?=[aeiouy])|ch$/g, 'S'],
  [/th/g, 't'],
  [/gn/g, 'ni'],
  [/qu|ck|q|kh|ch/g, 'k'],
  [/gu(?=[eiy])/g, 'G'],
  [/ge(?=[aou])/g, 'j'],
  [/g(?=[eiy])/g, 'j'],
  [/sc(?=[eiy])|c(?=[eiy])/g, 's'],
  [/(?<=n)c$/g, ''],
  [/c/g, 'k'],
  [/x(?=.)/g, 'ks'],
  [/w/g, 'v'],
  // Written in old names, not heard: Lefebvre, Lefèvre.
  [/bv/g, 'v'],
  [/h/g, ''],
  [/y/g, 'i'],
  // Final letters that are not heard: Dupont, Dupond; Renault, Renaud; Dumas.
  [/(?<=[aeiou].*)(?:e?s|[tdx])+$/g, ''],
  [/(?<=m)p$/g, ''],
  [/(?<=[aeou].*l)[tds]+$/g, ''],
  [/(?<=..)e[rz]$/g, 'é'],
  // Groups of vowels.
  [/eaul?t?$|aul?t?$/g, 'o'],
  [/eau|au/g, 'o'],
  [/oeu|eu/g, 'e'],
  [/ou/g, 'u'],
  [/oi/g, 'W'],
  [/(?:ai|ei|ie|i|u|y)[nm](?![aeiounm])/g, 'E'],
  [/(?:ea|a|e)[nm](?![aeiounm])/g, 'A'],
  [/o[nm](?![aeiounm])/g, 'O'],
  [/ai|ei|ay/g, 'e'],
  [/ill(?=[aeiou])/g, 'i'],
  // Final e and double letters.
  [/(?<=..)e$/g, ''],
  [/(.)\1+/g, '$1'],
  [/z/g, 's'],
  [/é/g, 'e'],
  [/G/g, 'g'],
];

/** Keys of the words of a name; none for what has no letter a to z. */
export function phoneticKeys(name: string): string[] {
  const softened = name.replace(/ç/gi, 'ss');
  const words = foldString(softened)
    .split(' ')
    .map((word) => word.replace(/[^a-z]/g, ''));
  return [...new Set(words.map(phoneticKey).filter((key) => key !== ''))];
}

/** The rules for endings take time in the square of a word's length. */
const longestWord = 64;

function phoneticKey(word: string): string {
  return rules
    .reduce((text, [pattern, sound]) => text.replace(pattern, sound), word.slice(0, longestWord))
    .slice(0, keyLength);
}
