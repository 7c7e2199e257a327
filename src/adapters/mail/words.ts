/** Facts of a notice in French words. Times are those of Paris. */
import type { FactKind } from '../../teleradiology/index.ts';

const instant = new Intl.DateTimeFormat('fr-FR', { dateStyle: 'short', timeStyle: 'short', timeZone: 'Europe/Paris' });
const day = new Intl.DateTimeFormat('fr-FR', { dateStyle: 'full', timeZone: 'UTC' });
const month = new Intl.DateTimeFormat('fr-FR', { month: 'long', year: 'numeric', timeZone: 'UTC' });
const number = new Intl.NumberFormat('fr-FR');

/** @param nameOf the name of a professional or a structure by its literal reference. */
export async function factInWords(
  kind: FactKind,
  value: string | number,
  nameOf: (reference: string) => Promise<string>,
): Promise<string> {
  switch (kind) {
    case 'instant':
      return `${instant.format(new Date(value)).replace(' ', ' à ')} (heure de Paris)`;
    case 'day':
      return day.format(new Date(`${value}T00:00:00Z`));
    case 'month':
      return month.format(new Date(`${value}-01T00:00:00Z`));
    case 'number':
      return number.format(Number(value));
    case 'party':
      return nameOf(String(value));
  }
}
