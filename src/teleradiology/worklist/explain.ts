/** Why a row stands where it stands, as FHIR and as French sentences (docs/worklist.md): `Bundle.entry.search` carries it. */
import type { BundleEntrySearch, Extension } from '@medplum/fhirtypes';
import { passerelle } from '../codes.ts';
import type { RankedRow } from './page.ts';
import type { Term } from './personal.ts';

const placeUrl = `${passerelle}/StructureDefinition/worklist-place`;

/** Terms of a row: those that hold for everybody, then those of the reader. */
function termsOf({ row, terms }: Pick<RankedRow, 'row' | 'terms'>): Term[] {
  const common: Term[] = [];
  if (row.ageMinutes > 0)
    common.push({ code: 'age', minutes: row.ageMinutes, text: 'Ancienneté de la demande à son échéance' });
  if (row.aiMinutes > 0) {
    const text = `Priorité donnée par une intelligence artificielle (${row.aiScore} sur 100)`;
    common.push({ code: 'ai-priority', minutes: row.aiMinutes, text });
  }
  return [...common, ...terms];
}

export function searchOf(ranked: RankedRow): BundleEntrySearch {
  const { row, pool, at } = ranked;
  const terms = termsOf(ranked);
  const extension: Extension[] = [
    { url: 'class', valueCode: row.urgencyClass === 0 ? 'urgent' : 'routine' },
    { url: 'stage', valueCode: pool.stage },
    { url: 'due', valueInstant: row.dueAt.toISOString() },
    { url: 'running', valueBoolean: row.dueRuns },
    { url: 'place', valueInstant: new Date(at).toISOString() },
    ...(row.holder === '' ? [] : [{ url: 'holder', valueReference: { reference: row.holder } }]),
    ...terms.map(termExtension),
    { url: 'why', valueString: whyOf(ranked, terms) },
  ];
  return { mode: 'match', extension: [{ url: placeUrl, extension }] };
}

function termExtension({ code, minutes, text }: Term): Extension {
  return {
    url: 'term',
    extension: [
      { url: 'code', valueCode: code },
      { url: 'minutes', valueInteger: minutes },
      { url: 'text', valueString: text },
    ],
  };
}

/** One sentence after the other, the strongest first. */
function whyOf({ row }: RankedRow, terms: readonly Term[]): string {
  const first = row.urgencyClass === 0 ? 'Urgent : passe avant tout dossier non urgent' : 'Non urgent';
  const due = row.dueRuns
    ? `échéance ${frenchTime(row.dueAt)}`
    : `délai non commencé, attendu pour ${frenchTime(row.dueAt)}`;
  const strongest = terms.toSorted((a, b) => Math.abs(b.minutes) - Math.abs(a.minutes));
  return [`${first} ; ${due}`, ...strongest.map(({ text, minutes }) => `${text} : ${signed(minutes)}`)].join('. ');
}

/** Minutes sooner are a gain to the case. */
function signed(minutes: number): string {
  return `${minutes > 0 ? 'avancé' : 'reculé'} de ${Math.abs(minutes)} min`;
}

const french = new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', dateStyle: 'short', timeStyle: 'short' });

function frenchTime(instant: Date): string {
  return french.format(instant);
}
