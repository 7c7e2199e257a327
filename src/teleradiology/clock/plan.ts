/**
 * The steps of one running clock: reminders before the deadline, the deadline itself, escalations after it, and then repetitions for as
 * long as it runs (WF-4). Pure.
 */

export type Step =
  /** Part of the delay, in percent. */
  | `reminder-${number}`
  /** The delay is over: the case is late, or what the clock leads to happens. */
  | 'due'
  | `escalation-${string}`
  /** Told again, for the so many-th time: one of the plan's steps at any instant, its last. */
  | `repeat-${number}`;

export interface PlannedStep {
  step: Step;
  at: Date;
  /** Set when it was raised: once. */
  raised?: Date;
  /** Of a repetition: the first of the waits between two of them, which double up to a day. */
  everyMinutes?: number;
}

/** In order of time; steps of one instant in the order of their weight. */
export type Plan = readonly PlannedStep[];

const minuteMs = 60_000;

export function planOf(
  started: Date,
  due: Date,
  terms: {
    reminders: readonly number[];
    escalations: readonly { to: string; afterMinutes: number }[];
    /** Absent for a clock that ends by itself or is repeated elsewhere. */
    repeatMinutes?: number;
  },
): Plan {
  const steps: PlannedStep[] = [
    ...terms.reminders.map((percent) => ({ step: `reminder-${percent}` as const, at: partAt(started, due, percent) })),
    { step: 'due', at: due },
    ...terms.escalations.map(({ to, afterMinutes }) => ({
      step: `escalation-${to}` as const,
      at: new Date(due.getTime() + afterMinutes * minuteMs),
    })),
  ];
  // The sort is stable: a reminder at 100 % comes before what the deadline does, an escalation at once after it.
  steps.sort((a, b) => a.at.getTime() - b.at.getTime());
  return terms.repeatMinutes === undefined
    ? steps
    : [...steps, repetition(1, steps.at(-1)?.at ?? due, terms.repeatMinutes)];
}

const longestWaitMinutes = 24 * 60;

/** The so many-th repetition, counted from what was told before: however long the silence was, there is one. */
function repetition(number: number, after: Date, everyMinutes: number): PlannedStep {
  const longest = Math.max(everyMinutes, longestWaitMinutes);
  const wait = Math.min(everyMinutes * 2 ** Math.min(number - 1, 20), longest);
  return { step: `repeat-${number}`, at: new Date(after.getTime() + wait * minuteMs), everyMinutes };
}

/** How often it was told again, this one included; undefined for another step. */
export function repetitionOf(step: Step): number | undefined {
  const number = /^repeat-(\d{1,9})$/.exec(step)?.[1];
  return number === undefined ? undefined : Number(number);
}

const isRepetition = ({ step }: PlannedStep): boolean => repetitionOf(step) !== undefined;

/** Instant at which this part of the delay is over. */
export function partAt(started: Date, due: Date, percent: number): Date {
  return new Date(started.getTime() + Math.round(((due.getTime() - started.getTime()) * percent) / 100));
}

/** Steps to raise now, oldest first: after downtime there may be several, and then no repetition of them. */
export function stepsDue(plan: Plan, now: Date): Plan {
  const due = plan.filter(({ at, raised }) => raised === undefined && at <= now);
  return due.every(isRepetition) ? due : due.filter((each) => !isRepetition(each));
}

/** When the plan is to be looked at next; undefined when all of it was raised, which only plans that do not repeat ever are. */
export function nextAt(plan: Plan): Date | undefined {
  return plan.find(({ raised }) => raised === undefined)?.at;
}

/** The plan once these steps were raised: the next repetition is counted from now. */
export function withRaised(plan: Plan, steps: Plan, now: Date): Plan {
  if (steps.length === 0) return plan;
  return plan.map((each) => {
    const told = steps.some(({ step }) => step === each.step);
    const number = repetitionOf(each.step);
    if (number === undefined) return told ? { ...each, raised: now } : each;
    const next = repetition(told ? number + 1 : number, now, each.everyMinutes ?? longestWaitMinutes);
    return next.at > each.at ? next : each;
  });
}

/**
 * The plan of a clock whose delay changed under way: what was raised stays raised unless it falls due anew, so that a longer delay
 * does not end in silence and a shorter one repeats nothing.
 */
export function replan(before: Plan, after: Plan, now: Date): Plan {
  return after.map((each) => {
    if (isRepetition(each)) return each.at > now ? each : (before.find(isRepetition) ?? each);
    const raised = before.find(({ step }) => step === each.step)?.raised;
    return raised === undefined || each.at > now ? each : { ...each, raised };
  });
}
