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
  /** Each is said back. */
  findings: readonly string[];
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
  const findings = inputsOf(child, 'finding').flatMap(({ valueString }) => valueString ?? []);
  const category = codeOf(inputsOf(child, 'critical-category')[0]?.valueCodeableConcept, codeSystem.criticalCategory);
  if (findings.length === 0 || !isCriticalCategory(category)) return undefined;
  return {
    findings,
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
  return withCategory(alert.findings.reduce(saying, bare), alert.category);
}

/** The alert with one more finding: said with the first, told anew from the beginning. */
export function withFinding(child: CaseTask, finding: string, category: CriticalCategory): CaseTask {
  const known = alertOf(child)?.findings ?? [];
  const joined = known.includes(finding) ? child : saying(child, finding);
  return withCategory({ ...joined, priority: priorities[category] }, category);
}

const saying = (child: CaseTask, finding: string): CaseTask => withInput(child, 'finding', { valueString: finding });

function withCategory(child: CaseTask, category: CriticalCategory): CaseTask {
  const others = (child.input ?? []).filter((each) => codeOf(each.type, codeSystem.caseItem) !== 'critical-category');
  const valueCodeableConcept = concept(codeSystem.criticalCategory, category);
  return withInput({ ...child, input: others }, 'critical-category', { valueCodeableConcept });
}

/** All of them in one sentence. */
export function findingText({ findings }: Pick<Alert, 'findings'>): string {
  return findings.join(' ; ');
}
