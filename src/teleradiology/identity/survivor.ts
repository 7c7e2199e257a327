/** Who remains of merged identities (RNIV; IHE PAM A40): `Patient.link` of type replaced-by, to its end. */
import type { Patient } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { idOf } from '../shell/case-task.ts';

/** Longest chain of merges that is followed. */
const mergesAtMost = 10;

/** Reference of the patient into whom this one was merged. */
export function survivorOf(patient: Patient): string | undefined {
  return patient.link?.find(({ type }) => type === 'replaced-by')?.other.reference;
}

/** The active patient at the end of the merges; undefined where nobody replaces this one, or the chain leads to nobody in use. */
export async function survivor(tx: FhirTransaction, id: string): Promise<(Patient & { id: string }) | undefined> {
  let current = id;
  for (let step = 0; step < mergesAtMost; step++) {
    const patient = await tx.find('Patient', current);
    if (patient === undefined) return undefined;
    const next = idOf({ reference: survivorOf(patient) }, 'Patient');
    if (next === undefined)
      return current === id || patient.active === false ? undefined : (patient as Patient & { id: string });
    current = next;
  }
  return undefined;
}
