/** A month as messages name it. */

const names = new Intl.DateTimeFormat('fr-FR', { timeZone: 'UTC', month: 'long', year: 'numeric' });

/** `de janvier 2027`, `d’avril 2027`. @param month `YYYY-MM`. */
export function ofMonth(month: string): string {
  const name = names.format(new Date(`${month}-01T00:00:00Z`));
  return /^[ao]/.test(name) ? `d’${name}` : `de ${name}`;
}
