/** Alerts about one case, in words (docs/fhir-conventions.md, "Alerts"). */
import type { Communication, DetectedIssue, Flag, Task } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { detectedIssueText } from '../identity/issue-text.ts';
import { conceptText } from './exam.ts';

export interface CaseAlert {
  key: string;
  text: string;
  at: string | undefined;
  severe: boolean;
}

/** Alerts of one case among a patient's, severe first. */
export function caseAlerts(
  task: Task,
  communications: readonly Communication[],
  flags: readonly Flag[],
  issues: readonly DetectedIssue[],
): CaseAlert[] {
  const about = `Task/${task.id}`;
  const number = task.identifier?.[0]?.value;
  const alerts = [
    ...flags
      .filter((one) => one.status === 'active' && one.identifier?.some((identifier) => identifier.value === number))
      .map((one) => ({
        key: `flag-${one.id}`,
        text: conceptText(one.code) ?? 'Signalement',
        at: one.period?.start,
        severe: true,
      })),
    ...issues.map((one) => ({
      key: `issue-${one.id}`,
      text: detectedIssueText(one),
      at: one.identifiedDateTime,
      severe: one.status !== 'final' || one.severity === 'high',
    })),
    ...communications
      .filter((one) => one.about?.some((reference) => literalReference(reference) === about))
      .map((one) => ({
        key: `communication-${one.id}`,
        text: one.payload?.[0]?.contentString ?? conceptText(one.category?.[0]) ?? 'Message',
        at: one.sent,
        severe: false,
      })),
  ];
  return alerts.sort((a, b) => Number(b.severe) - Number(a.severe));
}
