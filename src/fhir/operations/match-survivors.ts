/**
 * Records that were merged into another (https://hl7.org/fhir/R4/patient.html#linking, `replaced-by`): whoever is recognised by one of
 * them is the patient whose record remains, and nobody is to choose between a record and what it was merged into.
 */
import type { Patient } from '@medplum/fhirtypes';
import type { RestReads } from '../store/contract.ts';
import { type Traits, traitsOf } from './match-traits.ts';
import { parsed } from './reads.ts';
import { targetOf } from './targets.ts';

/** Merges of merges: more is a circle, or a mistake. */
const mergesAtMost = 5;

/** A record that remains, known by its own traits, and by the numbers and names of those it replaced. */
export interface Survivor {
  patient: Patient;
  traits: Traits;
}

/** Each once. A record whose successor is not there, or not to be seen, stands for itself. */
export async function survivorsOf(
  reads: Pick<RestReads, 'readStored'>,
  base: string,
  found: readonly Patient[],
): Promise<Survivor[]> {
  const remaining = new Map<string, Survivor>();
  const keep = (patient: Patient): Survivor => {
    const known = remaining.get(patient.id!) ?? { patient, traits: traitsOf(patient) };
    remaining.set(patient.id!, known);
    return known;
  };
  for (const patient of found) {
    const successor = await successorOf(reads, base, patient);
    if (!successor) {
      keep(patient);
      continue;
    }
    const { traits } = keep(successor);
    const { ipp, birthName, otherNames } = traitsOf(patient);
    traits.ipp.push(...ipp);
    traits.otherNames.push(birthName, ...otherNames);
  }
  return [...remaining.values()];
}

/** What a record was merged into in the end; undefined when it was not, or when that leads nowhere. */
async function successorOf(
  reads: Pick<RestReads, 'readStored'>,
  base: string,
  patient: Patient,
): Promise<Patient | undefined> {
  let at = patient;
  for (let merges = 0; merges <= mergesAtMost; merges++) {
    const next = at.link?.find(({ type }) => type === 'replaced-by')?.other.reference;
    if (next === undefined) return at === patient ? undefined : at;
    const target = targetOf(next, base);
    const stored = target?.type === 'Patient' ? await reads.readStored('Patient', target.id) : undefined;
    if (!stored || stored.deleted) return undefined;
    at = parsed(stored) as Patient;
  }
  return undefined;
}
