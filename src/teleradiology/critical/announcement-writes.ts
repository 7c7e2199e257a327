/** The checklist by plain FHIR writes: who signs it is who is signed in, it belongs to a case, and once closed it stays as it is (WF-9). */
import { readFileSync } from 'node:fs';
import type { Questionnaire, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { codeSystem } from '../codes.ts';
import { idOf } from '../shell/case-task.ts';
import { isAnnouncement, problemsOf } from './announcement.ts';

const file = new URL('../../../fhir-profiles/questionnaires/Questionnaire-serious-announcement.json', import.meta.url);

/** The checklist as it is served. */
export function readAnnouncement(): Questionnaire {
  return JSON.parse(readFileSync(file, 'utf8')) as Questionnaire;
}

/** For `store.beforeWrite`: author and instant are the server's to say. */
export function completeAnnouncement(resource: Resource, tx: FhirTransaction): Resource {
  if (resource?.resourceType !== 'QuestionnaireResponse' || !isAnnouncement(resource)) return resource;
  const { actor } = tx.context;
  const author = { reference: actor.reference, display: actor.display };
  return { ...resource, author: author as QuestionnaireResponse['author'], authored: tx.context.now().toISOString() };
}

/** For `store.beforeCommit`. @throws FhirError 422 with every problem of the answers, and for a change of a closed one. */
export async function guardAnnouncement(
  questionnaire: Questionnaire,
  change: Change,
  tx: FhirTransaction,
): Promise<void> {
  if (change.type !== 'QuestionnaireResponse') return;
  const before = change.before as QuestionnaireResponse | undefined;
  const after = change.after as QuestionnaireResponse | undefined;
  if (before !== undefined && isAnnouncement(before)) {
    if (before.status === 'completed' || after === undefined || !isAnnouncement(after))
      throw refusal([
        { text: 'Une liste close ne change plus, et aucune ne s’efface.', expression: 'QuestionnaireResponse' },
      ]);
    if (before.basedOn?.[0]?.reference !== after.basedOn?.[0]?.reference)
      throw refusal([{ text: 'Une liste reste celle de son dossier.', expression: 'QuestionnaireResponse.basedOn' }]);
  }
  if (after === undefined || !isAnnouncement(after)) return;
  if (after.status !== 'in-progress' && after.status !== 'completed')
    throw refusal([{ text: 'Une liste est en cours, ou close.', expression: 'QuestionnaireResponse.status' }]);
  await refuseOtherCase(tx, after);
  const problems = problemsOf(questionnaire, after);
  if (problems.length > 0) throw refusal(problems);
}

async function refuseOtherCase(tx: FhirTransaction, response: QuestionnaireResponse): Promise<void> {
  const [on, ...others] = response.basedOn ?? [];
  const id = others.length > 0 ? undefined : idOf(on, 'ServiceRequest');
  const request = id === undefined ? undefined : await tx.find('ServiceRequest', id);
  const code = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);
  const cases = id === undefined ? [] : await tx.search('Task', `focus=ServiceRequest/${id}&code=${code}&_count=1`);
  if (request === undefined || cases.length === 0)
    throw refusal([
      { text: 'La liste porte sur la demande d’un dossier.', expression: 'QuestionnaireResponse.basedOn' },
    ]);
  if (response.subject?.reference !== request.subject.reference)
    throw refusal([
      { text: 'La liste et la demande ne sont pas du même patient.', expression: 'QuestionnaireResponse.subject' },
    ]);
}

function refusal(problems: readonly { text: string; expression: string }[]): FhirError {
  return FhirError.of(
    422,
    problems.map(({ text, expression }) => ({
      severity: 'error',
      code: 'business-rule',
      details: { text },
      diagnostics: 'the checklist of a serious diagnosis cannot be stored so',
      expression: [expression],
    })),
  );
}
