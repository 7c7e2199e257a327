/**
 * The child Task `alert` of a case: one critical result, from its declaration until somebody of the site has said it back (WF-9). A second finding
 * declared meanwhile joins the first, and everybody is told anew: what is acknowledged is all of it.
 */
import { randomUUID } from 'node:crypto';
import type { Reference, Task } from '@medplum/fhirtypes';
import { codeOf, codeSystem, concept } from '../codes.ts';
import { type CaseTask, inputsOf, outputsOf, withInput } from '../shell/case-task.ts';
import { type CriticalCategory, isCriticalCategory } from './category.ts';

export interface Alert {
  finding: string;
  category: CriticalCategory;
  declaredAt: Date;
  /** In the order in which they are told; the telephone comes after the last. */
  recipients: readonly Reference[];
  /** How often somebody was told; the first time is 1. */
  round: number;
}

export function isOpenAlert(child: Task): boolean {
  return child.status === 'requested' || child.status === 'in-progress';
}

/** What an alert Task says; undefined for a Task that is none. */
export function alertOf(child: Task): Alert | undefined {
  const finding = inputsOf(child, 'finding')[0]?.valueString;
  const category = codeOf(inputsOf(child, 'critical-category')[0]?.valueCodeableConcept, codeSystem.criticalCategory);
  if (finding === undefined || !isCriticalCategory(category)) return undefined;
  return {
    finding,
    category,
    declaredAt: new Date(child.authoredOn ?? 0),
    recipients: (child.restriction?.recipient ?? []) as Reference[],
    round: outputsOf(child, 'told').length,
  };
}

const priorities: Readonly<Record<CriticalCategory, Task['priority']>> = {
  immediate: 'stat',
  hours: 'urgent',
  days: 'routine',
};

export function newAlert(
  task: CaseTask,
  alert: Omit<Alert, 'round'>,
  declaredBy: { reference: string; display: string },
): CaseTask {
  const at = alert.declaredAt.toISOString();
  const bare: CaseTask = {
    resourceType: 'Task',
    id: randomUUID(),
    status: 'in-progress',
    intent: 'order',
    code: concept(codeSystem.taskCode, 'alert', 'Résultat critique'),
    description: 'Résultat critique',
    priority: priorities[alert.category],
    partOf: [{ reference: `Task/${task.id}` }],
    focus: task.focus,
    for: task.for,
    requester: declaredBy,
    authoredOn: at,
    lastModified: at,
    executionPeriod: { start: at },
    restriction: { recipient: alert.recipients as NonNullable<Task['restriction']>['recipient'] },
  };
  const category = concept(codeSystem.criticalCategory, alert.category);
  return withInput(withInput(bare, 'finding', { valueString: alert.finding }), 'critical-category', {
    valueCodeableConcept: category,
  });
}

/** The alert with one more finding: said with the first, told anew from the beginning. */
export function withFinding(child: CaseTask, finding: string, category: CriticalCategory): CaseTask {
  const known = alertOf(child);
  const others = (child.input ?? []).filter(
    (each) =>
      codeOf(each.type, codeSystem.caseItem) !== 'finding' &&
      codeOf(each.type, codeSystem.caseItem) !== 'critical-category',
  );
  const joined = known === undefined ? finding : `${known.finding} ; ${finding}`;
  return withInput(
    withInput({ ...child, input: others, priority: priorities[category] }, 'finding', { valueString: joined }),
    'critical-category',
    {
      valueCodeableConcept: concept(codeSystem.criticalCategory, category),
    },
  );
}
