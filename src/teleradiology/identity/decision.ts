/** What a DetectedIssue.mitigation says: one of the decisions of its kind, by whom, when and why; the platform completes who and when. */
import type { DetectedIssue, DetectedIssueMitigation } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { codeOf, codeSystem, structureDefinition } from '../codes.ts';
import { idOf } from '../shell/case-task.ts';
import { type Decision, kindOf } from './issue-kinds.ts';

export interface Decided {
  decision: Decision;
  /** Why, as the person wrote it. */
  reason: string;
  /** Case that takes the images, for `images-reattached`. */
  target?: string;
}

/** Identity vigilance, which sees both sides, and quality, which sees what differs; `conformance` stands for every role. */
const deciding = ['identity-vigilance', 'quality', 'conformance'];

/** How long a transaction may take from the stamp to its check. */
const longestWriteMs = 60_000;

const refusal = (text: string, expression: string): FhirError =>
  new FhirError(422, 'business-rule', text, `DetectedIssue.mitigation${expression}`);

/** @throws FhirError 403 for who may not decide this kind, 422 for a decision that is none, has no reason, or another's name. */
export function readDecision(before: DetectedIssue, after: DetectedIssue, tx: FhirTransaction): Decided {
  const { actor } = tx.context;
  const known = kindOf(before);
  if (known === undefined) throw new Error('not a problem of ours');
  const { decisions, withoutImages = decisions, also = [] } = known.kind;
  if (!actor.roles.some((role) => deciding.includes(role) || also.some((each) => each === role)))
    throw new FhirError(403, 'forbidden', "La décision revient à l'identitovigilance.", 'DetectedIssue.mitigation');
  const mitigation = mitigationOf(after);
  const code = codeOf(mitigation?.action, codeSystem.mitigation);
  const namesImages = before.implicated?.some((each) => idOf(each, 'ImagingStudy') !== undefined) ?? false;
  const allowed = namesImages ? decisions : withoutImages;
  const decision = allowed.find((each) => each === code);
  if (mitigation === undefined || decision === undefined)
    throw refusal(`La décision est l'une de : ${allowed.join(', ')}.`, '.action');
  const reason = mitigation.action.text?.trim() ?? '';
  if (reason === '') throw refusal('La décision dit pourquoi (action.text).', '.action.text');
  if (mitigation.author !== undefined && mitigation.author.reference !== actor.reference)
    throw refusal('La décision est signée de qui la prend.', '.author');
  const aboutImages = decision === 'images-rejected' || decision === 'images-reattached';
  if (aboutImages && !namesImages)
    throw refusal(
      "Ce problème porte sur la demande, non sur des images : confirmez l'identité, ou faites annuler la demande.",
      '.action',
    );
  if (decision !== 'images-reattached') return { decision, reason };
  const reference = mitigation.extension?.find(({ url }) => url === structureDefinition.reattachedTo)?.valueReference;
  const target = idOf(reference, 'Task');
  if (target === undefined) throw refusal('Le dossier qui reçoit les images est à nommer.', '.extension');
  return { decision, reason, target };
}

function mitigationOf(issue: DetectedIssue): DetectedIssueMitigation | undefined {
  return issue.mitigation?.find(({ action }) => codeOf(action, codeSystem.mitigation) !== undefined);
}

/** The decided problem, with who and when as the platform knows them. */
export function stamped(issue: DetectedIssue & { id: string }, tx: FhirTransaction): DetectedIssue & { id: string } {
  const { actor } = tx.context;
  const chosen = mitigationOf(issue);
  const author = actor.reference.startsWith('Practitioner/')
    ? { author: { reference: actor.reference, display: actor.display } }
    : {};
  const mitigation = issue.mitigation?.map((each) =>
    each === chosen ? { ...each, ...author, date: tx.context.now().toISOString() } : each,
  );
  return { ...issue, status: 'final', ...(mitigation ? { mitigation } : {}) };
}

/** Whether a write only adds who and when to a decision that has neither: the platform's own, in the transaction of the decision. */
export function isStamp(before: DetectedIssue, after: DetectedIssue, tx: FhirTransaction): boolean {
  const was = mitigationOf(before);
  const is = mitigationOf(after);
  if (was === undefined || is === undefined) return false;
  // The clock goes on between the stamp and this look at it.
  const age = tx.context.now().getTime() - Date.parse(is.date ?? '');
  const writes = tx.changes.filter(({ type, id }) => type === 'DetectedIssue' && id === before.id);
  return (
    writes.length > 1 &&
    after.status === 'final' &&
    age >= 0 &&
    age <= longestWriteMs &&
    JSON.stringify(was.action) === JSON.stringify(is.action) &&
    (is.author === undefined || is.author.reference === tx.context.actor.reference)
  );
}

/** Which case took the images, and whether they were refused there before: what was decided is not undone by the next image. */
export function wasRejected(issues: readonly DetectedIssue[], caseId: string): boolean {
  return issues.some(
    (issue) =>
      issue.implicated?.some((each) => idOf(each, 'Task') === caseId) === true &&
      ['images-rejected', 'images-reattached'].includes(
        codeOf(mitigationOf(issue)?.action, codeSystem.mitigation) ?? '',
      ),
  );
}
