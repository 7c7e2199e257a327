/**
 * What each role may read, as far as this application asks for it: a question the server would refuse is not asked, so that the
 * journal's refusals mean something. The server decides; being wrong here shows less or gets a refusal, never more.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Session } from './session.ts';

const everyone: readonly ResourceType[] = ['Organization', 'Practitioner'];
const request: readonly ResourceType[] = [
  'Patient',
  'ServiceRequest',
  'Task',
  'Observation',
  'ImagingStudy',
  'Communication',
  'Flag',
  'DetectedIssue',
  'Consent',
];
const report: readonly ResourceType[] = ['DiagnosticReport', 'DocumentReference', 'Binary', 'Provenance'];

const readable: Readonly<Record<string, readonly ResourceType[]>> = {
  radiologist: [...request, ...report],
  expert: [...request, ...report],
  requester: [...request, ...report],
  technologist: request,
  secretary: [
    ...(['Patient', 'ServiceRequest', 'Task', 'Communication', 'Flag'] as const),
    ...(['DiagnosticReport', 'DocumentReference', 'Binary'] as const),
  ],
  coordinator: ['Patient', 'ServiceRequest', 'Task', 'ImagingStudy', 'Communication', 'Flag', 'DetectedIssue'],
  quality: ['Task', 'ServiceRequest', 'DiagnosticReport', 'ImagingStudy', 'DetectedIssue'],
  'identity-vigilance': [
    ...(['Patient', 'ServiceRequest', 'Task', 'ImagingStudy', 'Communication', 'Flag', 'DetectedIssue'] as const),
    'Provenance',
  ],
  auditor: ['AuditEvent'],
  conformance: [...request, ...report, 'AuditEvent'],
};

const imageReaders: readonly string[] = ['radiologist', 'expert', 'requester', 'technologist', 'conformance'];

export function mayRead(session: Session, type: ResourceType): boolean {
  return everyone.includes(type) || session.roles.some((role) => readable[role]?.includes(type) === true);
}

export function maySeeImages(session: Session): boolean {
  return session.roles.some((role) => imageReaders.includes(role));
}

/** People who care for patients, of any establishment. */
const emergencyRoles: readonly string[] = ['radiologist', 'requester', 'technologist'];

export function mayBreakGlass(session: Session): boolean {
  return session.roles.some((role) => emergencyRoles.includes(role));
}

/** Whether cases of several tenants are on one list. */
export function worksElsewhere(session: Session): boolean {
  return placesOf(session).length > 1;
}

/** `_include`s of a search over the Tasks of every tenant: what may be read in each that shows cases. */
export function taskIncludesEverywhere(session: Session): string {
  const lists = placesOf(session).map((place) => taskIncludes(place).split('&'));
  return (lists[0] ?? []).filter((one) => lists.every((list) => list.includes(one))).join('&');
}

/** The person in each tenant that shows them cases. */
export function placesOf(session: Session): Session[] {
  const elsewhere = (session.tenants ?? []).map((there) => ({ ...session, ...there }));
  return [session, ...elsewhere].filter((place) => mayRead(place, 'Task'));
}

/** `_include`s of a search over Tasks, without those of types the person may not read. */
export function taskIncludes(session: Session): string {
  const includes: readonly (readonly [string, ResourceType])[] = [
    ['Task:patient', 'Patient'],
    ['Task:focus', 'ServiceRequest'],
    ['Task:requester', 'Organization'],
    ['Task:owner', 'Practitioner'],
  ];
  return includes
    .filter(([, type]) => mayRead(session, type))
    .map(([name]) => `_include=${name}`)
    .join('&');
}
