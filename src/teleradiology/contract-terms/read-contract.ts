/** Contract (profile contract-terms, docs/fhir-conventions.md) into terms; what makes no sense is named, element by element. Pure. */
import type { Contract, ContractTerm, Extension } from '@medplum/fhirtypes';
import { type ClockName, clocks } from '../case/index.ts';
import type { Delay } from '../clock/delay.ts';
import { hourBands } from '../clock/hour-band.ts';
import type { Bounds } from '../clock/period.ts';
import { codeOf, codeSystem, hasCode, structureDefinition } from '../codes.ts';
import { defaultEscalations, defaultReminders, defaultRepeat, repeating } from './default-terms.ts';
import { type Complain, narrower, readBounds, readRule } from './read-clause.ts';
import { readEscalations, readPenalties, readRepeat } from './read-consequences.ts';
import { isRotaClause, readRotaTerm } from './read-rota-term.ts';
import { type ClockTerm, type RotaTerm, settings, type Terms, urgencies } from './term.ts';

/** One thing wrong with a contract. */
export interface ContractProblem {
  /** FHIRPath of the element. */
  expression: string;
  /** French. */
  text: string;
}

/** Terms of a contract that may be more than a year's worth of clauses, but not a megabyte of them. */
const maxTerms = 500;
/** A year in minutes: a longer delay is a mistake in the unit. */
const maxMinutes = 366 * 24 * 60;

export function isContractOfTerms(contract: Contract): boolean {
  return hasCode(contract.type, codeSystem.contractType, 'teleradiology-terms');
}

/** @param timeZone of the establishment: days of validity begin at its midnight. */
export function readContract(
  contract: Contract,
  timeZone: string,
): Terms & { rota: RotaTerm[]; problems: ContractProblem[] } {
  const problems: ContractProblem[] = [];
  const complain = (expression: string, text: string): void => void problems.push({ expression, text });
  const whole = readBounds(contract.applies, timeZone, 'Contract.applies', complain);
  const clauses = contract.term ?? [];
  if (clauses.length === 0) complain('Contract.term', 'Le contrat ne porte aucune clause.');
  if (clauses.length > maxTerms) complain('Contract.term', `Le contrat porte plus de ${maxTerms} clauses.`);
  const version = contract.meta?.versionId;
  const where = version === undefined ? {} : { contract: `Contract/${contract.id}/_history/${version}` };
  const known = clauses.slice(0, maxTerms).map((clause, index) => ({ clause, at: `Contract.term[${index}]` }));
  const rota = known.flatMap(({ clause, at }) => readRotaTerm(clause, whole, timeZone, at, complain) ?? []);
  const terms = known
    .filter(({ clause }) => !isRotaClause(clause))
    .flatMap(({ clause, at }) => readTerm(clause, whole, timeZone, at, complain) ?? [])
    .map((term) => ({ ...term, ...where }));
  const rules = [...terms, ...rota].map(({ rule }) => rule);
  for (const rule of new Set(rules.filter((each, index) => rules.indexOf(each) !== index)))
    complain('Contract.term.identifier', `Deux clauses portent le nom « ${rule} ».`);
  const alsoHolidays = (contract.extension ?? [])
    .filter(({ url }) => url === structureDefinition.additionalHoliday)
    .flatMap(({ valueDate }) => valueDate ?? []);
  return { terms, rota, alsoHolidays, problems };
}

/** Undefined when the clause cannot be used; what is wrong was said. */
function readTerm(
  clause: ContractTerm,
  whole: Bounds,
  timeZone: string,
  at: string,
  complain: Complain,
): ClockTerm | undefined {
  const rule = readRule(clause, at, complain);
  const clock = clockOf(clause);
  if (clock === undefined)
    complain(`${at}.type`, `L'horloge est l'une de : ${clocks.map(({ name }) => name).join(', ')}.`);
  const extension = clause.extension?.find(({ url }) => url === structureDefinition.clockTerm);
  if (extension === undefined) complain(`${at}.extension`, "L'extension clock-term est obligatoire.");
  const parts = extension?.extension ?? [];
  const own = readBounds(clause.applies, timeZone, `${at}.applies`, complain);
  const delay = readDelay(parts, at, complain);
  const urgency = codes(parts, 'urgency', urgencies, at, complain)[0];
  const where = codes(parts, 'setting', settings, at, complain);
  const bands = codes(parts, 'band', hourBands, at, complain);
  const acts = all(parts, 'act').flatMap(({ valueCoding }) => {
    if (valueCoding?.system !== undefined && valueCoding.code !== undefined)
      return { system: valueCoding.system, code: valueCoding.code };
    complain(at, 'Un acte porte un système et un code.');
    return [];
  });
  const reminders = readReminders(parts, at, complain);
  const escalations = readEscalations(parts, at, complain);
  const repeat = clock === undefined ? undefined : readRepeat(parts, clock, at, complain);
  const penalties = readPenalties(clause, at, complain);
  if (rule === undefined || clock === undefined || delay === undefined) return undefined;
  return {
    rule,
    clock,
    ...narrower(whole, own),
    acts,
    ...(urgency === undefined ? {} : { urgency }),
    settings: where,
    bands,
    delay,
    // A clause that forgets whom to tell does not end in silence.
    reminders: reminders.length > 0 ? reminders : defaultReminders(clock),
    escalations: escalations.length > 0 ? escalations : defaultEscalations(clock),
    ...repeating(repeat ?? defaultRepeat(clock)),
    penalties,
    text: clause.text?.trim().replace(/\.$/, '') || clause.type?.text || `Clause ${rule}`,
  };
}

function clockOf(clause: ContractTerm): ClockName | undefined {
  const code = codeOf(clause.type, codeSystem.clock);
  return clocks.find(({ name }) => name === code)?.name;
}

const all = (parts: readonly Extension[], url: string): Extension[] => parts.filter((part) => part.url === url);

function codes<T extends string>(
  parts: readonly Extension[],
  url: string,
  known: readonly T[],
  at: string,
  complain: Complain,
): T[] {
  return all(parts, url).flatMap(({ valueCode }) => {
    const code = known.find((each) => each === valueCode);
    if (code !== undefined) return code;
    complain(at, `« ${url} » est l'un de : ${known.join(', ')}.`);
    return [];
  });
}

const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d/;

function readDelay(parts: readonly Extension[], at: string, complain: Complain): Delay | undefined {
  const minutes = all(parts, 'minutes')[0]?.valuePositiveInt;
  const time = all(parts, 'time')[0]?.valueTime;
  if ((minutes === undefined) === (time === undefined)) {
    complain(at, 'Une clause porte un délai en minutes, ou une heure du lendemain, et pas les deux.');
    return undefined;
  }
  if (minutes !== undefined) {
    if (minutes >= 1 && minutes <= maxMinutes) return { minutes };
    complain(at, `Le délai va de 1 à ${maxMinutes} minutes.`);
    return undefined;
  }
  const dutyDayStart = all(parts, 'dutyDayStart')[0]?.valueTime ?? '00:00';
  if (time === undefined || !timeOfDay.test(time) || !timeOfDay.test(dutyDayStart)) {
    complain(at, "L'heure est de la forme HH:MM:SS.");
    return undefined;
  }
  const skipsHolidays = all(parts, 'skipsHolidays')[0]?.valueBoolean ?? false;
  return { morning: time.slice(0, 5), dutyDayStart: dutyDayStart.slice(0, 5), skipsHolidays };
}

function readReminders(parts: readonly Extension[], at: string, complain: Complain): number[] {
  const found = all(parts, 'reminder').flatMap(({ valuePositiveInt }) => {
    if (valuePositiveInt !== undefined && valuePositiveInt >= 1 && valuePositiveInt <= 100) return valuePositiveInt;
    complain(at, 'Un rappel est une part du délai, de 1 à 100 %.');
    return [];
  });
  return [...new Set(found)].sort((a, b) => a - b);
}
