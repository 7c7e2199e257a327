/** Canned resources in the shapes of docs/fhir-conventions.md, for the user interface's own tests. */
import type { AuditEvent, DetectedIssue, Patient, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import { studyUid } from './phantom.ts';

const P = 'https://fhir.passerelle.example/';

export interface FakeCase {
  id: string;
  state: string;
  status: Task['status'];
  stateText: string;
  urgent: boolean;
  /** Minutes from now to the deadline; undefined while the clock has not started. */
  left?: number;
  family: string;
  given: string;
  gender: Patient['gender'];
  birthDate: string;
  modality: 'CT' | 'MR';
  region: string;
  reason: string;
  images: number;
  owner?: boolean;
  provisional?: boolean;
}

export const fakeCases: readonly FakeCase[] = [
  {
    id: 'cas-1',
    state: 'ready',
    status: 'ready',
    stateText: 'prête à lire',
    urgent: true,
    left: 12,
    family: 'TEST-MOREAU',
    given: 'CAMILLE',
    gender: 'female',
    birthDate: '1959-03-12',
    modality: 'CT',
    region: 'Crâne',
    reason: 'Céphalée brutale en coup de tonnerre, vomissements.',
    images: 36,
  },
  {
    id: 'cas-2',
    state: 'protocol-wanted',
    status: 'received',
    stateText: 'protocole à établir',
    urgent: true,
    family: 'TEST-DURAND',
    given: 'ALEX',
    gender: 'male',
    birthDate: '1947-08-01',
    modality: 'CT',
    region: 'Abdomen et pelvis',
    reason: 'Douleur de la fosse iliaque gauche fébrile.',
    images: 0,
  },
  {
    id: 'cas-3',
    state: 'acquiring',
    status: 'accepted',
    stateText: 'images en réception',
    urgent: true,
    left: 44,
    family: 'TEST-LEROY',
    given: 'MAEL',
    gender: 'male',
    birthDate: '2024-02-20',
    modality: 'CT',
    region: 'Crâne',
    reason: 'Chute de la table à langer, vomissements répétés.',
    images: 112,
  },
  {
    id: 'cas-4',
    state: 'ready',
    status: 'ready',
    stateText: 'prête à lire',
    urgent: true,
    left: -7,
    family: 'TEST-PETIT',
    given: 'LOUISE',
    gender: 'female',
    birthDate: '1988-11-30',
    modality: 'CT',
    region: 'Thorax',
    reason: 'Dyspnée et douleur thoracique, D-dimères positifs.',
    images: 642,
    provisional: true,
  },
  {
    id: 'cas-5',
    state: 'reading',
    status: 'in-progress',
    stateText: 'en lecture',
    urgent: true,
    left: 31,
    family: 'TEST-ROUX',
    given: 'ANDREA',
    gender: 'female',
    birthDate: '1971-06-17',
    modality: 'CT',
    region: 'Rachis cervical',
    reason: 'Accident de la voie publique, cervicalgie.',
    images: 288,
    owner: true,
  },
  {
    id: 'cas-6',
    state: 'ready',
    status: 'ready',
    stateText: 'prête à lire',
    urgent: false,
    left: 320,
    family: 'TEST-FAURE',
    given: 'NINO',
    gender: 'male',
    birthDate: '1962-01-09',
    modality: 'MR',
    region: 'Encéphale',
    reason: 'Bilan de troubles mnésiques.',
    images: 410,
  },
  {
    id: 'cas-7',
    state: 'identity-hold',
    status: 'on-hold',
    stateText: 'identité à vérifier',
    urgent: true,
    left: 25,
    family: 'TEST-GARNIER',
    given: 'JO',
    gender: 'female',
    birthDate: '1990-04-04',
    modality: 'CT',
    region: 'Crâne',
    reason: 'Traumatisme crânien, Glasgow 14.',
    images: 60,
  },
  {
    id: 'cas-8',
    state: 'delivered',
    status: 'completed',
    stateText: 'reçu par le site',
    urgent: true,
    left: -90,
    family: 'TEST-ANDRE',
    given: 'LOU',
    gender: 'female',
    birthDate: '1935-09-21',
    modality: 'CT',
    region: 'Crâne',
    reason: 'Déficit hémicorporel droit.',
    images: 320,
    owner: true,
  },
];

const at = (now: number, minutes: number): string => new Date(now + minutes * 60_000).toISOString();
const item = (code: string) => ({ coding: [{ system: `${P}CodeSystem/case-item`, code }] });

/** Everything the fake server starts with. */
export function fakeResources(now: number): Resource[] {
  return [
    { resourceType: 'Organization', id: 'ch-exemple', name: 'CH-EXEMPLE IMAGERIE' },
    { resourceType: 'Practitioner', id: 'radiologue', name: [{ text: 'Dr NOA TEST-TELERADIO' }] },
    {
      resourceType: 'Practitioner',
      id: 'demandeur',
      name: [{ prefix: ['Dr'], given: ['ALIX'], family: 'TEST-RADIOLOGUE' }],
    },
    ...fakeCases.flatMap((one, index) => caseResources(one, index, now)),
    {
      resourceType: 'ImagingStudy',
      id: 'etude-anterieure',
      status: 'available',
      subject: { reference: 'Patient/patient-cas-1' },
      started: '2024-05-03T10:00:00Z',
      modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT' }],
      description: 'Scanner cérébral',
      numberOfInstances: 210,
    },
    detectedIssue(now),
    auditEvent(now),
  ];
}

function caseResources(one: FakeCase, index: number, now: number): Resource[] {
  const patient: Patient = {
    resourceType: 'Patient',
    id: `patient-${one.id}`,
    name: [{ use: 'official', family: one.family, given: [one.given] }],
    gender: one.gender,
    birthDate: one.birthDate,
    identifier: [
      { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '279035121518989' },
      { system: `${P}sid/ipp/330099995`, value: `IPP-000${index + 1}`, type: { coding: [{ code: 'PI' }] } },
    ],
  };
  const request: ServiceRequest = {
    resourceType: 'ServiceRequest',
    id: `demande-${one.id}`,
    status: 'active',
    intent: 'order',
    subject: { reference: `Patient/${patient.id}` },
    requester: { reference: 'Practitioner/demandeur', display: 'Dr ALIX TEST-RADIOLOGUE' },
    authoredOn: at(now, -95),
    code: {
      coding: [
        {
          system: 'urn:oid:1.2.250.1.215.300.1',
          code: 'ACQK001',
          display: `${one.modality === 'CT' ? 'Scanner' : 'IRM'} ${one.region}`,
        },
      ],
    },
    orderDetail: [
      {
        coding: [
          {
            system: 'http://dicom.nema.org/resources/ontology/DCM',
            code: one.modality,
            display: one.modality === 'CT' ? 'Scanner' : 'IRM',
          },
        ],
      },
    ],
    bodySite: [{ text: one.region }],
    reasonCode: [{ text: one.reason }],
    note: [{ text: 'Éliminer une hémorragie sous-arachnoïdienne avant ponction lombaire.' }],
    supportingInfo: [{ reference: `Observation/poids-${one.id}` }, { reference: `Observation/antecedents-${one.id}` }],
  };
  return [
    patient,
    request,
    {
      resourceType: 'Observation',
      id: `poids-${one.id}`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '3142-7' }] },
      subject: { reference: `Patient/${patient.id}` },
      valueQuantity: { value: 62, unit: 'kg' },
    },
    {
      resourceType: 'Observation',
      id: `antecedents-${one.id}`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '11322-5' }] },
      subject: { reference: `Patient/${patient.id}` },
      valueString: 'Migraine connue. Allergie à l’iode non documentée.',
      interpretation: [{ text: 'pertinent' }],
    },
    {
      resourceType: 'ImagingStudy',
      id: `etude-${one.id}`,
      status: 'available',
      subject: { reference: `Patient/${patient.id}` },
      basedOn: [{ reference: `ServiceRequest/${request.id}` }],
      identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${studyUid}` }],
      modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: one.modality }],
      started: at(now, -50),
    },
    caseTask(one, index, now),
  ];
}

function caseTask(one: FakeCase, index: number, now: number): Task {
  const milestone = (url: string, minutes: number) => ({ url, valueDateTime: at(now, minutes) });
  return {
    resourceType: 'Task',
    id: one.id,
    meta: { versionId: '1', lastUpdated: at(now, -1) },
    intent: 'order',
    status: one.status,
    code: { coding: [{ system: `${P}CodeSystem/task-code`, code: 'teleradiology-case' }] },
    businessStatus: { coding: [{ system: `${P}CodeSystem/case-status`, code: one.state }], text: one.stateText },
    identifier: [{ system: `${P}sid/case`, value: `2026-00${417 + index}` }],
    groupIdentifier: { value: `DEM-${8800 + index}` },
    priority: one.urgent ? 'urgent' : 'routine',
    focus: { reference: `ServiceRequest/demande-${one.id}` },
    for: { reference: `Patient/patient-${one.id}` },
    requester: { reference: 'Organization/ch-exemple' },
    ...(one.owner ? { owner: { reference: 'Practitioner/radiologue', display: 'Dr NOA TEST-TELERADIO' } } : {}),
    authoredOn: at(now, -90 - index),
    ...(one.left === undefined ? {} : { restriction: { period: { end: at(now, one.left) } } }),
    input: [
      { type: item('encounter-class'), valueCode: 'E' },
      { type: item('callback'), valueString: '05 56 00 00 42' },
    ],
    output:
      one.images > 0
        ? [{ type: item('imaging-study'), valueReference: { reference: `ImagingStudy/etude-${one.id}` } }]
        : [],
    extension: [
      { url: `${P}StructureDefinition/image-count`, valueInteger: one.images },
      ...(one.images > 0
        ? [
            {
              url: `${P}StructureDefinition/attachment-basis`,
              valueCode: one.provisional ? 'provisional' : 'study-uid',
            },
          ]
        : []),
      ...(one.left === undefined
        ? []
        : [
            {
              url: `${P}StructureDefinition/clock`,
              extension: [
                { url: 'started', valueDateTime: at(now, one.left - 60) },
                { url: 'late', valueBoolean: one.left < 0 },
              ],
            },
          ]),
      {
        url: `${P}StructureDefinition/case-milestones`,
        extension: [
          milestone('requested', -95),
          milestone('transmitted', -92),
          milestone('received', -91),
          milestone('protocol-requested', -91),
          ...(one.images > 0 ? [milestone('protocoled', -70), milestone('images-received', -48)] : []),
        ],
      },
    ],
  };
}

function detectedIssue(now: number): DetectedIssue {
  return {
    resourceType: 'DetectedIssue',
    id: 'alerte-1',
    status: 'preliminary',
    severity: 'high',
    code: { coding: [{ system: `${P}CodeSystem/detected-issue-code`, code: 'identity-mismatch' }] },
    detail: 'date de naissance différente',
    identifiedDateTime: at(now, -20),
    patient: { reference: 'Patient/patient-cas-7' },
    implicated: [{ reference: 'Task/cas-7' }],
  };
}

function auditEvent(now: number): AuditEvent {
  return {
    resourceType: 'AuditEvent',
    id: 'trace-1',
    type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
    subtype: [{ code: 'read' }],
    action: 'R',
    recorded: at(now, -3),
    outcome: '0',
    agent: [
      {
        requestor: true,
        who: { reference: 'Practitioner/radiologue', display: 'Dr NOA TEST-TELERADIO' },
        network: { address: '192.0.2.10' },
      },
    ],
    source: { observer: { reference: 'Device/passerelle' } },
    entity: [{ what: { reference: 'Patient/patient-cas-1', display: 'TEST-MOREAU CAMILLE' } }],
  };
}
