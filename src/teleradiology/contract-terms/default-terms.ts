/**
 * The tender's delays (A 7.2.1, 7.2.2.2, 8.2.1), for establishments without a contract of their own, and the platform's for what the
 * tender leaves open. The numbers of `establishment-settings` take the place of theirs.
 */

import { type ClockName, clocks } from '../case/index.ts';
import type { Delay } from '../clock/delay.ts';
import { codeSystem } from '../codes.ts';
import { kinds } from '../kinds/kind.ts';
import type { EstablishmentSettings } from '../settings.ts';
import type { ClockTerm, Escalation } from './term.ts';

const hour = 60;
const day = 24 * hour;

/** Parts of the delay at which somebody is reminded where a clause does not say, in percent. */
export function defaultReminders(clock: ClockName): readonly number[] {
  switch (clock) {
    case 'interpretation':
    case 'second-reading':
    case 'complement':
    case 'addendum':
      return [50, 75, 100];
    // Whoever still works on it has time to say so.
    case 'lease':
      return [80];
    // The end of the request is told itself; what is sent is watched message by message (outgoing/queue.ts), a critical result told
    // to one after the other (critical/).
    case 'expiry':
    case 'delivery':
    case 'critical':
      return [];
    default:
      return [100];
  }
}

/** Who is told that nobody answers, where a clause does not say: those the clock names, one after the other. */
export function defaultEscalations(clock: ClockName): readonly Escalation[] {
  const definition = clocks.find(({ name }) => name === clock);
  // What the platform ends by itself waits for nobody; a critical result climbs by its own rounds.
  if (definition === undefined || definition.raises !== undefined || definition.rounds) return [];
  const [first, then] = patience(clock);
  return definition.escalates.map((to, index) => ({ to, afterMinutes: index === 0 ? first : then }));
}

/** Minutes after the deadline before the first and the second escalation. */
function patience(clock: ClockName): readonly [number, number] {
  switch (clock) {
    case 'interpretation':
      return [15, hour];
    case 'second-reading':
    case 'complement':
    case 'addendum':
      return [hour, 4 * hour];
    default:
      return [30, 2 * hour];
  }
}

/** First wait before a clock is told again when even its last escalation was in vain; the waits double up to a day (clock/plan.ts). */
export function defaultRepeat(clock: ClockName): number | undefined {
  const definition = clocks.find(({ name }) => name === clock);
  if (definition === undefined || definition.raises !== undefined || definition.rounds) return undefined;
  switch (clock) {
    case 'interpretation':
      return hour;
    case 'second-reading':
    case 'complement':
    case 'addendum':
      return 4 * hour;
    default:
      return 2 * hour;
  }
}

type Condition = Partial<Pick<ClockTerm, 'urgency' | 'settings' | 'acts'>>;

export function repeating(repeatMinutes: number | undefined): Pick<ClockTerm, 'repeatMinutes'> {
  return repeatMinutes === undefined ? {} : { repeatMinutes };
}

/** Terms in force where no clause of a contract applies. */
export function defaultTerms(settings: EstablishmentSettings): ClockTerm[] {
  const { delays } = settings;
  const term = (clock: ClockName, rule: string, delay: Delay, text: string, when: Condition = {}): ClockTerm => ({
    rule,
    clock,
    acts: [],
    settings: [],
    bands: [],
    ...when,
    delay,
    reminders: defaultReminders(clock),
    escalations: defaultEscalations(clock),
    ...repeating(defaultRepeat(clock)),
    penalties: [],
    text,
  });
  const minutes = (clock: ClockName, rule: string, amount: number, text: string): ClockTerm =>
    term(clock, rule, { minutes: amount }, text);
  const urgent: Delay = { minutes: delays.urgentMinutes };
  const morning: Delay = {
    morning: delays.routineTime,
    dutyDayStart: delays.dutyDayStart,
    skipsHolidays: delays.routineSkipsHolidays,
  };
  // An act of telemedicine that is no imaging has delays of its own: the kind is the most specific of conditions (choose-term.ts).
  const ofKinds = kinds.flatMap(({ code, delays: own }) =>
    own.map(({ rule, clock, minutes: amount, urgency, text }) =>
      term(clock, rule, { minutes: amount }, text, {
        acts: [{ system: codeSystem.caseKind, code }],
        ...(urgency === undefined ? {} : { urgency }),
      }),
    ),
  );
  return [
    ...ofKinds,
    term('interpretation', 'urgent-1h', urgent, 'Urgence', { urgency: 'urgent' }),
    term('interpretation', 'urgent-1h', urgent, 'Patient des urgences', { settings: ['emergency'] }),
    term('interpretation', 'inpatient-1h', { minutes: delays.inpatientMinutes }, 'Patient hospitalisé', {
      settings: ['inpatient'],
    }),
    term('interpretation', 'routine-0800', morning, 'Examen programmé', { urgency: 'routine' }),
    minutes('identity', 'identity', settings.identityMinutes, 'Identité à vérifier'),
    minutes('information', 'information', settings.informationMinutes, 'Complément demandé'),
    minutes('protocol', 'protocol', settings.protocolMinutes, 'Protocole à établir'),
    minutes('images', 'images', settings.imagesMinutes, 'Images attendues'),
    minutes('expiry', 'expiry', settings.expiryDays * day, 'Demande sans images'),
    minutes('lease', 'lease', 30, 'Dossier pris sans activité'),
    minutes('second-reading', 'second-reading-12h', 12 * hour, 'Relecture'),
    minutes('complement', 'complement-24h', day, 'Complément de spectroscopie'),
    term('critical', 'critical-15min', { minutes: settings.criticalMinutes }, 'Résultat critique à redire'),
    term('critical', 'critical-hours', { minutes: settings.criticalHours * hour }, 'Résultat grave à redire', {
      acts: [{ system: codeSystem.criticalCategory, code: 'hours' }],
    }),
    term('critical', 'critical-days', { minutes: settings.criticalDays * day }, 'Résultat important à redire', {
      acts: [{ system: codeSystem.criticalCategory, code: 'days' }],
    }),
    minutes('delivery', 'delivery', settings.deliveryMinutes, 'Compte rendu à recevoir'),
    minutes('addendum', 'addendum-24h', day, 'Additif ouvert'),
    minutes('error', 'error', settings.errorMinutes, 'Erreur déclarée'),
  ];
}
