/**
 * What of a case's place depends on who looks (WF-11): each term has a code, a bound in minutes and a French sentence, and is shown with
 * the row. Positive minutes raise. None reaches into another class of urgency. Pure.
 */
import type { Pool } from './pool.ts';

export type TermCode =
  | 'age'
  | 'ai-priority'
  | 'in-my-hands'
  | 'assigned-to-me'
  | 'in-other-hands'
  | 'assigned-to-other'
  | 'waits-for-site'
  | 'sub-specialty'
  | 'other-sub-specialty'
  | 'language'
  | 'other-language'
  | 'on-duty-here'
  | 'works-here'
  | 'may-not-read'
  | 'first-reader'
  | 'load';

export interface Term {
  code: TermCode;
  /** Whole minutes, never 0. */
  minutes: number;
  /** French, a whole sentence without its end. */
  text: string;
}

/** Who looks, at one instant. */
export interface Reader {
  /** Literal reference. */
  reference: string;
  /** Reads cases: to anybody else the list is the order for everybody. */
  reads: boolean;
  /** Has no other part: what they may not read is no work of theirs. A coordinator who reads, too, sees to all of it. */
  readsOnly: boolean;
  /** Declared sub-specialties; none: everything alike. */
  specialties: ReadonlySet<string>;
  languages: ReadonlySet<string>;
  /** Establishments (Organization ids) where they have a role; where they are on duty now; that excluded them. */
  sites: ReadonlySet<string>;
  onDuty: ReadonlySet<string>;
  excluded: ReadonlySet<string>;
  /** Kinds of cases their roles may read. */
  kinds: ReadonlySet<string>;
  /** A qualification is over. */
  expired: boolean;
  /** Minutes by establishment: more cases in hand than the others on duty there is negative. */
  load: ReadonlyMap<string, number>;
}

/** By how much each term moves a case; those of age, AI and load have a range. */
export const termMinutes = {
  'in-my-hands': 240,
  'assigned-to-me': 180,
  'in-other-hands': -240,
  'assigned-to-other': -60,
  'waits-for-site': -180,
  'sub-specialty': 30,
  'other-sub-specialty': -15,
  language: 20,
  'other-language': -20,
  'on-duty-here': 20,
  'works-here': 10,
  'may-not-read': -480,
  'first-reader': -480,
} as const satisfies Partial<Record<TermCode, number>>;

/** Most that the load may move a case, either way, and what one case more or less than the others is worth. */
export const loadAtMostMinutes = 15;
const minutesPerCaseInHand = 3;

/** Terms of every case of a pool for this reader. @param mine the reader holds these cases. */
export function personalTerms(pool: Pool, mine: boolean, reader: Reader, nameOf: (code: string) => string): Term[] {
  if (!reader.reads) return [];
  const terms: Term[] = [];
  const add = (code: keyof typeof termMinutes, text: string): void =>
    void terms.push({ code, minutes: termMinutes[code], text });
  if (pool.held) {
    const inHand = pool.stage === 'in-hand';
    if (mine)
      add(inHand ? 'in-my-hands' : 'assigned-to-me', inHand ? 'Vous lisez ce dossier' : 'Ce dossier vous est confié');
    else if (inHand) add('in-other-hands', 'Un autre radiologue lit ce dossier');
    else add('assigned-to-other', 'Ce dossier est confié à un autre radiologue');
  }
  if (pool.stage === 'waiting') add('waits-for-site', 'Le dossier attend l’établissement ou les images');
  if (pool.firstReader !== '' && pool.firstReader === reader.reference)
    add('first-reader', 'Vous êtes le premier lecteur : un autre radiologue relit');
  if (!reader.kinds.has(pool.kind)) add('may-not-read', 'Ce type d’acte est lu par d’autres que vous');
  else if (reader.excluded.has(pool.establishment))
    add('may-not-read', 'L’établissement ne vous confie plus de lecture');
  else if (reader.expired) add('may-not-read', 'Une de vos qualifications est échue : vous ne pouvez pas lire');
  if (pool.specialty !== '' && reader.specialties.size > 0) {
    if (reader.specialties.has(pool.specialty))
      add('sub-specialty', `Votre sur-spécialité : ${nameOf(pool.specialty)}`);
    else add('other-sub-specialty', `Une autre sur-spécialité que les vôtres : ${nameOf(pool.specialty)}`);
  }
  // French is everybody's: only another language tells readers apart.
  if (pool.language !== '' && pool.language !== french)
    if (reader.languages.has(pool.language))
      add('language', `Demande rédigée dans une langue que vous lisez (${pool.language})`);
    else add('other-language', `Demande rédigée en une autre langue (${pool.language})`);
  if (reader.onDuty.has(pool.establishment)) add('on-duty-here', 'Vous êtes de garde pour cet établissement');
  else if (reader.sites.has(pool.establishment)) add('works-here', 'Vous lisez pour cet établissement');
  const load = mine ? 0 : (reader.load.get(pool.establishment) ?? 0);
  if (load !== 0)
    terms.push({
      code: 'load',
      minutes: load,
      text:
        load > 0
          ? 'Vous avez moins de dossiers en lecture que les autres radiologues de garde'
          : 'Vous avez plus de dossiers en lecture que les autres radiologues de garde',
    });
  return terms;
}

const french = 'fr';

/** Minutes of the load term: cases in one's hands against the mean of the others on duty. */
export function loadMinutes(mine: number, others: readonly number[]): number {
  if (others.length === 0) return 0;
  const mean = others.reduce((sum, each) => sum + each, 0) / others.length;
  const wanted = Math.round((mean - mine) * minutesPerCaseInHand);
  return Math.min(loadAtMostMinutes, Math.max(-loadAtMostMinutes, wanted)) || 0;
}
