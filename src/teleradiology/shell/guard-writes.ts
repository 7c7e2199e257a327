/**
 * What the store asks before every commit: nobody but the machine changes the course of a case (design §5 rule 4). A plain
 * update that is exactly a legal transition goes through the machine; any other is refused with what is legal.
 */
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { type CaseEvent, type CaseState, legalEvents, transitions } from '../case/index.ts';
import { codeSystem, type TaskCode } from '../codes.ts';
import { doubtsAboutDraft, identityFacts, raiseDoubts } from '../identity/at-opening.ts';
import { patientChanged } from '../identity/patient-changes.ts';
import { requestCompleted } from '../identity/request-completed.ts';
import { issueWritten } from '../identity/resolve-problem.ts';
import { attachWaiting } from '../images/attach.ts';
import { documentWritten } from '../request/attach-document.ts';
import type { PendingRequests } from '../request/from-rest.ts';
import { placerOf } from '../request/open-case.ts';
import { requestRewritten } from '../request/request-rewritten.ts';
import { type CaseTask, isTaskOf, outputsOf, stateOf } from './case-task.ts';
import { consentWritten } from './consent-written.ts';
import { gatherFacts } from './gather-facts.ts';
import { actorOf, type Shell, transition } from './perform.ts';
import { refusalError } from './refusal.ts';
import { ownedPart, withOwnedPart } from './task-writes.ts';

/** Operations whose content a plain update can carry. */
const alsoByUpdate: readonly CaseEvent[] = [
  'protocol',
  'refuse',
  'cancel',
  'claim',
  'release',
  'suspend',
  'resume',
  'ask',
  'answer',
];

export async function guardWrite(
  shell: Shell,
  pending: PendingRequests,
  change: Change,
  tx: FhirTransaction,
): Promise<void> {
  if (change.type === 'ServiceRequest' && change.interaction === 'create' && change.after) return pending.arrived(tx);
  if (change.type === 'ServiceRequest') return guardRequest(shell, change, tx);
  if (change.type === 'DetectedIssue') return issueWritten(shell, change, tx);
  if (change.type === 'DocumentReference') return documentWritten(shell, change, tx);
  if (change.type === 'Patient')
    return change.interaction === 'create' ? pending.arrived(tx) : patientChanged(shell, change, tx);
  if (change.type === 'Consent') return consentWritten(change, tx);
  if (change.type !== 'Task') return;
  const before = change.before as Task | undefined;
  const after = change.after as CaseTask | undefined;
  if (after !== undefined && shell.writes.ours(tx, after)) return;
  if (after === undefined) {
    if (before && isMachines(before))
      throw new FhirError(422, 'business-rule', 'Un dossier ne se supprime pas : annulez-le.', 'Task');
    return;
  }
  if (before === undefined || !isMachines(before)) return guardCreate(pending, before, after, tx);
  if (ownedPart(before) === ownedPart(after)) return;
  if (!isTaskOf(before, 'teleradiology-case'))
    throw new FhirError(
      422,
      'business-rule',
      "L'état d'une tâche du dossier est tenu par la plateforme : il change par les opérations du dossier.",
      'Task.status',
    );
  await guardUpdate(shell, before as CaseTask, after, tx);
}

/** Whose exam it is, and by which number it was asked, were checked when the case was opened: neither changes under the case. */
async function guardRequest(shell: Shell, change: Change, tx: FhirTransaction): Promise<void> {
  const before = change.before as ServiceRequest | undefined;
  const after = change.after as ServiceRequest | undefined;
  if (before === undefined) return;
  const [known, given] = [placerOf(before), after && placerOf(after)];
  const sameNumber = known?.system === given?.system && known?.value === given?.value;
  const samePatient = before.subject.reference === after?.subject.reference;
  if (sameNumber && samePatient && after !== undefined) {
    await requestRewritten(shell, tx, before, after);
    return requestCompleted(shell, tx, before, after);
  }
  const code = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);
  const cases = await tx.search('Task', `based-on=ServiceRequest/${before.id}&code=${code}&_count=1`);
  if (cases.length === 0) return;
  // A recorded merge moved the case first (identity/move-patient.ts).
  if (sameNumber && after !== undefined && cases[0]?.for?.reference === after.subject.reference) return;
  throw new FhirError(
    422,
    'business-rule',
    'La demande d’un dossier garde son patient et son numéro, et ne se supprime pas : annulez-la, puis envoyez-en une nouvelle.',
    samePatient ? 'ServiceRequest.identifier' : 'ServiceRequest.subject',
  );
}

/** Kinds of Task that only the machine writes. */
const machines: readonly TaskCode[] = [
  'teleradiology-case',
  'deliver',
  'alert',
  'second-read',
  're-reading',
  'addendum',
];

const isMachines = (task: Task): boolean => machines.some((code) => isTaskOf(task, code));

async function guardCreate(
  pending: PendingRequests,
  before: Task | undefined,
  after: CaseTask,
  tx: FhirTransaction,
): Promise<void> {
  if (isTaskOf(after, 'teleradiology-case')) {
    if (before !== undefined)
      throw new FhirError(422, 'business-rule', 'Une tâche ne devient pas un dossier.', 'Task.code');
    return pending.posted(tx, after);
  }
  const claimsState = after.businessStatus?.coding?.some((coding) => coding.system === codeSystem.caseStatus);
  if (isMachines(after) || claimsState)
    throw new FhirError(422, 'business-rule', 'Cette tâche est tenue par la plateforme.', 'Task.code');
}

async function guardUpdate(shell: Shell, before: CaseTask, after: CaseTask, tx: FhirTransaction): Promise<void> {
  const from = stateOf(before);
  if (from === undefined)
    throw new FhirError(422, 'business-rule', 'Ce dossier a un état inconnu.', 'Task.businessStatus');
  const event = await eventOf(tx, from, before, after);
  if (event === undefined || !carriesOnly(event, before, after)) throw await notATransition(tx, before, from);
  if (event === 'triage') refuseLowering(after, tx);
  const base = withOwnedPart(after, before);
  const known = new Set(outputsOf(before, 'protocol').map((each) => each.valueString));
  const protocols = outputsOf(after, 'protocol')
    .flatMap((each) => each.valueString ?? [])
    .filter((each) => !known.has(each));
  const reason = after.statusReason?.text ?? undefined;
  const given = event === 'triage' ? { ...base, priority: after.priority } : base;
  const doubts = event === 'submit' ? await doubtsAboutDraft(tx, before) : [];
  const moved = await transition(shell, tx, given, from, {
    event,
    ...(doubts.length > 0 ? { facts: identityFacts(doubts) } : {}),
    input: { reason, question: reason, answer: lastNote(before, after), protocols },
  });
  // Images may have come while the request was a draft: they wait.
  if (event !== 'submit') return;
  await raiseDoubts(shell, tx, moved, doubts);
  await attachWaiting(shell, tx, moved);
}

/** Who reads would else give themselves more time, and no telephone call to make: an urgent case is made routine by the coordinator alone. */
function refuseLowering(after: Task, { context: { actor } }: FhirTransaction): void {
  if (after.priority !== 'routine' || actor.roles.includes('coordinator')) return;
  throw FhirError.of(403, [
    {
      severity: 'error',
      code: 'forbidden',
      details: { text: 'Seul le coordonnateur déclasse une demande urgente : appelez-le.' },
      diagnostics: 'an urgent case is made routine by the coordinator alone',
      expression: ['Task.priority'],
    },
  ]);
}

/** A site that answers by a plain update says so in a note. */
function lastNote(before: Task, after: Task): string | undefined {
  const known = new Set(before.note?.map(({ text }) => text));
  return after.note?.findLast(({ text }) => !known.has(text))?.text;
}

const resting: readonly CaseEvent[] = ['suspend', 'resume'];

/** The event a client means by these states: of several that lead there, the first that is this client's. */
async function eventOf(
  tx: FhirTransaction,
  from: CaseState,
  before: CaseTask,
  after: Task,
): Promise<CaseEvent | undefined> {
  const to = stateOf(after);
  if (to === undefined) return undefined;
  if (to === from) return before.priority !== after.priority && before.status === after.status ? 'triage' : undefined;
  const events = transitions
    .filter((row) => row.to === to && row.from.includes(from))
    .filter((row) => row.via.includes('update') || alsoByUpdate.includes(row.event))
    .map((row) => row.event)
    // A reading that rests is not a question to the site, unless somebody of the site answers one.
    .toSorted((a, b) => Number(resting.includes(b)) - Number(resting.includes(a)));
  if (new Set(events).size < 2) return events[0];
  const { facts } = await gatherFacts(tx, before, tx.context.now());
  const legal = legalEvents(from, actorOf(tx), facts);
  return events.find((event) => legal.includes(event)) ?? events[0];
}

/** Only what the event is made of may differ from the stored case. */
function carriesOnly(event: CaseEvent, before: Task, after: Task): boolean {
  const neutral: Partial<Task> =
    event === 'triage'
      ? { priority: undefined }
      : {
          status: undefined,
          businessStatus: undefined,
          statusReason: undefined,
          ...(event === 'claim' || event === 'release' ? { owner: undefined } : {}),
          ...(event === 'protocol' ? { output: undefined } : {}),
        };
  return ownedPart({ ...before, ...neutral } as Task) === ownedPart({ ...after, ...neutral } as Task);
}

async function notATransition(tx: FhirTransaction, before: CaseTask, from: CaseState): Promise<FhirError> {
  const { facts } = await gatherFacts(tx, before, tx.context.now());
  const text = "L'état d'un dossier, et ce que la plateforme y écrit, ne changent que par ses opérations.";
  return refusalError({ guard: 'state', status: 422, text, legal: () => legalEvents(from, actorOf(tx), facts) }, from);
}
