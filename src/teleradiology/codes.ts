/** The addresses and codes of docs/fhir-conventions.md that the domain reads and writes. */
import type { CodeableConcept, Coding, Extension, Identifier } from '@medplum/fhirtypes';

/** Base of our own canonical addresses. */
export const passerelle = 'https://fhir.passerelle.example';

export const structureDefinition = {
  milestones: `${passerelle}/StructureDefinition/case-milestones`,
  attachmentBasis: `${passerelle}/StructureDefinition/attachment-basis`,
  imageCount: `${passerelle}/StructureDefinition/image-count`,
  clock: `${passerelle}/StructureDefinition/clock`,
  reportText: `${passerelle}/StructureDefinition/report-text`,
  settings: `${passerelle}/StructureDefinition/establishment-settings`,
  readBy: `${passerelle}/StructureDefinition/read-by`,
  phoneExchange: `${passerelle}/StructureDefinition/phone-exchange`,
  decisionDue: `${passerelle}/StructureDefinition/decision-due`,
  reattachedTo: `${passerelle}/StructureDefinition/reattached-to`,
  clockTerm: `${passerelle}/StructureDefinition/clock-term`,
  additionalHoliday: `${passerelle}/StructureDefinition/additional-holiday`,
  contractTerms: `${passerelle}/StructureDefinition/contract-terms`,
} as const;

export const codeSystem = {
  taskCode: `${passerelle}/CodeSystem/task-code`,
  caseStatus: `${passerelle}/CodeSystem/case-status`,
  caseItem: `${passerelle}/CodeSystem/case-item`,
  caseKind: `${passerelle}/CodeSystem/case-kind`,
  caseEvent: `${passerelle}/CodeSystem/case-event`,
  caseGuard: `${passerelle}/CodeSystem/case-guard`,
  communicationCategory: `${passerelle}/CodeSystem/communication-category`,
  clock: `${passerelle}/CodeSystem/clock`,
  contractType: `${passerelle}/CodeSystem/contract-type`,
  rotaClause: `${passerelle}/CodeSystem/rota-clause`,
  penaltyUnit: `${passerelle}/CodeSystem/penalty-unit`,
  criticalCategory: `${passerelle}/CodeSystem/critical-category`,
  flag: `${passerelle}/CodeSystem/flag-code`,
  detectedIssue: `${passerelle}/CodeSystem/detected-issue-code`,
  mitigation: `${passerelle}/CodeSystem/detected-issue-mitigation`,
  identityTrait: `${passerelle}/CodeSystem/identity-trait`,
  attachmentKind: `${passerelle}/CodeSystem/attachment-kind`,
  consentCategory: `${passerelle}/CodeSystem/consent-category`,
  v20203: 'http://terminology.hl7.org/CodeSystem/v2-0203',
  frenchIdentifierType: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203',
  loinc: 'http://loinc.org',
  ccam: 'urn:oid:1.2.250.1.215.300.1',
} as const;

export const identifierSystem = {
  caseNumber: `${passerelle}/sid/case`,
  rpps: 'https://rpps.esante.gouv.fr',
  nationalProfessional: 'urn:oid:1.2.250.1.71.4.2.1',
  finess: 'https://finess.esante.gouv.fr',
  study: 'urn:dicom:uid',
  uri: 'urn:ietf:rfc:3986',
  /** Of a child Task `deliver`: its item in the outbox, which is the control id of the message. */
  delivery: `${passerelle}/sid/delivery`,
} as const;

/** Systems of the INS by the nature of the number: NIR, NIA, test, demonstration. */
export const insSystems: readonly string[] = ['8', '9', '10', '11'].map((arc) => `urn:oid:1.2.250.1.213.1.4.${arc}`);

/** Kinds of Task that only the case machine writes. */
export type TaskCode = 'teleradiology-case' | 'deliver' | 'alert' | 'second-read' | 're-reading' | 'addendum';

/** Items of `Task.input` and `Task.output`. */
export type CaseItem =
  | 'encounter-class'
  | 'callback'
  | 'appointment'
  | 'wanted-performer'
  | 'partial-viewer-url'
  | 'act'
  | 'retention-days'
  | 'study'
  | 'protocol'
  | 'imaging-study'
  | 'report'
  /** What is being written beside a preliminary or signed report. */
  | 'draft'
  | 'document'
  | 'phone-exchange'
  | 'consent'
  | 'displayed-series'
  | 'images-declared-complete'
  | 'evidence'
  /** DocumentReference that came with the request. */
  | 'attachment'
  /** Of a delivery: the child Task of the report it withdraws; whether a report that failed may have arrived all the same. */
  | 'withdraws'
  | 'perhaps-received'
  /** Communication that asked the site and has no answer yet. */
  | 'question'
  /** Communication by which the site asks to cancel. */
  | 'cancellation-request'
  /** Who declared the case an error that a second person has to confirm. */
  | 'error-declaration'
  | 'owed'
  /** When the establishment acknowledged the last signed version. */
  | 'acknowledgement'
  /** Child Tasks. */
  | 'second-reading'
  /** Of a second reading: not to see the first report before; what was said of it. */
  | 'blind'
  | 'opinion'
  | 'agreement'
  | 'addendum'
  | 'alert'
  /** Of an alert: what was found, how pressing it is, the Communications that told it. */
  | 'finding'
  | 'critical-category'
  | 'told'
  | 'charge';

/** A concept of one coding. */
export function concept(system: string, code: string, text?: string): CodeableConcept {
  return text === undefined ? { coding: [{ system, code }] } : { coding: [{ system, code }], text };
}

/** Whether the concept carries this coding. */
export function hasCode(value: CodeableConcept | undefined, system: string, code: string): boolean {
  return value?.coding?.some((coding) => coding.system === system && coding.code === code) ?? false;
}

/** First code of this system in the concept. */
export function codeOf(value: CodeableConcept | undefined, system: string): string | undefined {
  return value?.coding?.find((coding: Coding) => coding.system === system)?.code;
}

/** Whether an identifier's type carries this code, whatever the code system (table 0203 or its French extension). */
export function identifierIs(identifier: Identifier, ...types: string[]): boolean {
  return identifier.type?.coding?.some((coding) => coding.code !== undefined && types.includes(coding.code)) ?? false;
}

/** Sub-extension of an extension. */
export function part(extension: Extension | undefined, url: string): Extension | undefined {
  return extension?.extension?.find((candidate) => candidate.url === url);
}

/** Identifier of a study by its Study Instance UID. */
export function studyIdentifier(uid: string): Identifier {
  return { system: identifierSystem.study, value: `urn:oid:${uid}` };
}
