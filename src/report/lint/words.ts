/** Words of a French text, comparable: lower case, no accents, straight apostrophes, single spaces. */
export function plainWords(text: string): string {
  return ` ${text
    .toLowerCase()
    .replaceAll('œ', 'oe')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[’ʼ]/g, "'")
    .replace(/\s+/g, ' ')} `;
}
