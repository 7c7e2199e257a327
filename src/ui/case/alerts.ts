/** Alerts about one case, in words (docs/fhir-conventions.md, "Alerts"). */
import type { Communication, DetectedIssue, Flag, Task } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { detectedIssueText, isOpen } from '../identity/issue-text.ts';
import { conceptText } from './exam.ts';

export interface CaseAlert {
  key: string;
  text: string;
  at: string | undefined;
  tone: AlertTone;
}

/** `severe`: somebody must act; `warning`: time is passing; `note`: something was said. */
export type AlertTone = 'severe' | 'warning' | 'note';

const tones: readonly AlertTone[] = ['severe', 'warning', 'note'];

/** Messages that are no alarm, by category. */
const notes: Readonly<Record<string, string>> = { 'phone-exchange': 'Échange téléphonique' };

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
        tone: 'severe' as const,
      })),
    ...issues.map((one) => ({
      key: `issue-${one.id}`,
      text: detectedIssueText(one),
      at: one.identifiedDateTime,
      tone: isOpen(one) ? ('severe' as const) : ('note' as const),
    })),
    ...communications
      .filter((one) => one.about?.some((reference) => literalReference(reference) === about))
      .map((one) => {
        const note = notes[one.category?.[0]?.coding?.[0]?.code ?? ''];
        const text = one.payload?.[0]?.contentString ?? conceptText(one.category?.[0]) ?? 'Message';
        return {
          key: `communication-${one.id}`,
          text: note === undefined ? text : `${note} : ${text}`,
          at: one.sent,
          tone: note === undefined ? ('warning' as const) : ('note' as const),
        };
      }),
  ];
  return alerts.sort((a, b) => tones.indexOf(a.tone) - tones.indexOf(b.tone));
}
