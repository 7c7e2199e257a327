/**
 * One round of a critical result: everybody told so far is told again, and the next of the list with them; after the last, the platform's
 * coordinators and the reader are asked to telephone, again and again (workflow §7). Each round is a Communication, an e-mail and a due time.
 */
import type { Communication, Reference } from '@medplum/fhirtypes';
import { setDueTime } from '../clock/index.ts';
import { type CaseTask, idOf, inputsOf, withOutputReference } from '../shell/case-task.ts';
import { communication, coordinators } from '../shell/communication.ts';
import type { EffectScene } from '../shell/scene.ts';
import { sendNotice } from '../talk/send-notice.ts';
import { type Alert, alertOf, findingText } from './alert-task.ts';
import { patienceMinutes } from './category.ts';

export type AlertScene = Pick<EffectScene, 'room' | 'writes' | 'tx' | 'now'> & {
  view: Pick<EffectScene['view'], 'settings'>;
};

/** Rounds of telephoning after which the patience is no longer the category's: nobody waits days for a second call. */
const longestPhonePauseMinutes = 60;

/** @param child the alert, of which the stored version follows. */
export async function tellAlert(task: CaseTask, child: CaseTask, scene: AlertScene): Promise<CaseTask> {
  const { tx, now, writes, view } = scene;
  const alert = alertOf(child);
  if (alert === undefined) throw new Error('an alert without a finding');
  const level = alert.round;
  const byTelephone = level >= alert.recipients.length;
  const told = byTelephone ? await callers(task, child, alert, scene) : alert.recipients.slice(0, level + 1);
  const stored = await tx.create<Communication>({
    ...communication(task, {
      category: 'critical-result',
      text: byTelephone ? callText(task, alert) : alertText(alert, level),
      recipients: [...told],
      sent: now,
      sender: child.requester as Reference,
      urgent: true,
    }),
    // Being told until it is said back; the alert Task knows all of its rounds.
    status: 'in-progress',
    partOf: [{ reference: `Task/${child.id}` }],
    priority: alert.category === 'immediate' ? 'stat' : 'urgent',
  });
  await sendNotice(scene.room, tx, {
    template: byTelephone ? 'critical-result-unanswered' : 'critical-result',
    to: told,
    about: `Task/${task.id}`,
    values: { declared: alert.declaredAt },
  });
  const patience = patienceMinutes(alert.category, view.settings);
  const minutes = byTelephone ? Math.min(patience, longestPhonePauseMinutes) : patience;
  const dueAt = new Date(now.getTime() + minutes * 60_000);
  await setDueTime(tx.sql, tx.context.tenant, { caseId: task.id, kind: 'alert', key: child.id, dueAt }, true);
  const next = withOutputReference(child, 'told', `Communication/${stored.id}`);
  return writes.update(tx, {
    ...next,
    owner: told.at(-1) as CaseTask['owner'],
    restriction: { ...next.restriction, period: { start: now.toISOString(), end: dueAt.toISOString() } },
    lastModified: now.toISOString(),
  });
}

/** Who has to telephone: the coordinators, who declared it, and from the second call on the supervisor the establishment names. */
async function callers(task: CaseTask, child: CaseTask, alert: Alert, { tx, view }: AlertScene): Promise<Reference[]> {
  const again = alert.round > alert.recipients.length;
  const reader = idOf(child.requester, 'Practitioner');
  const supervisor = again ? view.settings.criticalSupervisor : undefined;
  return [
    ...(await coordinators(tx, task, view.settings)),
    ...(reader === undefined ? [] : [{ reference: `Practitioner/${reader}` }]),
    ...(supervisor === undefined ? [] : [{ reference: supervisor }]),
  ];
}

const statement = (alert: Alert): string => `Résultat critique : ${findingText(alert)}`;

function alertText(alert: Alert, level: number): string {
  const again = level === 0 ? '' : ` (rappel ${level}, sans accusé jusqu’ici)`;
  return `${statement(alert)}${again}. Redites-le, ou confirmez la phrase, pour en accuser prise en compte.`;
}

function callText(task: CaseTask, alert: Alert): string {
  const number = inputsOf(task, 'callback')[0]?.valueString;
  const where = number ? ` au ${number}` : '';
  return `${statement(alert)}. Personne n’en a accusé prise en compte : téléphonez à l’établissement${where}, faites redire le résultat et notez qui a répondu.`;
}
