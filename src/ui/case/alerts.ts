/** Alerts about one case, in words (docs/fhir-conventions.md, "Alerts"). */
import type { Communication, DetectedIssue, Flag, Task } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { detectedIssueText, isOpen } from '../identity/issue-text.ts';
import { itemOf } from './case-facts.ts';
import { talkCategory } from './chat.ts';
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

/** Alerts of one case among a patient's, severe first. */
export function caseAlerts(
  task: Task,
  communications: readonly Communication[],
  flags: readonly Flag[],
  issues: readonly DetectedIssue[],
): CaseAlert[] {
  const about = `Task/${task.id}`;
  const number = task.identifier?.[0]?.value;
  const alerts: CaseAlert[] = [
    ...declaredError(task),
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
      // Once it is confirmed or taken back nobody is waited for any more.
      .filter((one) => !isErrorDeclaration(one) || declaredError(task).length > 0)
      // What people say is in the chat.
      .filter((one) => talkCategory(one) === undefined)
      // Said back, it asks nothing any more: the panel of critical results keeps it.
      .filter((one) => !isCritical(one) || one.status === 'in-progress')
      .map((one) => ({
        key: `communication-${one.id}`,
        text: one.payload?.[0]?.contentString ?? conceptText(one.category?.[0]) ?? 'Message',
        at: one.sent,
        tone: isCritical(one) ? ('severe' as const) : ('warning' as const),
      })),
  ];
  return alerts.sort((a, b) => tones.indexOf(a.tone) - tones.indexOf(b.tone));
}

/** From the case itself: who confirms it reads no messages. */
function declaredError(task: Task): CaseAlert[] {
  const by = itemOf(task.output, 'error-declaration')?.valueReference;
  if (by === undefined || !isOpenToConfirm(task)) return [];
  const who = by.display ? ` par ${by.display}` : '';
  const text = `Dossier déclaré erroné${who} : une autre personne, de la qualité, doit le confirmer, ou la déclaration être retirée ; rien n’est signé ni envoyé d’ici là.`;
  return [{ key: 'error-declared', text, at: undefined, tone: 'severe' }];
}

const isOpenToConfirm = (task: Task): boolean => task.status !== 'entered-in-error';

const isErrorDeclaration = (communication: Communication): boolean =>
  communication.category?.some((one) => one.coding?.some(({ code }) => code === 'error-declared')) ?? false;

const isCritical = (communication: Communication): boolean =>
  communication.category?.[0]?.coding?.[0]?.code === 'critical-result';
