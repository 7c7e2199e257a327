/** Control key of the INS matricule: 97 − (first 13 characters as a number mod 97), Corsica's letters replaced by 19 and 18. */

/** True when the last two of the 15 characters are the key of the first 13; lower-case `2a`/`2b` accepted. */
export function isInsKeyValid(matricule: string): boolean {
  const value = matricule.toUpperCase();
  const match = /^(\d{5})(\d\d|2A|2B)(\d{6})(\d\d)$/.exec(value);
  if (!match) return false;
  const department = match[2] === '2A' ? '19' : match[2] === '2B' ? '18' : match[2]!;
  const number = Number(`${match[1]}${department}${match[3]}`);
  return 97 - (number % 97) === Number(match[4]);
}
