/** Lower case without accents, so that « hémorragie » and « HEMORRAGIE » match. */
export function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLocaleLowerCase('fr');
}
