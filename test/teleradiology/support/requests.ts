/** Requests, exams and images of one invented patient. */
import { randomUUID } from 'node:crypto';
import type { DetectedIssue, Patient, Task } from '@medplum/fhirtypes';
import type { StudyIdentity } from '../../../src/imaging/contract.ts';
import type { ExamComplement, IncomingRequest } from '../../../src/teleradiology/contract.ts';
import { tenant, type World } from './world.ts';

export const ippSystem = 'https://fhir.passerelle.example/sid/ipp/330099995';
const piType = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PI' }] };
const insType = {
  coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code: 'INS-NIR-TEST' }],
};

let counter = 0;
/** A number nobody has used in this file. */
export const fresh = (): string => String(++counter).padStart(6, '0');

export interface Person {
  ipp: string;
  ins: string;
}

export const person = (): Person => ({
  ipp: `IPP${fresh()}`,
  ins: `285043306${fresh()}`,
});

/**
 * Birth dates far from each other, also with one digit or day and month mistaken: nobody in a file is the homonym of another. There are
 * 2,160 of them.
 */
export function bornOn({ ipp }: Person): string {
  const index = Number(ipp.replaceAll(/\D/g, ''));
  const month = 1 + 2 * (Math.floor(index / 8) % 6);
  const year = 1925 + 2 * (Math.floor(index / 48) % 45);
  return `${year}-${String(month).padStart(2, '0')}-${14 + 2 * (index % 8)}`;
}

export function patient({ ipp, ins }: Person, changes: Partial<Patient> = {}): Patient {
  return {
    resourceType: 'Patient',
    identifier: [
      { type: piType, system: ippSystem, value: ipp },
      { use: 'official', type: insType, system: 'urn:oid:1.2.250.1.213.1.4.10', value: ins },
    ],
    name: [{ use: 'official', family: 'TEST-MOREAU', given: ['CAMILLE'] }],
    gender: 'female',
    birthDate: bornOn({ ipp, ins }),
    ...changes,
  };
}

/** A decision of identity vigilance, as a client writes it. */
export const mitigation = (action: string, reason = 'Vérifié par téléphone avec le service') => [
  {
    action: {
      coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/detected-issue-mitigation', code: action }],
      text: reason,
    },
  },
];

/** Problems of a case, by code; those that only say that two requests are alike are left out unless asked for. */
export async function issuesOf(
  world: World,
  id: string,
  ...codes: string[]
): Promise<(DetectedIssue & { id: string })[]> {
  const found = await world.store.search(tenant, 'DetectedIssue', `implicated=Task/${id}&_sort=_lastUpdated`);
  const code = (issue: DetectedIssue) => issue.code?.coding?.[0]?.code ?? '';
  const wanted = found.filter((each) =>
    codes.length > 0 ? codes.includes(code(each)) : code(each) !== 'duplicate-request',
  );
  return wanted as (DetectedIssue & { id: string })[];
}

export const placer = (value: string) => ({
  type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] },
  system: 'urn:oid:2.999.33.10',
  value,
});

export function request(
  who: Person,
  changes: Partial<IncomingRequest> = {},
  number = `DEM-${fresh()}`,
): IncomingRequest {
  return {
    patient: patient(who),
    organization: {
      resourceType: 'Organization',
      identifier: [{ system: 'https://finess.esante.gouv.fr', value: '330099995' }],
    },
    requester: {
      resourceType: 'Practitioner',
      identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '99700990015' }],
    },
    serviceRequest: {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      identifier: [placer(number)],
      authoredOn: '2026-05-12T08:09:00+02:00',
      reasonCode: [{ text: 'Céphalée brutale' }],
      // What is asked in detail needs a code of what is asked: R4 invariant prr-1, checked on write.
      code: { text: 'Scanner – Tête' },
      orderDetail: [{ coding: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT' }] }],
    },
    observations: [
      {
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: '8302-2' }] },
        valueQuantity: { value: 168, unit: 'cm' },
      },
    ],
    encounterClass: 'E',
    callback: '0556000000',
    transmittedAt: new Date('2026-05-12T06:10:00Z'),
    ...changes,
  };
}

export const uid = (): string => `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`;

export function exam(
  who: Person,
  number: string,
  studyUid: string,
  changes: Partial<ExamComplement> = {},
): ExamComplement {
  return {
    placer: placer(number),
    patient: patient(who),
    studyInstanceUid: studyUid,
    accessionNumber: { system: 'urn:oid:2.999.33.20', value: `ACN${studyUid.slice(-8)}` },
    act: { system: 'http://loinc.org', code: '30799-1', display: 'TDM crâne' },
    examDate: new Date('2026-05-12T06:45:00Z'),
    retentionDays: 730,
    partialViewerUrl: `https://drimbox.ch-exemple.fr/viewer?studyUID=${studyUid}`,
    products: [],
    ...changes,
  };
}

export function study(who: Person, studyUid: string, changes: Partial<StudyIdentity> = {}): StudyIdentity {
  return {
    studyInstanceUid: studyUid,
    patientId: who.ipp,
    patientName: 'TEST-MOREAU^CAMILLE',
    birthDate: bornOn(who),
    sex: 'F',
    modalities: ['CT'],
    ...changes,
  };
}

/** Sends a request the way the RIS does. */
export async function send(
  world: World,
  incoming: IncomingRequest,
  establishment = 'ch-exemple',
): Promise<{ task: Task & { id: string }; created: boolean }> {
  const answer = await world.store.transaction(world.as('ris', 'hl7v2:ORM^O01'), (tx) =>
    world.room.receiveRequest(tx, incoming, establishment),
  );
  return answer as { task: Task & { id: string }; created: boolean };
}

export async function complete(world: World, exams: ExamComplement[]): Promise<Task> {
  return world.store.transaction(world.as('ris', 'hl7v2:OMI^O23'), (tx) =>
    world.room.completeExam(tx, exams, 'ch-exemple'),
  );
}

export const stateOf = (task: Task): string | undefined => task.businessStatus?.coding?.[0]?.code;

/** Sub-extensions of the milestones, by name. */
export function milestones(task: Task): Record<string, string> {
  const extension = task.extension?.find((each) => each.url.endsWith('/case-milestones'));
  return Object.fromEntries((extension?.extension ?? []).map((each) => [each.url, each.valueDateTime ?? '']));
}

export const outputs = (task: Task, item: string) =>
  (task.output ?? []).filter((each) => each.type.coding?.[0]?.code === item);

export const report = {
  indication: 'Céphalée',
  technique: 'TDM sans injection, PDL 900',
  results: 'Pas de saignement',
  conclusion: 'Normal',
};

/** A case in the state `ready`: requested, protocoled, images attached by flow 4 and quiet. */
export async function readyCase(world: World, changes: Partial<IncomingRequest> = {}) {
  const who = person();
  const number = `DEM-${fresh()}`;
  const studyUid = uid();
  const { task } = await send(world, request(who, changes, number));
  await world.operate('radiologist', 'protocol', task.id, { text: 'TDM cérébral sans injection' });
  await complete(world, [exam(who, number, studyUid)]);
  await world.images(study(who, studyUid), { '1.1': 20, '1.2': 10 });
  world.clock.pass(3_000);
  await world.room.sweep();
  return { who, number, studyUid, id: task.id };
}

/** A case signed by `radiologist` and, unless told otherwise, acknowledged by the hospital. */
export async function signedCase(world: World, acknowledged = true) {
  const ready = await readyCase(world, { encounterClass: 'O' });
  await world.operate('radiologist', 'claim', ready.id);
  await world.operate('radiologist', 'displayed', ready.id, { series: ['1.1', '1.2'] });
  await world.operate('radiologist', 'sign', ready.id, report);
  const item = world.queued.at(-1)!;
  if (acknowledged) await world.outcome(item, { status: 'delivered', evidence: 'MSA|AA|1' });
  return { ...ready, item };
}

/** The latest child Task a case names in this output. */
export async function childOf(world: World, id: string, item: string): Promise<Task> {
  const reference = outputs(await world.task(id), item).at(-1)?.valueReference?.reference ?? '';
  return world.task(reference.replace('Task/', ''));
}

/** A refusal as people and programs get it. */
export const refusal = (guard: string, status = 422) => ({
  status,
  outcome: { issue: [{ details: { coding: [{ code: guard }] } }] },
});
