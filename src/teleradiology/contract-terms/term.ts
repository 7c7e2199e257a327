/** One clause of an establishment's contract about one clock (WF-3, WF-4): when it applies, how long, what follows. Plain values. */

import type { ClockName, Party } from '../case/index.ts';
import type { Delay } from '../clock/delay.ts';
import type { HourBand } from '../clock/hour-band.ts';

export const urgencies = ['urgent', 'routine'] as const;
export type Urgency = (typeof urgencies)[number];

/** Where the patient is treated: PV1-2 E; I; O and R. */
export const settings = ['emergency', 'inpatient', 'outpatient'] as const;
export type Setting = (typeof settings)[number];

/** Whom a clause may name for an escalation; `site` is the establishment. */
export const escalationParties = ['owner', 'coordinator', 'site', 'platform'] as const satisfies readonly Party[];

/** What a penalty is counted by: once a late case, or each hour or day of lateness that began. */
export const penaltyUnits = ['late-case', 'started-hour', 'started-day'] as const;
export type PenaltyUnit = (typeof penaltyUnits)[number];

export interface ActCode {
  system: string;
  code: string;
}

export interface Escalation {
  to: Party;
  /** Counted from the deadline. */
  afterMinutes: number;
}

export interface Penalty {
  unit: PenaltyUnit;
  /** Cents: sums of money are counted in whole numbers. */
  cents: number;
  /** ISO 4217. */
  currency: string;
}

export interface ClockTerm {
  /** Names the clause within its contract; shown on the case. */
  rule: string;
  clock: ClockName;
  /** Absent: not bounded. The clause that is valid when the clock starts applies to the end. */
  from?: Date;
  until?: Date;
  /** Conditions; an empty list, or an absent urgency, applies to all. */
  acts: readonly ActCode[];
  urgency?: Urgency;
  settings: readonly Setting[];
  bands: readonly HourBand[];
  delay: Delay;
  /** Parts of the delay after which somebody is reminded, in percent, ascending. */
  reminders: readonly number[];
  escalations: readonly Escalation[];
  /** First wait before it is told again to all of them, after the last of these steps; absent for a clock that never needs it. */
  repeatMinutes?: number;
  penalties: readonly Penalty[];
  /** The clause in French. */
  text: string;
  /** Versioned literal reference of the Contract it stands in; absent for the defaults. */
  contract?: string;
}

/** How a month's rota may fall short (CM-2): published, or changed, less than seven days before. Code of CodeSystem `rota-clause`. */
export const rotaLapses = ['rota-published-late', 'rota-changed-late'] as const;
export type RotaLapse = (typeof rotaLapses)[number];

/** A clause about the rota: what a lapse costs. It applies when it is in force at the instant of the lapse. */
export interface RotaTerm {
  rule: string;
  lapse: RotaLapse;
  from?: Date;
  until?: Date;
  penalties: readonly Penalty[];
}

/** Clauses that are weighed against each other, and the days they call holidays. */
export interface Terms {
  terms: readonly ClockTerm[];
  /** ISO dates that the contract treats as holidays. */
  alsoHolidays: readonly string[];
}
