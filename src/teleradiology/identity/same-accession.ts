/** One accession number, requests of two patients: neither is read before somebody verified (ID-2). */
import { createHash } from 'node:crypto';
import type { Patient, ServiceRequest } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { idOf } from '../shell/case-task.ts';
import { differing } from './compare-traits.ts';
import type { Doubt } from './doubt.ts';
import { areOfOneEstablishment } from './homonyms.ts';
import type { Problem } from './problem.ts';
import { type SharedAccession, sharedAccessions } from './shared-number.ts';
import { traitsOfPatient } from './traits.ts';

const ofAnother = "Le numéro d'examen de cette demande est déjà celui de la demande d'un autre patient.";
const elsewhere =
  "Le numéro d'examen de cette demande est aussi celui d'une demande d'un autre établissement, pour un autre patient.";

/** @param request with the numbers to compare. @param patient its patient. */
export async function accessionDoubts(
  tx: FhirTransaction,
  request: ServiceRequest,
  patient: Patient,
): Promise<Doubt[]> {
  const doubts: Doubt[] = [];
  for (const shared of await sharedAccessions(tx, request)) {
    const other = await patientOf(tx, shared.request);
    doubts.push(shared.isElsewhere ? withTwoSides(shared, patient, other) : ofOneEstablishment(shared, patient, other));
  }
  return doubts;
}

function ofOneEstablishment({ request, task }: SharedAccession, patient: Patient, other: Patient | undefined): Doubt {
  return {
    code: 'accession-collision',
    detail: ofAnother,
    ...comparison(patient, other),
    others: [`ServiceRequest/${request.id}`],
    otherCases: task ? [task] : [],
    keyPart: request.id,
  };
}

/** An authority of several establishments gave its number twice: each case waits, for a decision of its own. */
function withTwoSides({ number, task }: SharedAccession, patient: Patient, other: Patient | undefined): Doubt {
  const code = 'accession-collision';
  // A key says nothing of the other side, and is one even if the number has a comma.
  const keyPart = createHash('sha256').update(`${number.system}|${number.value}`).digest('hex');
  const theirs = { code, detail: elsewhere, sides: other ? { known: other } : {} } satisfies Partial<Problem>;
  return {
    ...{ code, detail: elsewhere, sides: { known: patient }, otherCases: [], keyPart },
    apart: task ? [{ ...theirs, cases: [task], key: `${task.id}.${keyPart}` }] : [],
  };
}

/** Both sides, where the other patient is of the same establishment: another one's are not shown across. */
function comparison(patient: Patient, other: Patient | undefined): Pick<Problem, 'sides' | 'traits'> {
  if (other === undefined || !areOfOneEstablishment(patient, other)) return { sides: { known: patient } };
  return {
    sides: { known: patient, others: [other] },
    traits: differing(traitsOfPatient(patient), traitsOfPatient(other)),
  };
}

/** The patient of a request. */
export async function patientOf(tx: FhirTransaction, request: ServiceRequest): Promise<Patient | undefined> {
  const id = idOf(request.subject, 'Patient');
  return id === undefined ? undefined : tx.find('Patient', id);
}
