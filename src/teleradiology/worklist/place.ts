/**
 * Where an open case stands for everybody (WF-11): a *virtual due time*, which does not change while time passes. The instant the case is
 * due, less minutes that raise it; in front of it all, its urgency. What depends on the reader comes on top (personal.ts). Pure.
 */

/** What the case waits for, as a list of work shows it. */
export type Stage = 'to-protocol' | 'to-read' | 'to-second-read' | 'to-amend' | 'in-hand' | 'waiting';

export const stages: readonly Stage[] = ['to-protocol', 'to-read', 'to-second-read', 'to-amend', 'in-hand', 'waiting'];

/** What the place of a case is worked out from. */
export interface OpenCase {
  caseId: string;
  /** Emergency, in-patient, or urgency unknown. */
  urgent: boolean;
  stage: Stage;
  /** Code of CodeSystem case-kind. */
  kind: string;
  receivedAt: Date;
  /** End of the delay that runs, when one does. */
  deadline?: Date;
  /** Organization id. */
  establishment: string;
  specialty: string;
  /** BCP 47 language the request is written in. */
  language: string;
  /** Literal reference of who reads, or is to read. */
  holder?: string;
  /** Literal reference of the first reader of a case to be read by a second one. */
  firstReader?: string;
  requestId?: string;
  /** 0 to 100, the highest an AI device gives. */
  aiScore: number;
  /** Minutes a score of 100 is worth at the establishment; 0: switched off. */
  aiWeightMinutes: number;
}

export interface Place {
  /** 0 stands before 1 whatever the rest says. */
  urgencyClass: 0 | 1;
  dueAt: Date;
  /** The delay runs; else `dueAt` is what is expected of such a case. */
  dueRuns: boolean;
  ageMinutes: number;
  aiMinutes: number;
  placeAt: Date;
}

/** Most that each term may move a case, in minutes; none moves it into another class of urgency. */
export const ageAtMostMinutes = 60;
export const aiAtMostMinutes = 120;
/** A minute for so many minutes between reception and due time: of two cases due together the older comes first. */
const minutesPerMinuteOfAge = 30;

/** Where no delay runs yet: minutes after reception in which such a case is expected to be dealt with. */
const expectedMinutes = { 'to-protocol': 30, urgent: 60, other: 24 * 60 } as const;

const minuteMs = 60_000;

export function placeOf(open: OpenCase): Place {
  const expected =
    open.stage === 'to-protocol' ? expectedMinutes['to-protocol'] : expectedMinutes[open.urgent ? 'urgent' : 'other'];
  const dueAt = open.deadline ?? new Date(open.receivedAt.getTime() + expected * minuteMs);
  const waited = (dueAt.getTime() - open.receivedAt.getTime()) / minutesPerMinuteOfAge;
  const ageMs = Math.round(Math.min(ageAtMostMinutes * minuteMs, Math.max(0, waited)));
  const aiMinutes = open.urgent ? 0 : aiMinutesOf(open.aiScore, open.aiWeightMinutes);
  return {
    urgencyClass: open.urgent ? 0 : 1,
    dueAt,
    dueRuns: open.deadline !== undefined,
    ageMinutes: Math.round(ageMs / minuteMs),
    aiMinutes,
    // To the millisecond: of cases due together the older is first, however close they came.
    placeAt: new Date(dueAt.getTime() - ageMs - aiMinutes * minuteMs),
  };
}

/** An AI score only raises, within the weight of the establishment, which has a bound of its own. */
function aiMinutesOf(score: number, weightMinutes: number): number {
  const share = Math.min(100, Math.max(0, score)) / 100;
  return Math.round(share * Math.min(aiAtMostMinutes, Math.max(0, weightMinutes)));
}
