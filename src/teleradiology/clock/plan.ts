/** The steps of one running clock: reminders before the deadline, the deadline itself, escalations after it (WF-4). Pure. */

export type Step =
  /** Part of the delay, in percent. */
  | `reminder-${number}`
  /** The delay is over: the case is late, or what the clock leads to happens. */
  | 'due'
  | `escalation-${string}`;

export interface PlannedStep {
  step: Step;
  at: Date;
  /** Set when it was raised: once. */
  raised?: Date;
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
  return steps.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Instant at which this part of the delay is over. */
export function partAt(started: Date, due: Date, percent: number): Date {
  return new Date(started.getTime() + Math.round(((due.getTime() - started.getTime()) * percent) / 100));
}

/** Steps to raise now, oldest first: after downtime there may be several. */
export function stepsDue(plan: Plan, now: Date): Plan {
  return plan.filter(({ at, raised }) => raised === undefined && at <= now);
}

/** When the plan is to be looked at next; undefined when all of it was raised. */
export function nextAt(plan: Plan): Date | undefined {
  return plan.find(({ raised }) => raised === undefined)?.at;
}

export function withRaised(plan: Plan, steps: Plan, now: Date): Plan {
  return plan.map((each) => (steps.some(({ step }) => step === each.step) ? { ...each, raised: now } : each));
}

/**
 * The plan of a clock whose delay changed under way: what was raised stays raised unless it falls due anew, so that a longer delay
 * does not end in silence and a shorter one repeats nothing.
 */
export function replan(before: Plan, after: Plan, now: Date): Plan {
  return after.map((each) => {
    const raised = before.find(({ step }) => step === each.step)?.raised;
    return raised === undefined || each.at > now ? each : { ...each, raised };
  });
}
