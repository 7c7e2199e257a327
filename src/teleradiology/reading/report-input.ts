/** Gathers everything the documents are made of, from current versions. */
import type {
  Coding,
  DiagnosticReport,
  Identifier,
  Patient,
  Practitioner,
  Reference,
  ServiceRequest,
} from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import type { ReportInput } from '../../report/contract.ts';
import { codeSystem, identifierIs } from '../codes.ts';
import { criticalStatements } from '../critical/statement.ts';
import { kindOf, ordinary } from '../kinds/index.ts';
import { readEstablishment } from '../request/open-case.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, idOf, inputsOf, outputsOf } from '../shell/case-task.ts';
import { platformId } from '../shell/platform.ts';
import { ccamOf, textOf } from './draft.ts';

/** Numbers of the document to be signed. */
export interface DocumentNumbers {
  oid: string;
  setOid: string;
  version: number;
  /** OID of the version before. */
  replaces?: string;
}

export async function reportInput(
  tx: FhirTransaction,
  task: CaseTask,
  report: DiagnosticReport,
  document: DocumentNumbers,
  signature: { by: Reference; at: Date },
): Promise<ReportInput> {
  const patient: Patient = await tx.read('Patient', needed(idOf(task.for, 'Patient'), 'Task.for'));
  const serviceRequest: ServiceRequest = await tx.read(
    'ServiceRequest',
    needed(idOf(task.focus, 'ServiceRequest'), 'Task.focus'),
  );
  const establishment = await readEstablishment(tx, needed(idOf(task.requester, 'Organization'), 'Task.requester'));
  const radiologistId = needed(idOf(signature.by, 'Practitioner'), 'Task.owner');
  const radiologist: Practitioner = await tx.read('Practitioner', radiologistId);
  const requesterId = idOf(serviceRequest.requester, 'Practitioner');
  const studyId = outputsOf(task, 'imaging-study').map((each) => idOf(each.valueReference, 'ImagingStudy'))[0];
  const acts = actsOf(task, report, serviceRequest);
  const url = inputsOf(task, 'partial-viewer-url')[0]?.valueUrl;
  const contrast = await contrastOf(tx, serviceRequest);
  const kind = kindOf(task);
  return {
    text: withStatements(textOf(report), await criticalStatements(tx, task)),
    ...(kind === ordinary ? {} : { form: kind.document }),
    patient,
    serviceRequest,
    ...(requesterId ? { requester: await tx.find('Practitioner', requesterId) } : {}),
    radiologist,
    platform: await platformFor(tx, radiologistId, establishment),
    establishment,
    ...(studyId ? { study: await tx.find('ImagingStudy', studyId) } : {}),
    acts,
    ...(contrast ? { contrast } : {}),
    examDate: dateOf(serviceRequest.occurrenceDateTime),
    requestDate: dateOf(serviceRequest.authoredOn),
    encounterClass: inputsOf(task, 'encounter-class')[0]?.valueCode,
    visitNumber: inputsOf(task, 'appointment')[0]?.valueIdentifier?.value,
    accessionNumber: numberOf(serviceRequest, 'ACSN'),
    placerOrderNumber: numberOf(serviceRequest, 'PLAC'),
    signedAt: signature.at,
    document,
    ...(url ? { viewerUrl: fullViewerUrl(url, document.oid) } : {}),
  };
}

/** What was critical is in the signed report with who was told, when and how (workflow §7): a reader of the document sees no platform. */
function withStatements(text: ReportInput['text'], statements: readonly string[]): ReportInput['text'] {
  if (statements.length === 0) return text;
  return { ...text, conclusion: [text.conclusion.trimEnd(), ...statements].join('\n') };
}

/** The hospital's partial URL, untouched, completed by the document it will show. */
function fullViewerUrl(partial: string, documentOidValue: string): string {
  const separator = partial.includes('?') ? '&' : '?';
  return `${partial}${separator}idCDA=${documentOidValue}`;
}

function needed(id: string | undefined, element: string): string {
  if (id === undefined)
    throw new FhirError(422, 'required', `${element} manque : le compte rendu ne peut pas être produit.`, element);
  return id;
}

/** CCAM act validated by the radiologist first, then what the hospital did, then what was asked. */
function actsOf(task: CaseTask, report: DiagnosticReport, request: ServiceRequest): ReportInput['acts'] {
  const done = inputsOf(task, 'act').flatMap((each) => each.valueCodeableConcept?.coding ?? []);
  const codings: Coding[] = [...[ccamOf(report) ?? []].flat(), ...done, ...(request.code?.coding ?? [])];
  const seen = new Set<string>();
  return codings.flatMap(({ system = '', code, display }) => {
    if (code === undefined || seen.has(`${system}|${code}`)) return [];
    seen.add(`${system}|${code}`);
    return [{ system: system || codeSystem.loinc, code, display: display ?? code }];
  });
}

async function contrastOf(tx: FhirTransaction, request: ServiceRequest): Promise<{ text: string } | undefined> {
  const texts: string[] = [];
  for (const reference of request.supportingInfo ?? []) {
    const id = idOf(reference, 'MedicationAdministration');
    const given = id === undefined ? undefined : await tx.find('MedicationAdministration', id);
    const name = given?.medicationCodeableConcept;
    const dose = given?.dosage?.dose;
    if (name === undefined) continue;
    const what = name.text ?? name.coding?.[0]?.display ?? name.coding?.[0]?.code ?? '';
    texts.push(dose?.value === undefined ? what : `${what} ${dose.value} ${dose.unit ?? ''}`.trim());
  }
  return texts.length > 0 ? { text: texts.join(' ; ') } : undefined;
}

/** The structure the radiologist reads for: the platform, the organisation of their own role, else the establishment. */
async function platformFor(
  tx: FhirTransaction,
  radiologistId: string,
  establishment: ReportInput['establishment'],
): Promise<ReportInput['platform']> {
  const ids: string[] = [];
  for (const role of await tx.search('PractitionerRole', `practitioner=Practitioner/${radiologistId}&_count=10`)) {
    const id = idOf(role.organization, 'Organization');
    if (id !== undefined && role.active !== false) ids.push(id);
  }
  const settled = await platformId(tx, establishmentSettings(establishment));
  for (const id of settled === undefined ? ids : [settled, ...ids]) {
    const organization = await tx.find('Organization', id);
    if (organization !== undefined) return organization;
  }
  return establishment;
}

function numberOf(request: ServiceRequest, type: string): { value: string; system?: string } | undefined {
  const found: Identifier | undefined = request.identifier?.find((each) => identifierIs(each, type) && each.value);
  return found?.value === undefined ? undefined : { value: found.value, system: found.system };
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
