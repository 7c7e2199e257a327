/** What the signed report says of critical results (workflow §7): what, who was told, when, how, who has said it back. */
import type { Communication, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type CaseTask, idOf, outputsOf } from '../shell/case-task.ts';
import { alertOf, findingText } from './alert-task.ts';

/** Sentences in the order of the alerts; none for a case without a critical result. Times are those of Paris. */
export async function criticalStatements(tx: Pick<FhirTransaction, 'find'>, task: CaseTask): Promise<string[]> {
  const ids = outputsOf(task, 'alert').flatMap((each) => idOf(each.valueReference, 'Task') ?? []);
  const alerts = await Promise.all(ids.map((id) => tx.find('Task', id)));
  const sentences = await Promise.all(alerts.map((child) => child && sentenceOf(tx, child)));
  return sentences.filter((sentence) => sentence !== undefined);
}

const time = new Intl.DateTimeFormat('fr-FR', { dateStyle: 'short', timeStyle: 'short', timeZone: 'Europe/Paris' });

async function sentenceOf(tx: Pick<FhirTransaction, 'find'>, child: Task): Promise<string | undefined> {
  const alert = alertOf(child);
  if (alert === undefined) return undefined;
  const declared = `Résultat critique signalé le ${time.format(alert.declaredAt)}`;
  const id = outputsOf(child, 'acknowledgement').flatMap((each) => idOf(each.valueReference, 'Communication') ?? [])[0];
  const answer: Communication | undefined = id === undefined ? undefined : await tx.find('Communication', id);
  if (answer === undefined) return `${declared} : ${findingText(alert)}. Accusé de prise en compte attendu.`;
  const said = answer.payload?.[0]?.contentString ?? '';
  return `${declared} : ${findingText(alert)}. Le ${time.format(new Date(answer.sent ?? 0))}, ${said.charAt(0).toLowerCase()}${said.slice(1)}.`;
}
