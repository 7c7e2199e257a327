/** Codes of the audit trail: IHE BALP 1.1 (`https://profiles.ihe.net/ITI/BALP`), DICOM PS3.16 CID 400 ff., FHIR R4. */
import type { Coding } from '@medplum/fhirtypes';
import { passerelle } from '../codes.ts';

const dcm = 'http://dicom.nema.org/resources/ontology/DCM';
const restfulInteraction = 'http://hl7.org/fhir/restful-interaction';
const participation = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const entityType = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const objectRole = 'http://terminology.hl7.org/CodeSystem/object-role';

/** Tag of the events the platform wrote itself; clients cannot post events that carry it. */
export const platformOrigin: Coding = { system: `${passerelle}/CodeSystem/audit-origin`, code: 'platform' };

/** `AuditEvent.entity.type` of one resource among several. */
export const resourceTypes = 'http://hl7.org/fhir/resource-types';

/** What was done where FHIR's REST codes do not reach: `hl7v2:ORM^O01`, `dicomweb:stow`, `operation:Task/$sign`. */
export const interactionSystem = `${passerelle}/CodeSystem/audit-interaction`;

export const eventType = {
  rest: {
    system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
    code: 'rest',
    display: 'Restful Operation',
  },
  applicationActivity: { system: dcm, code: '110100', display: 'Application Activity' },
  instancesTransferred: { system: dcm, code: '110104', display: 'DICOM Instances Transferred' },
  export: { system: dcm, code: '110106', display: 'Export' },
  import: { system: dcm, code: '110107', display: 'Import' },
  query: { system: dcm, code: '110112', display: 'Query' },
  securityAlert: { system: dcm, code: '110113', display: 'Security Alert' },
  userAuthentication: { system: dcm, code: '110114', display: 'User Authentication' },
} as const satisfies Record<string, Coding>;

export const eventSubtype = {
  login: { system: dcm, code: '110122', display: 'Login' },
  logout: { system: dcm, code: '110123', display: 'Logout' },
  /** A person vouches for content with a signature (ISO 21089). */
  attest: { system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', code: 'attest', display: 'Attest' },
} as const satisfies Record<string, Coding>;

export function dicomCode(code: string, display: string): Coding {
  return { system: dcm, code, display };
}

/** What becomes of a record (ISO 21089). */
export function lifecycleCode(code: string, display: string): Coding {
  return { system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', code, display };
}

export const agentType = {
  source: { system: dcm, code: '110153', display: 'Source Role ID' },
  destination: { system: dcm, code: '110152', display: 'Destination Role ID' },
  application: { system: dcm, code: '110150', display: 'Application' },
  custodian: { system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'custodian' },
  informationRecipient: { system: participation, code: 'IRCP', display: 'information recipient' },
  author: { system: participation, code: 'AUT', display: 'author (originator)' },
} as const satisfies Record<string, Coding>;

export const applicationServer: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
  code: '4',
  display: 'Application Server',
};

export const entityKind = {
  person: { system: entityType, code: '1', display: 'Person' },
  systemObject: { system: entityType, code: '2', display: 'System Object' },
  requestId: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
} satisfies Record<string, Coding>;

export const entityRole = {
  patient: { system: objectRole, code: '1', display: 'Patient' },
  domainResource: { system: objectRole, code: '4', display: 'Domain Resource' },
  query: { system: objectRole, code: '24', display: 'Query' },
  job: { system: objectRole, code: '20', display: 'Job' },
} as const satisfies Record<string, Coding>;

/** Interactions the FHIR code system knows under the same name. */
const restCodes = new Set([
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'create',
  'search-type',
  'search-system',
  'history',
  'history-instance',
  'history-type',
  'history-system',
  'capabilities',
  'transaction',
  'batch',
  'operation',
]);

/** `AuditEvent.subtype` of an interaction: FHIR's code where there is one, ours where there is more to say. */
export function subtypesOf(interaction: string): Coding[] {
  if (restCodes.has(interaction)) return [{ system: restfulInteraction, code: interaction, display: interaction }];
  const own: Coding = { system: interactionSystem, code: interaction };
  if (!interaction.startsWith('operation:')) return [own];
  const operation: Coding = { system: restfulInteraction, code: 'operation', display: 'operation' };
  return interaction.endsWith('$sign') ? [operation, own, eventSubtype.attest] : [operation, own];
}

/** `AuditEvent.type` of an interaction. */
export function typeOf(interaction: string): Coding {
  const [protocol, transaction = ''] = interaction.split(':');
  switch (protocol) {
    case 'hl7v2':
      // A message received is named by its type (`ORM^O01`), one that leaves by what it brings (`report-mdm`).
      return transaction.includes('^') ? eventType.import : eventType.export;
    case 'delivery':
      return eventType.export;
    case 'operation':
      // What leaves or arrives whole: bulk data, notifications of subscriptions.
      if (/\$(export|notify)$/.test(transaction)) return eventType.export;
      return transaction.endsWith('$import') ? eventType.import : eventType.rest;
    case 'dimse':
    case 'dicomweb':
      return /^(qido|query|search|c-find)/.test(transaction) ? eventType.query : eventType.instancesTransferred;
    case 'system':
      return eventType.applicationActivity;
    default:
      return eventType.rest;
  }
}
