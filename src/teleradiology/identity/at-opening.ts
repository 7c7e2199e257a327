/** Doubts about a request before its case is made (ID-2): what it shares with other patients, other cases, other images. */
import type { Organization, Patient, ServiceRequest } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';
import { establishmentOf } from '../shell/case-view.ts';
import { communication } from '../shell/communication.ts';
import type { Shell } from '../shell/perform.ts';
import { casesNotSent } from './cases-not-sent.ts';
import { claimedStudy, isStudyOfOthers, studyOfOthers } from './claimed-study.ts';
import { differing } from './compare-traits.ts';
import { type Doubt, problemsOf } from './doubt.ts';
import { holdCase, raiseProblem } from './hold-case.ts';
import { homonymsOf } from './homonyms.ts';
import { type IdentityFacts, issueKinds } from './issue-kinds.ts';
import { codeOfTraits, reportProblem, traitsDetail } from './problem.ts';
import { accessionDoubts, patientOf } from './same-accession.ts';
import { sameRequests } from './same-request.ts';
import { namedStudies } from './shared-number.ts';
import { survivorOf } from './survivor.ts';
import { type Trait, traitsOfPatient } from './traits.ts';

/**
 * Homonyms that are named, and whose cases wait as well. More than these are no two persons who could be taken for each other but an
 * identity given to whoever has none (« INCONNU », 1 January 1900): each of their cases met its own doubt when it was opened, and holding
 * them all again for every one that comes would have the night decide hundreds of times and read nothing.
 */
const namedAtMost = 20;

export interface OpeningRequest {
  serviceRequest: ServiceRequest & { id: string };
  establishment: Organization;
  /** The patient as we know them. */
  patient: Patient & { id: string };
  /** What the request says of them, where it said it itself, and on which traits it contradicts. */
  received?: { patient: Patient; problems: readonly Trait[] };
}

/** What these doubts make true of their case: it waits for identity vigilance, or may be read and not concluded from. */
export function identityFacts(doubts: readonly Doubt[]): IdentityFacts {
  const blocked = doubts.map(({ code }) => issueKinds[code].blocks);
  return { identityProblem: blocked.includes('reading'), identityDoubt: blocked.includes('signature') };
}

export async function doubtsAbout(tx: FhirTransaction, opening: OpeningRequest): Promise<Doubt[]> {
  return [
    ...ended(opening),
    ...contradicted(opening),
    ...(await accessionDoubts(tx, opening.serviceRequest, opening.patient)),
    ...(await claimedStudies(tx, opening)),
    ...(await repeated(tx, opening)),
    ...(await homonyms(tx, opening)),
  ];
}

/** The same of a draft, when it is sent. */
export async function doubtsAboutDraft(tx: FhirTransaction, task: CaseTask): Promise<Doubt[]> {
  const id = idOf(task.focus, 'ServiceRequest');
  const serviceRequest = id === undefined ? undefined : await tx.find('ServiceRequest', id);
  const establishment = await establishmentOf(tx, task);
  const patient = serviceRequest && (await patientOf(tx, serviceRequest));
  if (serviceRequest?.id === undefined || patient?.id === undefined || establishment === undefined) return [];
  return doubtsAbout(tx, {
    serviceRequest: serviceRequest as ServiceRequest & { id: string },
    establishment,
    patient: patient as Patient & { id: string },
  });
}

/** Names the doubts for the case that was made, and holds the others they concern. */
export async function raiseDoubts(
  shell: Shell,
  tx: FhirTransaction,
  task: CaseTask,
  doubts: readonly Doubt[],
): Promise<void> {
  for (const doubt of doubts) {
    const [problem, ...apart] = problemsOf(task, doubt);
    const { created } = await reportProblem(tx, problem);
    if (!created) continue;
    if (issueKinds[doubt.code].tellsSite) await tellSite(tx, task, doubt);
    for (const other of doubt.otherCases) await holdCase(shell, tx, other.id, problem);
    for (const each of apart) await raiseProblem(shell, tx, each);
  }
}

/** The patient may still be there to be asked their name and date of birth: who stands beside them checks it best, night or day (RNIV). */
async function tellSite(tx: FhirTransaction, task: CaseTask, { detail }: Pick<Doubt, 'detail'>): Promise<void> {
  await tx.create(
    communication(task, {
      category: 'identity-problem',
      text: `${detail} Rien n'est signé avant que quelqu'un ait dit comment il l'a vérifié, sur la page du dossier.`,
      recipients: task.requester ? [task.requester] : [],
      sent: tx.context.now(),
      urgent: task.priority !== 'routine',
    }),
  );
}

/** A client that did not hear of the merge asks under the identity that ended: it is read under the one that remains, once somebody said so. */
function ended({ patient }: OpeningRequest): Doubt[] {
  const replaced = survivorOf(patient) !== undefined;
  if (!replaced && patient.active !== false) return [];
  return [
    {
      code: 'patient-merged',
      detail: replaced
        ? 'La demande désigne une identité qui avait déjà été fusionnée dans une autre.'
        : 'La demande désigne une identité qui avait déjà été retirée du service.',
      sides: { known: patient },
      others: [`Patient/${patient.id}`],
      otherCases: [],
      keyPart: 'ended',
    },
  ];
}

function contradicted({ patient, received }: OpeningRequest): Doubt[] {
  if (received === undefined || received.problems.length === 0) return [];
  return [
    {
      code: codeOfTraits(received.problems),
      detail: traitsDetail('request', received.problems),
      traits: received.problems,
      sides: { known: patient, received: received.patient },
      otherCases: [],
      keyPart: 'request',
    },
  ];
}

async function claimedStudies(tx: FhirTransaction, { serviceRequest, patient }: OpeningRequest): Promise<Doubt[]> {
  const doubts: Doubt[] = [];
  for (const link of await namedStudies(tx, serviceRequest)) {
    const other =
      link.caseId === undefined ? undefined : ((await tx.find('Task', link.caseId)) as CaseTask | undefined);
    if (other !== undefined && link.state === 'attached')
      doubts.push(await claimedStudy(tx, serviceRequest, link, other));
    else if (await isStudyOfOthers(tx, serviceRequest, patient, link)) doubts.push(studyOfOthers(link));
  }
  return doubts;
}

async function repeated(tx: FhirTransaction, opening: OpeningRequest): Promise<Doubt[]> {
  const { timeZone } = establishmentSettings(opening.establishment).delays;
  const others = await sameRequests(tx, opening.serviceRequest, tx.context.now(), timeZone);
  const [first] = others;
  if (first === undefined) return [];
  return [
    {
      code: 'duplicate-request',
      detail: 'Le même acte est déjà demandé pour ce patient le même jour, dans un autre dossier.',
      otherCases: [],
      // By their requests: what was asked first goes on.
      others: others.flatMap(({ focus }) => focus?.reference ?? []),
      keyPart: 'request',
    },
  ];
}

/**
 * One doubt, however many they are: what has to be checked is the same. Whose exam came first says nothing about which was put under the
 * wrong name: the cases of the others wait for the same decision.
 */
async function homonyms(tx: FhirTransaction, { patient }: OpeningRequest): Promise<Doubt[]> {
  const others = await homonymsOf(tx, patient);
  if (others.length === 0) return [];
  const traits = others.flatMap((other) => differing(traitsOfPatient(patient), traitsOfPatient(other)));
  const named = others.slice(0, namedAtMost).map(({ id }) => id);
  return [
    {
      code: 'homonym',
      detail: homonymDetail(others.length),
      sides: { known: patient, others },
      traits: [...new Set(traits)],
      others: named.map((id) => `Patient/${id}`),
      otherCases: others.length > namedAtMost ? [] : await casesNotSent(tx, named),
      keyPart: 'homonyms',
    },
  ];
}

function homonymDetail(count: number): string {
  const many = count === 1 ? 'Un autre patient' : `${count} autres patients`;
  const alone =
    count > namedAtMost
      ? " Une identité par défaut a ce nombre d'homonymes : seul ce dossier attend, les leurs ne sont pas retenus de nouveau."
      : '';
  return `${many} de l'établissement, presque les mêmes traits : vérifiez de qui est l'examen.${alone}`;
}
