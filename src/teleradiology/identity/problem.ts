/** An identity problem as DetectedIssue: named, with its evidence and its due time, until identity vigilance decides (ID-2, RNIV). */
import type { DetectedIssue, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { setDueTime } from '../clock/index.ts';
import { codeSystem, concept, passerelle, structureDefinition, studyIdentifier } from '../codes.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';
import { establishmentOf } from '../shell/case-view.ts';
import { coordinators } from '../shell/communication.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { fromPlatform } from '../talk/platform-mark.ts';
import { evidenceOf, type Sides } from './evidence.ts';
import { type IssueCode, issueKinds } from './issue-kinds.ts';
import { type Trait, traitText } from './traits.ts';

export interface Problem {
  code: IssueCode;
  /** French; names traits and never their values. */
  detail: string;
  /** Cases concerned, the one it was found in first; none for images that belong to no case. */
  cases: readonly CaseTask[];
  traits?: readonly Trait[];
  sides?: Sides;
  /** Images concerned; their UID alone where they are not to be named. */
  study?: { uid: string; imagingStudyId?: string };
  /** Other resources concerned. */
  others?: readonly string[];
  /** Tells this problem from another one of its code: the same is not raised twice, decided or not. */
  key?: string;
}

/** Code of a contradiction: a number that belongs to somebody else says more than a trait written differently. */
export function codeOfTraits(traits: readonly Trait[]): IssueCode {
  if (traits.includes('ins')) return 'ins-collision';
  return traits.includes('ipp') ? 'duplicate-patient' : 'identity-mismatch';
}

/** French sentence that names the traits, never their values. */
export function traitsDetail(source: 'request' | 'images' | 'feed', traits: readonly Trait[]): string {
  const named = traits.map((trait) => traitText[trait]).join(', ');
  switch (source) {
    case 'request':
      return `L'identité portée par la demande diffère de celle du patient connu : ${named}.`;
    case 'images':
      return `L'identité portée par les images diffère de celle de la demande : ${named}.`;
    case 'feed':
      return `L'identité du patient a changé depuis la demande : ${named}.`;
  }
}

export const keySystem = `${passerelle}/sid/detected-issue`;

/** @returns the problem, and whether it is a new one. */
export async function reportProblem(
  tx: FhirTransaction,
  problem: Problem,
): Promise<{ issue: DetectedIssue & { id: string }; created: boolean }> {
  const [first] = problem.cases;
  const now = tx.context.now();
  const due = await dueOf(tx, first, now);
  const implicated: Reference[] = [
    ...problem.cases.map(({ id }) => ({ reference: `Task/${id}` })),
    ...(problem.study?.imagingStudyId ? [{ reference: `ImagingStudy/${problem.study.imagingStudyId}` }] : []),
    ...(problem.others ?? []).map((reference) => ({ reference })),
  ];
  const identifier = [
    ...(problem.study ? [studyIdentifier(problem.study.uid)] : []),
    ...(problem.key === undefined ? [] : [{ system: keySystem, value: `${problem.code}.${problem.key}` }]),
  ];
  const issue = fromPlatform<DetectedIssue>({
    resourceType: 'DetectedIssue',
    ...(identifier.length > 0 ? { identifier } : {}),
    ...evidenceOf(problem.sides ?? {}, problem.traits ?? []),
    extension: [decisionDue(due)],
    status: 'preliminary',
    code: concept(codeSystem.detectedIssue, problem.code),
    severity: issueKinds[problem.code].severity,
    ...(first?.for ? { patient: first.for as DetectedIssue['patient'] } : {}),
    identifiedDateTime: now.toISOString(),
    author: { reference: 'Device/passerelle' },
    ...(implicated.length > 0 ? { implicated } : {}),
    detail: problem.detail,
  });
  const key = identifier.find(({ system }) => system === keySystem);
  const made =
    key === undefined
      ? { resource: await tx.create(issue), created: true }
      : await tx.createIfNone(issue, `identifier=${encodeURIComponent(`${key.system}|${key.value}`)}`);
  if (made.created) await watchProblem(tx, made.resource.id, due.at);
  return { issue: made.resource as DetectedIssue & { id: string }, created: made.created };
}

interface Due {
  at: Date;
  owner?: Reference;
}

/** When identity vigilance should have decided by, and whose it is. */
async function dueOf(tx: FhirTransaction, task: CaseTask | undefined, now: Date): Promise<Due> {
  const settings = establishmentSettings(task === undefined ? undefined : await establishmentOf(tx, task));
  const platform = task === undefined ? await anyPlatformId(tx) : undefined;
  const owners = task === undefined ? [] : await coordinators(tx, task, settings);
  const id = idOf(owners[0], 'Organization') ?? platform;
  const organization = id === undefined ? undefined : await tx.find('Organization', id);
  const owner =
    id === undefined
      ? undefined
      : { reference: `Organization/${id}`, ...(organization?.name ? { display: organization.name } : {}) };
  return { at: new Date(now.getTime() + settings.identityMinutes * 60_000), ...(owner ? { owner } : {}) };
}

function decisionDue({ at, owner }: Due): NonNullable<DetectedIssue['extension']>[number] {
  return {
    url: structureDefinition.decisionDue,
    extension: [
      { url: 'due', valueDateTime: at.toISOString() },
      ...(owner ? [{ url: 'owner', valueReference: owner }] : []),
    ],
  };
}

/** Nobody has decided by then: somebody is told (identity/remind.ts). The problem outlives its case: the row is not the case's. */
export async function watchProblem(tx: FhirTransaction, issueId: string, dueAt: Date): Promise<void> {
  await setDueTime(tx.sql, tx.context.tenant, { caseId: '', kind: 'identity-issue', key: issueId, dueAt }, true);
}
