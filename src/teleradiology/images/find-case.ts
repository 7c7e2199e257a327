/** Finds the case of a study, in the order of design §5 rule 5; says why when the images contradict the request. */
import type { Coding, Identifier, ImagingStudy, Patient, ServiceRequest } from '@medplum/fhirtypes';
import { escapeValue, type FhirTransaction, identifierQuery, identifierToken, labelsOf } from '../../fhir/index.ts';
import type { StudyIdentity } from '../../imaging/contract.ts';
import { openStates, stateDefinition } from '../case/index.ts';
import { codeSystem, identifierIs, insSystems, studyIdentifier } from '../codes.ts';
import { imageContradictions } from '../identity/compare-traits.ts';
import { isPrior } from '../identity/study-doubts.ts';
import { ippsOf, type Trait } from '../identity/traits.ts';
import { type AttachmentBasis, announcedStudies, type CaseTask, idOf, stateOf } from '../shell/case-task.ts';

export interface FoundCase {
  task: CaseTask;
  basis: AttachmentBasis;
  /** Traits of the images that contradict the patient of the request: nothing may be attached. */
  contradictions: Trait[];
}

const caseCode = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);

/** @returns undefined when no case, or more than one, can be meant. */
export async function findCase(tx: FhirTransaction, identity: StudyIdentity): Promise<FoundCase | undefined> {
  const announcing = await casesAnnouncing(tx, identity.studyInstanceUid);
  const announced = announcing.length > 0 ? await single(tx, announcing, 'study-uid', identity) : undefined;
  if (announced !== undefined && !(await isCoincidence(tx, announced, identity))) return announced;
  // Several that announce it leave the choice to a person; another establishment's announcement leaves these images to their own case.
  if (announced === undefined && announcing.length > 0) return undefined;
  const found = await findByNumber(tx, identity);
  return found !== undefined && (await isCoincidence(tx, found, identity)) ? undefined : found;
}

/**
 * Two hospitals count alike: a number of theirs under which another hospital's request asks for another patient is no contradiction of either,
 * and neither side is shown who the other's patient is. Nor do images wait for a hospital that announces the UID of another one's exam.
 */
async function isCoincidence(
  tx: FhirTransaction,
  { task, contradictions }: FoundCase,
  identity: StudyIdentity,
): Promise<boolean> {
  return contradictions.length > 0 && !isFrom(task, labelsOf(await imagesOf(tx, identity)));
}

/** Whether a case is of who sent the images; of anybody's where nothing says who did. */
function isFrom(task: CaseTask, senders: readonly string[]): boolean {
  return senders.length === 0 || senders.includes(idOf(task.requester, 'Organization') ?? '');
}

async function findByNumber(tx: FhirTransaction, identity: StudyIdentity): Promise<FoundCase | undefined> {
  if (identity.accessionNumber !== undefined) {
    const { accessionNumber: value, accessionIssuer: issuer } = identity;
    const system = issuer === undefined ? undefined : /^[0-9.]+$/.test(issuer) ? `urn:oid:${issuer}` : issuer;
    const matches = await casesOf(
      tx,
      system === undefined ? valueToken(value) : identifierToken(system, value),
      (request) => hasNumber(request, 'ACSN', value),
    );
    if (matches.length > 0) return single(tx, matches, 'accession-number', identity);
  }
  if (identity.placerOrderNumber !== undefined) {
    const value = identity.placerOrderNumber;
    const matches = await casesOf(tx, valueToken(value), (request) => hasNumber(request, 'PLAC', value));
    if (matches.length > 0) return single(tx, matches, 'placer-number', identity);
  }
  return findByPatient(tx, identity);
}

const hasNumber = (request: ServiceRequest, type: string, value: string): boolean =>
  request.identifier?.some((each) => each.value === value && identifierIs(each, type)) ?? false;

/** A number of whatever system. */
const valueToken = (value: string): string => encodeURIComponent(escapeValue(value));

/** Cases, not closed before reading, of the requests with this identifier. */
async function casesOf(
  tx: FhirTransaction,
  token: string,
  confirms: (request: ServiceRequest) => boolean,
): Promise<CaseTask[]> {
  const requests = await tx.search('ServiceRequest', `identifier=${token}&_count=20`);
  const cases: CaseTask[] = [];
  for (const request of requests.filter(confirms)) {
    const tasks = await tx.search('Task', `based-on=ServiceRequest/${request.id}&code=${caseCode}&_count=2`);
    cases.push(...(tasks as CaseTask[]).filter(takesImages));
  }
  return cases;
}

/** Cases that announce a study. */
export async function casesAnnouncing(tx: FhirTransaction, studyUid: string): Promise<CaseTask[]> {
  const { system, value } = studyIdentifier(studyUid);
  return casesOf(tx, identifierToken(system, value), () => true);
}

/** A draft was not sent yet, a closed case expects nothing more: images wait for the one, and are not swallowed by the other. */
function takesImages(task: CaseTask): boolean {
  const state = stateOf(task);
  return state !== undefined && state !== 'draft' && stateDefinition(state)?.final !== true;
}

/** Several cases with one number, of who sent the images where that is known, leave the choice to a person. */
async function single(
  tx: FhirTransaction,
  cases: CaseTask[],
  basis: AttachmentBasis,
  identity: StudyIdentity,
): Promise<FoundCase | undefined> {
  const senders = cases.length > 1 ? labelsOf(await imagesOf(tx, identity)) : [];
  const [task, another] = cases.filter((each) => isFrom(each, senders));
  if (task === undefined || another !== undefined) return undefined;
  const patient = await tx.find('Patient', idOf(task.for, 'Patient') ?? '');
  return { task, basis, contradictions: patient === undefined ? [] : contradictionsWith(patient, identity) };
}

/** What the images say of the patient against what the request says. */
export function contradictionsWith(patient: Patient, identity: StudyIdentity): Trait[] {
  const traits = imageContradictions(patient, identity);
  return anotherNumber(patient, identity) ? ['ipp', ...traits] : traits;
}

/** A number of the same domain that is not this patient's; a foreign issuer's number says nothing. */
function anotherNumber(patient: Patient, identity: StudyIdentity): boolean {
  const { patientId, issuerOfPatientId: issuer } = identity;
  const ipps = ippsOf(patient);
  if (patientId === undefined || ipps.length === 0) return false;
  // A PACS that keeps numbers as numbers drops their zeros.
  if (patient.identifier?.some((each) => unpadded(each.value) === unpadded(patientId))) return false;
  return issuer === undefined || ipps.some((each) => isIssuedBy(each, issuer));
}

function unpadded(value: string | undefined): string | undefined {
  return value !== undefined && /^\d+$/.test(value) ? value.replace(/^0+(?=\d)/, '') : value;
}

/** The issuer of a DICOM patient number, a universal or a local name, against the system of an IPP or who assigned it. */
function isIssuedBy(ipp: Identifier, issuer: string): boolean {
  return ipp.system?.endsWith(issuer) === true || ipp.assigner?.display === issuer;
}

/** The single open case of that patient, known by number, and modality: provisional. */
async function findByPatient(tx: FhirTransaction, identity: StudyIdentity): Promise<FoundCase | undefined> {
  if (identity.patientId === undefined) return undefined;
  const { patientId: value, issuerOfPatientId: issuer } = identity;
  const patients = (await tx.search('Patient', `identifier=${valueToken(value)}&_count=10`)).filter((patient) =>
    patient.identifier?.some(
      (each) =>
        each.value === value &&
        (identifierIs(each, 'PI') || insSystems.includes(each.system ?? '')) &&
        // The same number of another issuer is this patient's only if nothing else says otherwise (a PACS may name it its own way).
        (issuer === undefined || isIssuedBy(each, issuer) || imageContradictions(patient, identity).length === 0),
    ),
  );
  const candidates: { task: CaseTask; patient: Patient }[] = [];
  for (const patient of patients) {
    const tasks = (await tx.search('Task', `patient=Patient/${patient.id}&code=${caseCode}`)) as CaseTask[];
    for (const task of tasks) if (await mayBeMeant(tx, task, identity)) candidates.push({ task, patient });
  }
  const [only, another] = candidates;
  if (only === undefined || another !== undefined) return undefined;
  return { task: only.task, basis: 'provisional', contradictions: imageContradictions(only.patient, identity) };
}

async function mayBeMeant(tx: FhirTransaction, task: CaseTask, identity: StudyIdentity): Promise<boolean> {
  const state = stateOf(task);
  if (state === undefined || state === 'draft' || !openStates.includes(state)) return false;
  // Flow 4 said which studies the exam has: this one is not among them, else its UID had matched.
  if (announcedStudies(task).length > 0) return false;
  const request = await tx.find('ServiceRequest', idOf(task.focus, 'ServiceRequest') ?? '');
  if (request === undefined || !modalityFits(request, identity.modalities)) return false;
  // A prior that is pushed for comparison is not the exam.
  const study = await imagesOf(tx, identity);
  return study === undefined || !isPrior(study, request, new Date(task.authoredOn ?? 0));
}

async function imagesOf(tx: FhirTransaction, { studyInstanceUid }: StudyIdentity): Promise<ImagingStudy | undefined> {
  const { system, value } = studyIdentifier(studyInstanceUid);
  return (await tx.search('ImagingStudy', `${identifierQuery(system, value)}&_count=1`))[0];
}

/** Modalities of images for each requestable modality (value set 1.2.250.1.213.1.1.5.660); others have no rule. */
const imagesFor: Readonly<Record<string, readonly string[]>> = {
  CT: ['CT'],
  MR: ['MR'],
  MG: ['MG'],
  NM: ['NM', 'CT'],
  PT: ['PT', 'CT', 'MR'],
  'MED-1126': ['CR', 'DX', 'RG', 'RF', 'XA'],
  'MED-1127': ['CR', 'DX', 'RG', 'RF', 'XA'],
  'MED-1128': ['US'],
  'MED-1129': ['US'],
};

function modalityFits(request: ServiceRequest, modalities: readonly string[]): boolean {
  const codings: Coding[] = [
    ...(request.orderDetail ?? []),
    ...(request.category ?? []),
    ...(request.code ? [request.code] : []),
  ].flatMap((concept) => concept.coding ?? []);
  const wanted = codings.map((coding) => coding.code ?? '').filter((code) => code in imagesFor);
  if (wanted.length === 0) return true;
  return wanted.some((code) => imagesFor[code]?.some((modality) => modalities.includes(modality)));
}
