/** A population of any size, the same at every run: patients, their requests, the cases open on them, their observations. */
import type { Observation, Patient, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import type { Population } from './fill.ts';

export const identifierSystem = 'urn:oid:2.999.33.10';
export const patientSystem = 'urn:oid:2.999.33.20';
/** Radiologists the requests are spread over. */
const radiologists = 500;
/**
 * What is still to be read are the newest requests, as in any service: every second one of these many. Those of a smaller population
 * that grew stay active: the ones nobody closed.
 */
const underWay = 40_000;
/** One request in so many was revoked, whenever it came: found by the same search as the active ones, and lying anywhere. */
const revokedOneIn = 50;
/** Requests for one patient, for one case, for one observation. */
export const requestsPerPatient = 10;
const requestsPerTask = 10;
const requestsPerObservation = 10;

const firstDay = Date.UTC(2024, 0, 1);
const stepMs = 47_000;
const exams = ['24725-4', '24627-2', '30799-1', '36813-4', '24558-9', '24566-2'];
const families = ['MARTIN', 'BERNARD', 'DUBOIS', 'THOMAS', 'ROBERT', 'RICHARD', 'PETIT', 'DURAND', 'LEROY', 'MOREAU'];
const givens = ['Aline', 'Bruno', 'Chloé', 'Denis', 'Élodie', 'Fabien', 'Gaëlle', 'Hugo', 'Inès', 'Julien'];

export const requestId = (n: number) => `bench-s-${pad(n)}`;
const patientId = (n: number) => `bench-p-${pad(n)}`;
export const radiologistId = (n: number) => `bench-r-${n % radiologists}`;
export const requestNumber = (n: number) => `BN-${pad(n)}`;
export const patientNumber = (n: number) => `BP-${pad(n)}`;

/** A number that looks random and depends on nothing but its argument (a multiplicative hash of 32 bits). */
export function scramble(n: number): number {
  let x = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Everything that comes with the n-th request of `total`. */
function* arrivals(n: number, total: number): Generator<Resource & { id: string }> {
  if (n % requestsPerPatient === 0) yield patient(n / requestsPerPatient);
  yield serviceRequest(n, total);
  if (n % requestsPerTask === 0) yield task(n, total);
  if (n % requestsPerObservation === 0) yield observation(n);
}

export const requests: Population = { types: ['Patient', 'ServiceRequest', 'Task', 'Observation'], arrivals };

/** About 1.3 kB, as a RIS would send it. */
function serviceRequest(n: number, total: number): ServiceRequest & { id: string } {
  const random = scramble(n);
  return {
    resourceType: 'ServiceRequest',
    id: requestId(n),
    meta: meta(n),
    identifier: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] },
        system: identifierSystem,
        value: requestNumber(n),
      },
    ],
    status: isUnderWay(n, total) ? 'active' : random % revokedOneIn === 1 ? 'revoked' : 'completed',
    intent: 'order',
    priority: random % 5 === 0 ? 'urgent' : 'routine',
    category: [{ coding: [{ system: 'http://snomed.info/sct', code: '363679005', display: 'Imaging' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: exams[random % exams.length]!, display: 'TDM' }] },
    orderDetail: [
      { coding: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT', display: 'Scanner' }] },
    ],
    bodySite: [{ coding: [{ system: 'http://snomed.info/sct', code: '774007', display: 'tête et cou' }] }],
    subject: { reference: `Patient/${patientId(Math.floor(n / requestsPerPatient))}` },
    requester: { reference: 'Practitioner/demandeur' },
    performer: [{ reference: `Practitioner/${radiologistId(random >>> 8)}` }],
    authoredOn: instant(n),
    reasonCode: [{ text: 'Céphalée brutale inhabituelle depuis deux heures, examen neurologique normal.' }],
    note: [{ text: 'Sans puis avec injection si doute.' }],
  };
}

function isUnderWay(n: number, total: number): boolean {
  return n >= total - underWay && (scramble(n) >>> 4) % 2 === 0;
}

function patient(n: number): Patient & { id: string } {
  const random = scramble(n ^ 0x5bd1e995);
  return {
    resourceType: 'Patient',
    id: patientId(n),
    meta: meta(n * requestsPerPatient),
    identifier: [{ system: patientSystem, value: patientNumber(n) }],
    name: [{ family: `${families[random % 10]}-${n % 1000}`, given: [givens[(random >>> 8) % 10]!] }],
    gender: random % 2 === 0 ? 'female' : 'male',
    birthDate: new Date(Date.UTC(1930, 0, 1) + (random % 30_000) * 86_400_000).toISOString().slice(0, 10),
  };
}

function task(n: number, total: number): Task & { id: string } {
  const random = scramble(n);
  return {
    resourceType: 'Task',
    id: `bench-t-${pad(n)}`,
    meta: meta(n),
    status: isUnderWay(n, total) ? 'requested' : 'completed',
    intent: 'order',
    focus: { reference: `ServiceRequest/${requestId(n)}` },
    for: { reference: `Patient/${patientId(Math.floor(n / requestsPerPatient))}` },
    owner: { reference: `Practitioner/${radiologistId(random >>> 8)}` },
    authoredOn: instant(n),
    lastModified: instant(n),
  };
}

function observation(n: number): Observation & { id: string } {
  const random = scramble(n ^ 0x1b873593);
  return {
    resourceType: 'Observation',
    id: `bench-o-${pad(n)}`,
    meta: meta(n),
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: random % 2 === 0 ? '33914-3' : '2160-0' }] },
    subject: { reference: `Patient/${patientId(Math.floor(n / requestsPerPatient))}` },
    effectiveDateTime: instant(n),
    valueQuantity: {
      value: (random % 12_000) / 100,
      unit: 'mL/min',
      system: 'http://unitsofmeasure.org',
      code: random % 2 === 0 ? 'mL/min' : 'umol/L',
    },
  };
}

function meta(n: number) {
  return { versionId: '1', lastUpdated: instant(n) };
}

function instant(n: number): string {
  return new Date(firstDay + n * stepMs).toISOString();
}

function pad(n: number): string {
  return String(n).padStart(9, '0');
}
