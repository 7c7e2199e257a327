/** Which clause a clock runs under, and why: the most specific one that is valid when it starts. Pure. */

import type { ClockName } from '../case/index.ts';
import { delayText } from '../clock/delay.ts';
import { type HourBand, hourBandOf, type LocalCalendar } from '../clock/hour-band.ts';
import type { ActCode, ClockTerm, Setting, Terms, Urgency } from './term.ts';

/** What is known of a case when one of its clocks starts. */
export interface Circumstances {
  clock: ClockName;
  started: Date;
  /** Of the request, and as done. */
  acts: readonly ActCode[];
  urgency: Urgency;
  /** Undefined when nobody said: no clause about a setting applies then. */
  setting: Setting | undefined;
}

export interface ChosenTerm {
  term: ClockTerm;
  /** With what the contracts add to the establishment's holidays. */
  calendar: LocalCalendar;
  /** French sentence for the case: the clause, its conditions, its delay. */
  why: string;
}

/**
 * @param agreed what the contracts in force say, then the defaults: a clause of a contract on this clock wins over every default.
 * @throws Error when none applies, which defaults without conditions exclude.
 */
export function chooseTerm(agreed: readonly Terms[], of: Circumstances, local: LocalCalendar): ChosenTerm {
  for (const { terms, alsoHolidays } of agreed) {
    const calendar = alsoHolidays.length > 0 ? { ...local, alsoHolidays } : local;
    const band = hourBandOf(of.started, calendar);
    const [term] = terms.filter((each) => applies(each, of, band)).sort(mostSpecificFirst);
    if (term !== undefined) return { term, calendar, why: whyText(term) };
  }
  throw new Error(`no term for the clock ${of.clock}`);
}

function applies(term: ClockTerm, of: Circumstances, band: HourBand): boolean {
  if (term.clock !== of.clock) return false;
  if (term.from !== undefined && of.started < term.from) return false;
  if (term.until !== undefined && of.started >= term.until) return false;
  if (term.urgency !== undefined && term.urgency !== of.urgency) return false;
  if (term.settings.length > 0 && (of.setting === undefined || !term.settings.includes(of.setting))) return false;
  if (term.bands.length > 0 && !term.bands.includes(band)) return false;
  return term.acts.length === 0 || term.acts.some((act) => of.acts.some((done) => sameAct(act, done)));
}

const sameAct = (a: ActCode, b: ActCode): boolean => a.system === b.system && a.code === b.code;

/** The act says most, then where the patient is, then urgency, then the hour; the later clause, then the shorter delay, last the name. */
function mostSpecificFirst(a: ClockTerm, b: ClockTerm): number {
  return (
    specificity(b) - specificity(a) ||
    (b.from?.getTime() ?? 0) - (a.from?.getTime() ?? 0) ||
    length(a) - length(b) ||
    (a.rule < b.rule ? -1 : 1)
  );
}

function specificity(term: ClockTerm): number {
  const conditions = [
    term.acts.length > 0,
    term.settings.length > 0,
    term.urgency !== undefined,
    term.bands.length > 0,
  ];
  return conditions.reduce((sum, present) => 2 * sum + (present ? 1 : 0), 0);
}

/** Minutes, about: a morning counts as a day. */
function length({ delay }: ClockTerm): number {
  return 'minutes' in delay ? delay.minutes : 24 * 60;
}

const words: Readonly<Record<Urgency | Setting | HourBand, string>> = {
  urgent: 'urgent',
  routine: 'non urgent',
  emergency: 'urgences',
  inpatient: 'hospitalisé',
  outpatient: 'externe',
  day: 'jour de semaine',
  night: 'nuit',
  weekend: 'fin de semaine',
  holiday: 'jour férié',
};

function whyText(term: ClockTerm): string {
  const conditions = [
    term.acts.map(({ code }) => code).join(' ou '),
    term.settings.map((setting) => words[setting]).join(' ou '),
    term.urgency === undefined ? '' : words[term.urgency],
    term.bands.map((band) => words[band]).join(' ou '),
  ].filter((each) => each !== '');
  const where = term.contract === undefined ? 'délais par défaut' : 'contrat';
  // The words of our own clauses say when they apply.
  const when = conditions.length > 0 && term.contract !== undefined ? ` (${conditions.join(', ')})` : '';
  return `${term.text}${when} : ${delayText(term.delay)}, ${where}.`;
}
