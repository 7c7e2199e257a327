/** Canonical addresses of the platform's FHIR conventions (docs/fhir-conventions.md), as a browser client needs them. */
const platform = 'https://fhir.passerelle.example/';

export const systems = {
  role: `${platform}CodeSystem/role`,
  taskCode: `${platform}CodeSystem/task-code`,
  caseChanged: `${platform}SubscriptionTopic/case-changed`,
  messageSent: `${platform}SubscriptionTopic/message-sent`,
  message: `${platform}sid/message`,
  caseStatus: `${platform}CodeSystem/case-status`,
  caseItem: `${platform}CodeSystem/case-item`,
  consentCategory: `${platform}CodeSystem/consent-category`,
  caseNumber: `${platform}sid/case`,
  communicationCategory: `${platform}CodeSystem/communication-category`,
  identityTrait: `${platform}CodeSystem/identity-trait`,
  issueMitigation: `${platform}CodeSystem/detected-issue-mitigation`,
  attachmentKind: `${platform}CodeSystem/attachment-kind`,
  flagCode: `${platform}CodeSystem/flag-code`,
  ippPrefix: `${platform}sid/ipp/`,
  rpps: 'https://rpps.esante.gouv.fr',
  accession: 'ACSN',
  studyUid: 'urn:dicom:uid',
  ccam: 'urn:oid:1.2.250.1.215.300.1',
  dicomModality: 'http://dicom.nema.org/resources/ontology/DCM',
} as const;

export const extensions = {
  milestones: `${platform}StructureDefinition/case-milestones`,
  attachmentBasis: `${platform}StructureDefinition/attachment-basis`,
  imageCount: `${platform}StructureDefinition/image-count`,
  clock: `${platform}StructureDefinition/clock`,
  worklistPlace: `${platform}StructureDefinition/worklist-place`,
  readBy: `${platform}StructureDefinition/read-by`,
  reportText: `${platform}StructureDefinition/report-text`,
  decisionDue: `${platform}StructureDefinition/decision-due`,
  reattachedTo: `${platform}StructureDefinition/reattached-to`,
} as const;

/** Authorities of the national health identity (INS): NIR, NIA, test, demonstration. */
export const insAuthorities: Readonly<Record<string, string>> = {
  'urn:oid:1.2.250.1.213.1.4.8': 'INS (NIR)',
  'urn:oid:1.2.250.1.213.1.4.9': 'INS (NIA)',
  'urn:oid:1.2.250.1.213.1.4.10': 'INS de test',
  'urn:oid:1.2.250.1.213.1.4.11': 'INS de démonstration',
};
