/** A person of identity vigilance decides about a DetectedIssue of ours; the case and the images follow, the delivery resumes (ID-2). */
import type { DetectedIssue, Provenance } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { signedStates, stateDefinition } from '../case/index.ts';
import { codeSystem, concept } from '../codes.ts';
import { tellCase } from '../images/attach.ts';
import { idOf } from '../shell/case-task.ts';
import { errorDeclaredBy } from '../shell/error-declared.ts';
import { undecidedIssues } from '../shell/gather-facts.ts';
import { perform, readCase, type Shell, transition } from '../shell/perform.ts';
import { decideStudies } from './decide-studies.ts';
import { type Decided, isStamp, readDecision, stamped } from './decision.ts';
import { holdCase } from './hold-case.ts';
import { blockedBy, type IssueCode, issueKinds, isUndecided, kindOf } from './issue-kinds.ts';
import { recordMerge } from './move-patient.ts';
import { watchProblem } from './problem.ts';

const platform = 'Device/passerelle';

/** Any write of a DetectedIssue: what a person names holds its case too, a decision has its consequences, nothing is erased. */
export async function issueWritten(shell: Shell, change: Change, tx: FhirTransaction): Promise<void> {
  const before = change.before as DetectedIssue | undefined;
  const after = change.after as (DetectedIssue & { id: string }) | undefined;
  if (before === undefined) {
    if (after !== undefined && after.author?.reference !== platform && isUndecided(after))
      await named(shell, tx, after);
    return;
  }
  if (kindOf(before) === undefined) return;
  const stays =
    after !== undefined &&
    JSON.stringify([after.code, after.implicated]) === JSON.stringify([before.code, before.implicated]);
  if (after === undefined || !stays)
    throw new FhirError(
      422,
      'business-rule',
      "Un problème d'identité se décide ; il ne s'efface pas et ne change pas de nature.",
      'DetectedIssue',
    );
  if (isUndecided(before)) {
    // The platform closes what concerns ended cases only (remind.ts): nobody decided anything.
    if (!isUndecided(after) && tx.context.actor.kind !== 'system') await decided(shell, tx, before, after);
    return;
  }
  const same = JSON.stringify([after.status, after.mitigation]) === JSON.stringify([before.status, before.mitigation]);
  if (same || isStamp(before, after, tx)) return;
  throw new FhirError(422, 'business-rule', 'Une décision prise ne se réécrit pas.', 'DetectedIssue.mitigation');
}

/** A person who sees that something is wrong names it: it waits for a decision like what the platform found. */
async function named(shell: Shell, tx: FhirTransaction, issue: DetectedIssue & { id: string }): Promise<void> {
  const code = kindOf(issue)?.code as IssueCode;
  const problem = {
    code: Object.hasOwn(issueKinds, code) ? code : ('identity-mismatch' as const),
    detail: issue.detail ?? "Une personne a signalé un doute sur l'identité.",
  };
  const cases = (issue.implicated ?? []).flatMap((each) => idOf(each, 'Task') ?? []);
  for (const id of cases) await holdCase(shell, tx, id, problem);
  await watchProblem(tx, issue.id, tx.context.now());
}

/** @throws FhirError 403 for whoever may not decide, 422 for a decision that is none. */
async function decided(
  shell: Shell,
  tx: FhirTransaction,
  before: DetectedIssue,
  after: DetectedIssue & { id: string },
): Promise<void> {
  const what = readDecision(before, after, tx);
  const cases = (before.implicated ?? []).flatMap((each) => idOf(each, 'Task') ?? []);
  await tx.update(stamped(after, tx));
  await traced(tx, after.id, cases, what);
  if (what.decision === 'merge-recorded') for (const id of cases) await recordMerge(shell, tx, id);
  // Of the problem as we wrote it: a client that leaves out what it does not know must not leave the images behind.
  await decideStudies(shell, tx, before, what);
  const held = blockedBy(before) === 'reading';
  for (const id of cases) await releaseCase(shell, tx, id, held);
}

/** Who decided what, and why; the trail of accesses tells the rest. */
async function traced(tx: FhirTransaction, issueId: string, cases: readonly string[], what: Decided): Promise<void> {
  const { actor } = tx.context;
  await tx.create<Provenance>({
    resourceType: 'Provenance',
    target: [`DetectedIssue/${issueId}`, ...cases.map((id) => `Task/${id}`)].map((reference) => ({ reference })),
    recorded: tx.context.now().toISOString(),
    reason: [concept(codeSystem.mitigation, what.decision, what.reason)],
    activity: concept('http://terminology.hl7.org/CodeSystem/v3-DataOperation', 'UPDATE'),
    agent: [{ who: { reference: actor.reference, display: actor.display } as Provenance['agent'][number]['who'] }],
  });
}

/** A case goes on when nothing else holds it: the held request, and the report that waits to be sent. */
async function releaseCase(shell: Shell, tx: FhirTransaction, caseId: string, wasHeld: boolean): Promise<void> {
  const { state } = await readCase(tx, caseId);
  if (stateDefinition(state)?.final === true) return;
  const isSigned = signedStates.includes(state);
  if (!isSigned) await tellCase(shell, tx, caseId);
  const blocked = (await undecidedIssues(tx, caseId)).map(blockedBy);
  if (blocked.includes('reading')) return;
  const now = await readCase(tx, caseId);
  if (wasHeld && now.state === 'identity-hold')
    await perform(shell, tx, caseId, { event: 'lift-identity-hold', bySystem: true });
  if (isSigned && blocked.includes('signature')) return;
  if (isSigned) await transition(shell, tx, now.task, now.state, { event: 'settle', bySystem: true });
  // Somebody declared the case an error: its deliveries wait for that, too.
  if (errorDeclaredBy(now.task) !== undefined) return;
  // Before the signature it is what the site attached that waits for its archive.
  await shell.delivery.release(tx, `Task/${caseId}`);
}
