/** What a message about a case needs, read from the FHIR resources of the case (docs/fhir-conventions.md). */
import { createHash } from 'node:crypto';
import type {
  CodeableConcept,
  DocumentReference,
  Identifier,
  Organization,
  Patient,
  Practitioner,
  Reference,
  Resource,
  ServiceRequest,
  Task,
  TaskInput,
  TaskOutput,
} from '@medplum/fhirtypes';
import type { DeliveryItem } from '../../delivery/contract.ts';
import type { FhirTransaction } from '../../fhir/index.ts';

const base = 'https://fhir.passerelle.example/';
const caseItems = `${base}CodeSystem/case-item`;
const settingsUrl = `${base}StructureDefinition/establishment-settings`;

/** A case that cannot be told: what is missing, French. The item goes to the dead letters, where people see it. */
export class IncompleteCase extends Error {
  override name = 'IncompleteCase';
}

/** What any message about a case needs. */
export interface RequestData {
  task: Task & { id: string };
  serviceRequest: ServiceRequest;
  patient: Patient;
  placer: Identifier;
  /** PID-18 of the request. */
  account: Identifier | undefined;
  /** PV1-2, PV1-19 of the request. */
  encounterClass: string | undefined;
  appointment: Identifier | undefined;
  /** Everything read, for the audit trail. */
  read: Resource[];
}

export interface CaseData extends RequestData {
  /** The document this delivery carries, when it names one. */
  document: DocumentReference | undefined;
  /** The radiologist who decided or signed. */
  radiologist: Practitioner;
  /** The structure we answer for. */
  platform: Organization | undefined;
}

/** The same with who answers. @throws IncompleteCase. */
export async function readCaseData(tx: FhirTransaction, item: DeliveryItem): Promise<CaseData> {
  const data = await readRequestData(tx, item);
  const child = idOf(item.task, 'Task');
  const delivery = child === undefined ? undefined : await tx.find('Task', child);
  const document = await documentCarried(tx, delivery);
  const signers = item.kind === 'request-answer' ? [delivery?.requester] : [document?.authenticator];
  const radiologist = await radiologistOf(tx, data.read, signers, data.task, data.serviceRequest);
  return { ...data, document, radiologist, platform: await platformOf(tx, data.task, radiologist) };
}

/** @throws IncompleteCase. */
export async function readRequestData(tx: FhirTransaction, item: DeliveryItem): Promise<RequestData> {
  const read: Resource[] = [];
  const task = await follow(tx, read, { reference: item.focus }, 'Task', 'le dossier');
  const serviceRequest = await follow(tx, read, task.focus, 'ServiceRequest', 'la demande');
  const patient = await follow(tx, read, task.for, 'Patient', 'le patient');
  const placer = serviceRequest.identifier?.find((identifier) => hasType(identifier, 'PLAC')) ?? task.groupIdentifier;
  if (!placer?.value) throw new IncompleteCase('Le dossier n’a pas de numéro de demande.');
  return {
    task: task as Task & { id: string },
    serviceRequest,
    patient,
    placer,
    account: serviceRequest.identifier?.find((identifier) => hasType(identifier, 'AN')),
    encounterClass: inputs(task, 'encounter-class')[0]?.valueCode,
    appointment: inputs(task, 'appointment')[0]?.valueIdentifier,
    read,
  };
}

/** The CDA document a delivery carries, else the one of the case in force; its octets verified against the hash that was signed. */
export async function readCda(
  tx: FhirTransaction,
  data: CaseData,
): Promise<{ reference: DocumentReference; cda: Buffer; replaces: string | undefined }> {
  const reference = data.document ?? (await documentInForce(tx, data.task));
  const attachment = reference?.content[0]?.attachment;
  const binaryId = idOf(attachment?.url, 'Binary');
  if (!reference || binaryId === undefined)
    throw new IncompleteCase('Le dossier n’a pas de compte rendu CDA en vigueur.');
  const binary = await tx.find('Binary', binaryId);
  const cda = Buffer.from(binary?.data ?? '', 'base64');
  if (cda.length === 0) throw new IncompleteCase('Le contenu du compte rendu CDA est introuvable.');
  if (attachment?.hash && attachment.hash !== sha1(cda)) {
    throw new IncompleteCase('Le compte rendu CDA enregistré ne correspond pas à son empreinte.');
  }
  data.read.push(reference);
  return { reference, cda, replaces: await replacedOid(tx, reference) };
}

/** Of a delivery that names its document: a version that was replaced before it left is still sent first, then the one that replaces it. */
async function documentCarried(
  tx: FhirTransaction,
  delivery: Task | undefined,
): Promise<DocumentReference | undefined> {
  const named = delivery && inputs(delivery, 'document')[0]?.valueReference?.reference;
  const id = idOf(named, 'DocumentReference');
  return id === undefined ? undefined : tx.find('DocumentReference', id);
}

async function documentInForce(tx: FhirTransaction, task: Task): Promise<DocumentReference | undefined> {
  const found: DocumentReference[] = [];
  for (const output of outputs(task, 'document')) {
    const id = idOf(output.valueReference?.reference, 'DocumentReference');
    const document = id === undefined ? undefined : await tx.find('DocumentReference', id);
    if (document?.status === 'current' && /\bxml\b/.test(document.content[0]?.attachment.contentType ?? ''))
      found.push(document);
  }
  return found.at(-1);
}

/** OID of a document, without its `urn:oid:`. */
export function documentOid(reference: DocumentReference | undefined): string | undefined {
  const value = reference?.masterIdentifier?.value ?? reference?.identifier?.[0]?.value;
  return value?.replace(/^urn:oid:/, '');
}

export function outputs(task: Task, code: string): TaskOutput[] {
  return (task.output ?? []).filter((output) => isItem(output.type, code));
}

/** Setting of an establishment (extension of its Organization). */
function platformReference(establishment: Organization | undefined): string | undefined {
  const settings = establishment?.extension?.find((extension) => extension.url === settingsUrl)?.extension;
  return settings?.find((setting) => setting.url === 'platform')?.valueReference?.reference;
}

/** Id part of a reference or URL to this type. */
export function idOf(reference: string | undefined, type: string): string | undefined {
  return new RegExp(`(?:^|/)${type}/([A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?$`).exec(reference ?? '')?.[1];
}

/**
 * Who decided or signed what is sent; else who owns the case or was wanted.
 * @throws IncompleteCase when nobody is known: a message must not name the wrong physician.
 */
async function radiologistOf(
  tx: FhirTransaction,
  read: Resource[],
  signers: readonly (Reference | undefined)[],
  task: Task,
  serviceRequest: ServiceRequest,
): Promise<Practitioner> {
  const candidates = [
    ...signers,
    task.owner,
    ...inputs(task, 'wanted-performer').map((input) => input.valueReference),
    ...(serviceRequest.performer ?? []),
  ];
  for (const candidate of candidates) {
    const id = idOf(candidate?.reference, 'Practitioner');
    const practitioner = id === undefined ? undefined : await tx.find('Practitioner', id);
    if (!practitioner) continue;
    read.push(practitioner);
    return practitioner;
  }
  throw new IncompleteCase('Le téléradiologue qui répond n’est pas connu du dossier.');
}

/** The structure we answer for: the establishment's setting, else the owner of the platform's Device, else the radiologist's own. */
async function platformOf(
  tx: FhirTransaction,
  task: Task,
  radiologist: Practitioner,
): Promise<Organization | undefined> {
  const establishmentId = idOf(task.requester?.reference, 'Organization');
  const establishment = establishmentId === undefined ? undefined : await tx.find('Organization', establishmentId);
  const device = await tx.find('Device', 'passerelle');
  const roles = await tx.search('PractitionerRole', `practitioner=Practitioner/${radiologist.id}&_count=10`);
  const references = [
    platformReference(establishment),
    device?.owner?.reference,
    ...roles.map((role) => role.organization?.reference),
  ];
  for (const reference of references) {
    const id = idOf(reference, 'Organization');
    const organization = id === undefined || id === establishmentId ? undefined : await tx.find('Organization', id);
    if (organization) return organization;
  }
  return undefined;
}

async function replacedOid(tx: FhirTransaction, reference: DocumentReference): Promise<string | undefined> {
  const relation = reference.relatesTo?.find((candidate) => candidate.code === 'replaces');
  const id = idOf(relation?.target.reference, 'DocumentReference');
  return id === undefined ? undefined : documentOid(await tx.find('DocumentReference', id));
}

async function follow<K extends 'Task' | 'ServiceRequest' | 'Patient'>(
  tx: FhirTransaction,
  read: Resource[],
  reference: { reference?: string } | undefined,
  type: K,
  what: string,
) {
  const id = idOf(reference?.reference, type);
  const resource = id === undefined ? undefined : await tx.find(type, id);
  if (!resource) throw new IncompleteCase(`Introuvable : ${what}.`);
  read.push(resource);
  return resource;
}

export function inputs(task: Task, code: string): TaskInput[] {
  return (task.input ?? []).filter((input) => isItem(input.type, code));
}

function isItem(type: CodeableConcept | undefined, code: string): boolean {
  return type?.coding?.some((coding) => coding.system === caseItems && coding.code === code) ?? false;
}

function hasType(identifier: Identifier, code: string): boolean {
  return identifier.type?.coding?.some((coding) => coding.code === code) ?? false;
}

function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('base64');
}
