/** An identity problem nobody has decided about is told again, later each time, until somebody does (WF-4, clock `identity`). */
import type { Communication, DetectedIssue, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { stateDefinition } from '../case/index.ts';
import { codeSystem, concept, part, structureDefinition } from '../codes.ts';
import { runningOf } from '../shell/case-clocks.ts';
import { type CaseTask, idOf, stateOf } from '../shell/case-task.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { isUndecided } from './issue-kinds.ts';
import { watchProblem } from './problem.ts';

/** The wait between two reminders grows to this. */
const longestWaitMs = 24 * 3_600_000;

export async function remindProblem(tx: FhirTransaction, issueId: string): Promise<void> {
  const issue = (await tx.find('DetectedIssue', issueId)) as (DetectedIssue & { id: string }) | undefined;
  if (issue === undefined || !isUndecided(issue)) return;
  const now = tx.context.now();
  const cases = await casesOf(tx, issue);
  if (cases.length > 0 && cases.every((task) => stateDefinition(stateOf(task) ?? '')?.final === true)) {
    await closeWithCases(tx, issue, now);
    return;
  }
  // What a person named may not say when: without an instant to count from it would be told every minute.
  const found = new Date(issue.identifiedDateTime ?? issue.meta?.lastUpdated ?? now).getTime();
  const waitedMs = Math.max(60_000, now.getTime() - found);
  // Of a case that is held its own clock tells, until it is decided (case/clocks.ts).
  const clocked = cases.some((task) => runningOf(task).some(({ name }) => name === 'identity'));
  if (!clocked) await tx.create(message(issue, cases, now, waitedMs, await ownerOf(tx, issue)));
  await watchProblem(tx, issueId, new Date(now.getTime() + Math.min(waitedMs, longestWaitMs)));
}

async function casesOf(tx: FhirTransaction, issue: DetectedIssue): Promise<CaseTask[]> {
  const tasks: CaseTask[] = [];
  for (const reference of issue.implicated ?? []) {
    const id = idOf(reference, 'Task');
    const task = id === undefined ? undefined : await tx.find('Task', id);
    if (task !== undefined) tasks.push(task as CaseTask);
  }
  return tasks;
}

/** Nothing is read or sent any more of what it blocked. */
async function closeWithCases(tx: FhirTransaction, issue: DetectedIssue & { id: string }, now: Date): Promise<void> {
  const action = concept(codeSystem.mitigation, 'case-ended', 'Les dossiers concernés sont clos.');
  await tx.update({ ...issue, status: 'final', mitigation: [{ action, date: now.toISOString() }] });
}

/** To whom the decision belongs; the establishment learns it too when the first reminder was in vain. */
function message(
  issue: DetectedIssue,
  cases: readonly CaseTask[],
  now: Date,
  waitedMs: number,
  owner: Reference | undefined,
): Communication {
  const sites = isOverdue(issue, now) ? cases.flatMap((task) => task.requester ?? []) : [];
  const recipients = unique([...(owner ? [owner] : []), ...sites]);
  const minutes = Math.round(waitedMs / 60_000);
  return {
    resourceType: 'Communication',
    status: 'completed',
    category: [concept(codeSystem.communicationCategory, 'identity-waiting')],
    priority: 'urgent',
    ...(cases[0]?.for ? { subject: cases[0].for as Communication['subject'] } : {}),
    about: [{ reference: `DetectedIssue/${issue.id}` }, ...cases.map(({ id }) => ({ reference: `Task/${id}` }))],
    ...(recipients.length > 0 ? { recipient: recipients as Communication['recipient'] } : {}),
    sent: now.toISOString(),
    payload: [
      { contentString: `Problème d'identité sans décision depuis ${minutes} min : ${issue.detail ?? ''}`.trim() },
    ],
  };
}

/** A problem that a person named says nobody: it is the platform's. */
async function ownerOf(tx: FhirTransaction, issue: DetectedIssue): Promise<Reference | undefined> {
  const owner = part(dueOf(issue), 'owner')?.valueReference;
  if (owner !== undefined) return owner;
  const platform = await anyPlatformId(tx);
  return platform === undefined ? undefined : { reference: `Organization/${platform}` };
}

const dueOf = (issue: DetectedIssue) => issue.extension?.find(({ url }) => url === structureDefinition.decisionDue);

/** The first reminder is over. */
function isOverdue(issue: DetectedIssue, now: Date): boolean {
  const dueAt = Date.parse(part(dueOf(issue), 'due')?.valueDateTime ?? '');
  return !Number.isNaN(dueAt) && now.getTime() - dueAt >= 60_000;
}

function unique(references: readonly Reference[]): Reference[] {
  return [...new Map(references.map((each) => [each.reference, each])).values()];
}
