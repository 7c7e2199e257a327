/**
 * Who may do what: one table, read from top to bottom. What is not granted is refused. After reference workflow §3 (who may) and
 * design §5 rule 9 (AuditEvent is create, read and search only). `update` of a Task opens the door only: behind it the case machine
 * lets through what is exactly a legal transition of that actor, and nothing else.
 */
import type { ResourceType } from '@medplum/fhirtypes';

/** One line of the table: these types, these interactions. */
interface Grant {
  types: readonly ResourceType[] | 'all';
  interactions: readonly string[];
}

interface RolePolicy {
  grants: readonly Grant[];
  /** `Type/$name`, or `$name` for the whole system. */
  operations: readonly string[] | 'all';
  dicomweb: readonly ('query' | 'retrieve' | 'store')[];
}

const look = ['read', 'vread', 'search-type', 'history-instance'] as const;
const change = ['update', 'patch'] as const;
const post = ['create', ...change] as const;

/** Definitions everybody may read: they say how to talk to us. */
const definitions: Grant = {
  types: [
    'CapabilityStatement',
    'CodeSystem',
    'ConceptMap',
    'NamingSystem',
    'OperationDefinition',
    'SearchParameter',
    'StructureDefinition',
    'ValueSet',
  ],
  interactions: look,
};

/** Questions about definitions: whoever may read them may ask. */
const terminologyOperations: readonly string[] = [
  'CodeSystem/$lookup',
  'CodeSystem/$subsumes',
  'CodeSystem/$validate-code',
  'ConceptMap/$translate',
  'ValueSet/$expand',
  'ValueSet/$validate-code',
];

/** Who works where: no patient in them. */
const directory = [
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Location',
  'HealthcareService',
  'Device',
  'Endpoint',
] as const satisfies readonly ResourceType[];
/** What of the platform's tenant every other tenant may refer to. */
const platformShared = [
  'HealthcareService',
  'Location',
  'Organization',
  'OrganizationAffiliation',
  'Practitioner',
  'PractitionerRole',
  'ActivityDefinition',
  'PlanDefinition',
  'Questionnaire',
] as const satisfies readonly ResourceType[];
const rota = ['Schedule', 'Slot'] as const satisfies readonly ResourceType[];

/** The request and what surrounds it. */
const request = [
  'Patient',
  'RelatedPerson',
  'Encounter',
  'ServiceRequest',
  'Task',
  'Appointment',
  'Observation',
  'Condition',
  'AllergyIntolerance',
  'Consent',
  'MedicationAdministration',
  'Communication',
  'Flag',
  'DetectedIssue',
  'ImagingStudy',
] as const satisfies readonly ResourceType[];

/** What the radiologist produced. */
const report = [
  'DiagnosticReport',
  'DocumentReference',
  'Binary',
  'Provenance',
  'ChargeItem',
  'Procedure',
] as const satisfies readonly ResourceType[];

const transitions = 'Task/$transitions';

/** To be told instead of asking again and again: of what one may search anyway. One's own only (src/fhir/subscriptions). */
const subscriptions: Grant = { types: ['Subscription'], interactions: [...look, ...post, 'delete'] };
const subscriptionOperations = ['Subscription/$status', 'Subscription/$events', 'Subscription/$get-ws-binding-token'];

/** Reading a record as a whole: what it shows is asked again, type by type. */
const wholeRecord = [
  'Patient/$everything',
  'Encounter/$everything',
  'Composition/$document',
  'Observation/$lastn',
] as const;

/** The roles of the platform (docs/fhir-conventions.md). */
const policies = {
  radiologist: {
    grants: [
      { types: [...directory, ...rota, ...request, ...report], interactions: look },
      { types: ['Communication', 'Observation', 'Consent', 'AdverseEvent', 'DetectedIssue'], interactions: ['create'] },
      { types: ['Task'], interactions: change },
      subscriptions,
    ],
    operations: [
      ...subscriptionOperations,
      transitions,
      ...wholeRecord,
      'Task/$protocol',
      'Task/$refuse',
      'Task/$confirm-images',
      'Task/$claim',
      'Task/$release',
      'Task/$suspend',
      'Task/$resume',
      'Task/$phone-exchange',
      'Task/$save-draft',
      'Task/$displayed',
      'Task/$sign',
    ],
    dicomweb: ['query', 'retrieve'],
  },
  requester: {
    grants: [
      { types: [...directory, ...rota, ...request, ...report], interactions: look },
      {
        types: [
          'ServiceRequest',
          'Task',
          'Patient',
          'Observation',
          'Consent',
          'Communication',
          'DocumentReference',
          'Binary',
        ],
        interactions: ['create'],
      },
      { types: ['ServiceRequest', 'Task', 'Consent'], interactions: change },
      subscriptions,
    ],
    operations: [...subscriptionOperations, transitions, ...wholeRecord, 'Task/$cancel'],
    dicomweb: ['query', 'retrieve'],
  },
  technologist: {
    grants: [
      { types: [...directory, ...rota, ...request], interactions: look },
      {
        types: ['Observation', 'Consent', 'Communication', 'MedicationAdministration', 'DocumentReference', 'Binary'],
        interactions: ['create'],
      },
      { types: ['ServiceRequest', 'Task'], interactions: change },
      subscriptions,
    ],
    operations: [...subscriptionOperations, transitions, 'Task/$complete-images', 'Task/$confirm-images'],
    dicomweb: ['query', 'retrieve', 'store'],
  },
  coordinator: {
    // Sorts, assigns, escalates: which case of whom, never what the images or the report say.
    grants: [
      { types: [...directory, ...rota], interactions: look },
      {
        types: [
          'Patient',
          'ServiceRequest',
          'Task',
          'Appointment',
          'Communication',
          'Flag',
          'DetectedIssue',
          'ImagingStudy',
        ],
        interactions: look,
      },
      { types: ['Communication'], interactions: ['create'] },
      { types: ['Task'], interactions: change },
      { types: rota, interactions: post },
      subscriptions,
    ],
    operations: [
      ...subscriptionOperations,
      transitions,
      'Task/$cancel',
      'Task/$complete-images',
      'Task/$confirm-images',
      'Task/$release',
    ],
    dicomweb: [],
  },
  quality: {
    // Reads what was done, not about whom: no Patient, no document (both carry the name). Decides open identity problems.
    grants: [
      { types: [...directory, ...rota], interactions: look },
      {
        types: [
          'Task',
          'ServiceRequest',
          'DiagnosticReport',
          'ImagingStudy',
          'DetectedIssue',
          'Measure',
          'MeasureReport',
          'AdverseEvent',
        ],
        interactions: look,
      },
      { types: ['MeasureReport', 'AdverseEvent'], interactions: post },
      { types: ['Task', 'DetectedIssue'], interactions: change },
      subscriptions,
    ],
    operations: [...subscriptionOperations, transitions],
    dicomweb: [],
  },
  auditor: {
    grants: [
      { types: ['AuditEvent'], interactions: ['read', 'vread', 'search-type'] },
      { types: directory, interactions: ['read', 'search-type'] },
    ],
    operations: [],
    dicomweb: [],
  },
  administrator: {
    grants: [{ types: [...directory, ...rota], interactions: [...look, ...post] }],
    operations: ['$reindex', '$reindex-status'],
    dicomweb: [],
  },
  // Whoever comes to the platform's tenant from another one (src/access/tenants).
  'directory-reader': {
    grants: [{ types: platformShared, interactions: ['read', 'vread', 'search-type'] }],
    operations: [],
    dicomweb: [],
  },
  ris: {
    grants: [
      { types: [...directory, ...request, ...report], interactions: look },
      {
        types: [
          'Patient',
          'RelatedPerson',
          'Encounter',
          'ServiceRequest',
          'Task',
          'Appointment',
          'Observation',
          'Condition',
          'AllergyIntolerance',
          'Consent',
          'MedicationAdministration',
          'Communication',
          'DocumentReference',
          'Binary',
          'Practitioner',
        ],
        interactions: post,
      },
      { types: ['AuditEvent'], interactions: ['create'] },
      subscriptions,
    ],
    operations: [
      ...subscriptionOperations,
      transitions,
      ...wholeRecord,
      'Patient/$match',
      'Task/$cancel',
      'Task/$complete-images',
    ],
    dicomweb: ['query', 'retrieve', 'store'],
  },
  conformance: {
    grants: [
      {
        types: 'all',
        interactions: [...look, ...post, 'delete', 'history-type', 'history-system', 'search-system'],
      },
    ],
    operations: 'all',
    dicomweb: ['query', 'retrieve', 'store'],
  },
} as const satisfies Record<string, RolePolicy>;

export type Role = keyof typeof policies;

/** The trail is written by us; clients add to it, nobody changes it. */
const auditEventInteractions = new Set(['create', 'read', 'vread', 'search-type', 'history-instance', 'history-type']);

export function isRole(name: string): name is Role {
  return Object.hasOwn(policies, name);
}

/** What is asked, as `FhirGuards.authorize` receives it. */
export interface Demand {
  interaction: string;
  type?: string;
  operation?: string;
}

/** Whether one of these roles grants the demand. Unknown roles grant nothing. */
export function isGranted(roles: readonly string[], demand: Demand): boolean {
  return roles.filter(isRole).some((role) => grants(policies[role], demand));
}

function grants(policy: RolePolicy, demand: Demand): boolean {
  const { interaction, type } = demand;
  if (interaction.startsWith('dicomweb')) return grantsDicomweb(policy, interaction);
  const operation = operationOf(demand);
  if (operation !== undefined) {
    const name = `${type ? `${type}/` : ''}$${operation}`;
    return policy.operations === 'all' || policy.operations.includes(name) || terminologyOperations.includes(name);
  }
  // Each entry of a bundle is asked on its own; the capability statement is public.
  if (interaction === 'batch' || interaction === 'transaction' || interaction === 'capabilities') return true;
  // A PUT under an unused id is a create; the store refuses any other.
  if (type === 'AuditEvent' && interaction === 'update') return grants(policy, { interaction: 'create', type });
  if (type === 'AuditEvent' && !auditEventInteractions.has(interaction)) return false;
  return [definitions, ...policy.grants].some(
    (grant) =>
      grant.interactions.includes(interaction) && (grant.types === 'all' || grant.types.includes(type as ResourceType)),
  );
}

function operationOf(demand: Demand): string | undefined {
  if (demand.operation !== undefined) return demand.operation.replace(/^\$/, '');
  return /^operation:(?:.*\/)?\$?([^/]+)$/.exec(demand.interaction)?.[1];
}

/** PS3.18: storing is STOW-RS, querying is QIDO-RS, every other transaction retrieves. */
function grantsDicomweb(policy: RolePolicy, interaction: string): boolean {
  const transaction = interaction.split(':')[1] ?? '';
  if (/^(stow|store)/.test(transaction)) return policy.dicomweb.includes('store');
  if (/^(qido|query|search)/.test(transaction)) return policy.dicomweb.includes('query');
  return policy.dicomweb.includes('retrieve');
}
