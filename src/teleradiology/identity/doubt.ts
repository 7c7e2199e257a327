/** A problem whose first case is still to be made, or learns of it with a change of its request (ID-2). */
import type { CaseTask } from '../shell/case-task.ts';
import type { Problem } from './problem.ts';

export type Doubt = Omit<Problem, 'cases' | 'key'> & {
  otherCases: readonly CaseTask[];
  keyPart: string;
  /** What another establishment is told of it: its own side. */
  apart?: readonly Problem[];
};

/** The problem of this case, then those of others. */
export function problemsOf(
  task: CaseTask,
  { otherCases, keyPart, apart = [], ...doubt }: Doubt,
): [Problem, ...Problem[]] {
  return [{ ...doubt, cases: [task, ...otherCases], key: `${task.id}.${keyPart}` }, ...apart];
}
