/**
 * Open cases of the demonstration hospital and its neighbours, the same at every run: patient, request, consent and case, as the platform
 * itself writes them. Their rows in the domain's own tables are in open-case-rows.ts.
 */
import type { Consent, Extension, Patient, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import { demoHospital } from '../../demonstration/index.ts';
import type { Population } from './fill.ts';
import { scramble } from './population.ts';

const P = 'https://fhir.passerelle.example/';
/** The demonstration hospital has half of the cases, these have the rest. */
const neighbours = ['bench-h-1', 'bench-h-2', 'bench-h-3'];
/** One case in so many is being read, and no more than there are readers: a backlog has no more hands than a good day. */
const inHandOneIn = 10;
const readers = 100;
const minuteMs = 60_000;
const dayMinutes = 24 * 60;

const acts = ['30799-1', '24725-4', '24627-2', '30620-9'];
const sites = ['774007', '67734004', '63337009', '737561001', '53120007', '61685007'];

export const caseId = (n: number) => `bench-c-${pad(n)}`;

export interface OpenCases extends Population {
  task(n: number): Task & { id: string };
  /** What a radiologist of the demonstration hospital can take now. */
  isToRead(n: number): boolean;
  dueAt(n: number): Date;
}

/** @param now received over the day before it, due over the day after. */
export function openCases(now: Date): OpenCases {
  const isInHand = (n: number) => n % inHandOneIn === 0 && n < readers * inHandOneIn;
  const isReady = (n: number) => n % 2 === 1;
  const establishment = (n: number) =>
    scramble(n) % 2 === 0 ? demoHospital.organizationId : neighbours[(scramble(n) >>> 1) % neighbours.length]!;
  const isUrgent = (n: number) => (scramble(n) >>> 3) % 4 === 0;
  const receivedAt = (n: number) => new Date(now.getTime() - ((scramble(n) >>> 5) % dayMinutes) * minuteMs);
  const dueAt = (n: number) =>
    new Date(now.getTime() + (1 + ((scramble(n ^ 0x51ed) >>> 5) % (2 * dayMinutes))) * minuteMs);

  function stateOf(n: number): { code: string; display: string; status: Task['status'] } {
    if (isInHand(n)) return { code: 'reading', display: 'En lecture', status: 'in-progress' };
    if (isReady(n)) return { code: 'ready', display: 'Prête à lire', status: 'ready' };
    return n % 4 === 0
      ? { code: 'protocol-wanted', display: 'Protocole à établir', status: 'received' }
      : { code: 'protocoled', display: 'Acceptée et protocolée', status: 'accepted' };
  }

  function task(n: number): Task & { id: string } {
    const { code, display, status } = stateOf(n);
    const clock = code === 'protocol-wanted' ? 'protocol' : code === 'protocoled' ? 'expiry' : 'interpretation';
    const item = (name: string) => ({ coding: [{ system: `${P}CodeSystem/case-item`, code: name }] });
    return {
      resourceType: 'Task',
      id: caseId(n),
      meta: meta(n),
      extension: [runningClock(clock, receivedAt(n), dueAt(n))],
      identifier: [{ system: `${P}sid/case`, value: `TLR-BENCH-${pad(n)}` }],
      basedOn: [{ reference: `ServiceRequest/bench-o-${pad(n)}` }],
      groupIdentifier: { system: 'urn:oid:2.999.33.10', value: `BENCH-${pad(n)}` },
      status,
      businessStatus: { coding: [{ system: `${P}CodeSystem/case-status`, code, display }], text: display },
      intent: 'order',
      priority: isUrgent(n) ? 'urgent' : 'routine',
      code: { coding: [{ system: `${P}CodeSystem/task-code`, code: 'teleradiology-case' }] },
      focus: { reference: `ServiceRequest/bench-o-${pad(n)}` },
      for: { reference: `Patient/bench-q-${pad(n)}` },
      requester: { reference: `Organization/${establishment(n)}` },
      ...(isInHand(n) ? { owner: { reference: `Practitioner/bench-r-${(n / inHandOneIn) % readers}` } } : {}),
      authoredOn: receivedAt(n).toISOString(),
      lastModified: receivedAt(n).toISOString(),
      ...(clock === 'interpretation'
        ? { restriction: { period: { start: receivedAt(n).toISOString(), end: dueAt(n).toISOString() } } }
        : {}),
      input: [
        { type: item('encounter-class'), valueCode: isUrgent(n) ? 'E' : 'O' },
        ...(isReady(n) ? [{ type: item('images-declared-complete'), valueBoolean: true }] : []),
      ],
    };
  }

  function meta(n: number): NonNullable<Resource['meta']> {
    return {
      versionId: '1',
      lastUpdated: receivedAt(n).toISOString(),
      security: [{ system: `${P}sid/establishment`, code: establishment(n) }],
    };
  }

  function* arrivals(n: number): Generator<Resource & { id: string }> {
    const random = scramble(n);
    const patient: Patient & { id: string } = {
      resourceType: 'Patient',
      id: `bench-q-${pad(n)}`,
      meta: meta(n),
      identifier: [{ system: 'urn:oid:2.999.33.20', value: `BQ-${pad(n)}` }],
      name: [{ family: `TEST-${n % 1000}`, given: ['CAMILLE'] }],
      gender: random % 2 === 0 ? 'female' : 'male',
      birthDate: '1960-05-01',
    };
    const request: ServiceRequest & { id: string } = {
      resourceType: 'ServiceRequest',
      id: `bench-o-${pad(n)}`,
      meta: meta(n),
      identifier: [
        {
          type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] },
          system: 'urn:oid:2.999.33.10',
          value: `BENCH-${pad(n)}`,
        },
      ],
      status: 'active',
      intent: 'order',
      code: { coding: [{ system: 'http://loinc.org', code: acts[random % acts.length]! }] },
      bodySite: [{ coding: [{ system: 'http://snomed.info/sct', code: sites[random % sites.length]! }] }],
      subject: { reference: `Patient/bench-q-${pad(n)}` },
      requester: { reference: 'Practitioner/demandeur' },
      authoredOn: receivedAt(n).toISOString(),
      reasonCode: [{ text: 'Céphalée brutale inhabituelle depuis deux heures, examen neurologique normal.' }],
    };
    const consent: Consent & { id: string } = {
      resourceType: 'Consent',
      id: `bench-k-${pad(n)}`,
      meta: meta(n),
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'treatment' }] },
      category: [{ coding: [{ system: `${P}CodeSystem/consent-category`, code: 'remote-reading' }] }],
      patient: { reference: `Patient/bench-q-${pad(n)}` },
      policy: [{ uri: `${P}policy` }],
    };
    yield patient;
    yield request;
    yield consent;
    yield task(n);
  }

  const isToRead = (n: number) => isReady(n) && establishment(n) === demoHospital.organizationId;
  return { types: ['Patient', 'ServiceRequest', 'Consent', 'Task'], arrivals, task, isToRead, dueAt };
}

function runningClock(name: string, started: Date, due: Date): Extension {
  return {
    url: `${P}StructureDefinition/clock`,
    extension: [
      { url: 'name', valueCode: name },
      { url: 'started', valueDateTime: started.toISOString() },
      { url: 'due', valueDateTime: due.toISOString() },
      { url: 'late', valueBoolean: false },
    ],
  };
}

function pad(n: number): string {
  return String(n).padStart(9, '0');
}
