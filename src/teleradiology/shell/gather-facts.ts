/** Gathers what the machine must know about a case, in the caller's transaction. */
import type { DetectedIssue, Organization, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type Facts, signedStates, stateDefinition, unquestioned } from '../case/index.ts';
import { criticalOf } from '../critical/critical-fact.ts';
import { blockedBy, type IdentityFacts, isUndecided } from '../identity/issue-kinds.ts';
import { linksOfCase } from '../images/study-link.ts';
import { kindOf } from '../kinds/index.ts';
import { standingOfActor } from '../people/reader-standing.ts';
import { missingOf } from '../request/completeness.ts';
import { type EstablishmentSettings, establishmentSettings, isLive } from '../settings.ts';
import { readingClockOf } from './case-clocks.ts';
import { announcedStudies, basisOf, idOf, inputsOf, milestonesOf, outputsOf, stateOf } from './case-task.ts';
import { type CaseView, establishmentOf } from './case-view.ts';
import { childFacts } from './child-facts.ts';
import { consentOf } from './consent.ts';
import { errorDeclaredBy } from './error-declared.ts';
import { kindFacts, termsOfKind } from './kind-facts.ts';

/** What holds of a case about which nothing more is known. */
const unburdened = {
  readers: ['radiologist'],
  imagesExpected: true,
  missing: [],
  question: false,
  cancellationAsked: false,
  reader: unquestioned,
  credentialsRequired: false,
  dutyRequired: false,
  secondReadingRequired: false,
  secondReading: 'none',
  complement: 'none',
  addendum: 'none',
  addendumOnRequest: false,
  critical: 'none',
} as const satisfies Partial<Facts>;

export async function gatherFacts(tx: FhirTransaction, task: Task & { id: string }, now: Date): Promise<CaseView> {
  const { tenant } = tx.context;
  const establishment = await establishmentOf(tx, task);
  const settings = establishmentSettings(establishment);
  const links = await linksOfCase(tx.sql, tenant, task.id);
  const studies = links.filter((link) => link.state === 'attached');
  const children = await childFacts(tx, task);
  const arrivals = studies.flatMap((link) => Object.entries(link.series));
  const quietSince = now.getTime() - settings.quietSeconds * 1000;
  const isQuiet = (at: string): boolean => Date.parse(at) <= quietSince;
  const announced = announcedStudies(task);
  const facts: Facts = {
    ...unburdened,
    ...(await kindFacts(tx, task, establishment, settings)),
    ...children.facts,
    question: outputsOf(task, 'question').length > 0,
    cancellationAsked: outputsOf(task, 'cancellation-request').length > 0,
    reader: await standingOfActor(tx, task.requester?.reference, now),
    credentialsRequired: settings.credentialsRequired,
    dutyRequired: settings.dutyRequired,
    critical: await criticalOf(tx, task),
    assignedTo: task.restriction?.recipient?.[0]?.reference,
    live: isLive(settings, now),
    urgent: task.priority !== 'routine',
    owner: task.owner?.reference,
    placerNumber: Boolean(task.groupIdentifier?.value),
    consent: await consentOf(tx, task),
    protocolGiven: outputsOf(task, 'protocol').length > 0,
    flow4: inputsOf(task, 'act').length > 0,
    ...(await identityOf(tx, task)),
    // Asked when the request is sent; afterwards the question speaks for itself.
    missing: stateOf(task) === 'draft' ? await missingOfDraft(tx, task, settings) : [],
    quarantined: links.some((link) => link.state === 'quarantined'),
    images: {
      instances: studies.reduce((sum, link) => sum + link.instances, 0),
      quiet: arrivals.length > 0 && arrivals.every(([, { at }]) => isQuiet(at)),
      firstSeriesQuiet: arrivals.some(([, { at }]) => isQuiet(at)),
      missingStudies: announced.filter((uid) => !studies.some((link) => link.studyUid === uid)).length,
      declaredComplete: inputsOf(task, 'images-declared-complete').length > 0,
      provisional: basisOf(task) === 'provisional',
      notDisplayed: arrivals.filter(([uid]) => !children.displayed.has(uid)).length,
    },
    phoneExchange: outputsOf(task, 'phone-exchange').length > 0,
    report: await reportState(tx, task),
    reportAcknowledged: outputsOf(task, 'acknowledgement').length > 0,
    ...errorOf(task),
    clockStarted: readingClockOf(task) !== undefined,
    milestones: [...milestonesOf(task).keys()],
    input: {},
  };
  return { facts, settings, studies };
}

/** The view of a case that does not exist yet: nothing has to be read for it. */
export function viewOfNewCase(
  task: Task,
  establishment: Organization,
  known: IdentityFacts & Pick<Facts, 'missing'>,
  now: Date,
): CaseView {
  const settings = establishmentSettings(establishment);
  const facts: Facts = {
    ...unburdened,
    ...termsOfKind(kindOf(task), settings),
    live: isLive(settings, now),
    urgent: task.priority !== 'routine',
    placerNumber: Boolean(task.groupIdentifier?.value),
    consent: 'missing',
    protocolGiven: false,
    flow4: false,
    ...known,
    quarantined: false,
    images: {
      instances: 0,
      quiet: false,
      firstSeriesQuiet: false,
      missingStudies: 0,
      declaredComplete: false,
      provisional: false,
      notDisplayed: 0,
    },
    phoneExchange: false,
    report: 'none',
    reportAcknowledged: false,
    clockStarted: false,
    milestones: [],
    input: {},
  };
  return { facts, settings, studies: [] };
}

async function reportState(tx: FhirTransaction, task: Task): Promise<Facts['report']> {
  const id = outputsOf(task, 'report').map((each) => idOf(each.valueReference, 'DiagnosticReport'))[0];
  if (id === undefined) return 'none';
  const state = stateOf(task);
  if (state === undefined || !signedStates.includes(state)) return 'draft';
  const report = await tx.find('DiagnosticReport', id);
  return report !== undefined && ['final', 'amended', 'corrected', 'appended'].includes(report.status)
    ? 'final'
    : 'draft';
}

/** A declared error is of no account once the case ended. */
function errorOf(task: Task): Pick<Facts, 'errorDeclaredBy'> {
  const by = stateDefinition(stateOf(task) ?? '')?.final ? undefined : errorDeclaredBy(task);
  return by === undefined ? {} : { errorDeclaredBy: by };
}

/** Problems of identity that nobody has decided about yet. */
export async function undecidedIssues(tx: FhirTransaction, caseId: string): Promise<DetectedIssue[]> {
  return (await tx.search('DetectedIssue', `implicated=Task/${caseId}`)).filter(isUndecided);
}

async function missingOfDraft(tx: FhirTransaction, task: Task, settings: EstablishmentSettings): Promise<string[]> {
  const id = idOf(task.focus, 'ServiceRequest');
  const request = id === undefined ? undefined : await tx.find('ServiceRequest', id);
  return request === undefined ? [] : missingOf(tx, task, request, settings);
}

/** What they hold of the case. */
async function identityOf(tx: FhirTransaction, task: Task & { id: string }): Promise<IdentityFacts> {
  const blocked = (await undecidedIssues(tx, task.id)).map(blockedBy);
  return { identityProblem: blocked.includes('reading'), identityDoubt: blocked.includes('signature') };
}
