/** Names as they are compared (RNIV: A–Z, space, apostrophe, hyphen), and the differences that are only a way of writing. */

/** Form in which names are compared: no diacritics, ligatures spelled out, upper case, plain apostrophes, single spaces. */
function comparable(name: string): string {
  return name
    .replaceAll(/[Œœ]/g, 'OE')
    .replaceAll(/[Ææ]/g, 'AE')
    .replaceAll(/[ßẞ]/g, 'SS')
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[’‘ʼ`´]/g, "'")
    .toUpperCase()
    .replaceAll(/[\s\u00a0]+/g, ' ')
    .trim();
}

/** Words of a name: hyphens, apostrophes, dots and spaces separate them alike. */
export function wordsOf(name: string): string[] {
  return comparable(name)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** Letters alone: JEAN-PIERRE, JEAN PIERRE and JEANPIERRE are one name. */
export function lettersOf(name: string): string {
  return wordsOf(name).join('');
}

/** Characters from which on a name that another one begins with counts as cut: modalities cut at 20, 24, 32 or 64, MARTIN is not MARTINEZ. */
const shortestCut = 20;

/** Whether what a machine wrote is the beginning of the whole, cut for want of room. */
export function isCut(written: string, whole: string): boolean {
  const letters = lettersOf(written);
  return written.trim().length >= shortestCut && letters.length > 0 && lettersOf(whole).startsWith(letters);
}

/** Whether one name differs from the other by one letter: added, left out, replaced, or two neighbours changed over. */
export function isNear(one: string, other: string): boolean {
  const [a, b] = [lettersOf(one), lettersOf(other)];
  if (a === b) return true;
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  const room = Math.min(a.length, b.length) - start;
  while (end < room && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0];
}
