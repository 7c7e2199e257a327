/** Finds or makes the Patient of a request: by INS, then by IPP, never by names (identity-vigilance rules ID-1 and ID-2). */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction, identifierQuery, labelsOf } from '../../fhir/index.ts';
import { identifierIs } from '../codes.ts';
import { contradictions } from './compare-traits.ts';
import { survivor, survivorOf } from './survivor.ts';
import { insOf, ippsOf, type Trait } from './traits.ts';

const reliability = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability';

export interface FoundPatient {
  patient: StoredPatient;
  /** What the request says otherwise than we knew: blocks the case until identity vigilance decides. */
  problems: Trait[];
}

type StoredPatient = Patient & { id: string };

const same = (a: Identifier, b: Identifier): boolean => a.system === b.system && a.value === b.value;
const key = (identifier: Identifier): string => `${identifier.system ?? ''}|${identifier.value}`;

/** Whether two descriptions share an INS or an IPP. */
export function sharesNumber(known: Patient, received: Patient): boolean {
  const numbers = [insOf(received), ...ippsOf(received)].filter((each) => each !== undefined);
  return numbers.some((number) => known.identifier?.some((each) => same(each, number)) ?? false);
}

/**
 * @throws FhirError 422 when the request's patient has neither INS nor IPP.
 */
export async function upsertPatient(tx: FhirTransaction, sent: Patient): Promise<FoundPatient> {
  const { establishments = [] } = tx.context;
  const received = withAssigner(sent, establishments);
  const ins = insOf(received);
  const ipps = ippsOf(received);
  const wanted = [...(ins ? [ins] : []), ...ipps];
  if (wanted.length === 0)
    throw new FhirError(
      422,
      'required',
      "La demande ne porte ni INS ni IPP : le patient n'est pas identifiable.",
      'Patient.identifier',
    );
  for (const name of wanted.map(key).sort()) await tx.lock(`patient:${name}`);
  const [byIns] = ins ? await findBy(tx, ins, (patient) => same(insOf(patient) ?? {}, ins)) : [];
  const byIpps = await findByIpps(tx, ipps, received);
  const [byIpp, ...alsoByIpp] = byIpps.patients;
  const known = byIpp ?? byIns;
  if (known === undefined) return { patient: await tx.create<Patient>({ ...received, active: true }), problems: [] };
  // Numbers of two patients in one message: given to either, the next message would find the one or the other by chance.
  const several: Trait[] = alsoByIpp.length > 0 ? ['ipp'] : [];
  const problems = [...new Set([...several, ...problemsOf(known, byIns, byIpp, received)])];
  if (problems.length > 0) return { patient: known, problems };
  const merged = complete(known, retired(received, byIpps.former));
  const told = (known.meta?.security ?? []).flatMap(({ code }) => code ?? []);
  const isNews = establishments.some((establishment) => !told.includes(establishment));
  const changed = isNews || JSON.stringify(merged) !== JSON.stringify(known);
  return { patient: changed ? await tx.update(merged) : known, problems: [] };
}

/** An IPP says whose it is: messages to another establishment leave it out. */
function withAssigner(patient: Patient, establishments: readonly string[]): Patient {
  const [establishment, ...others] = establishments;
  if (establishment === undefined || others.length > 0) return patient;
  const assigner = { reference: `Organization/${establishment}` };
  const identifier = patient.identifier?.map((each) =>
    identifierIs(each, 'PI') && !each.assigner ? { ...each, assigner } : each,
  );
  return identifier ? { ...patient, identifier } : patient;
}

/** Every patient one of these numbers is of. */
async function findByIpps(
  tx: FhirTransaction,
  ipps: Identifier[],
  received: Patient,
): Promise<{ patients: StoredPatient[]; former: Identifier[] }> {
  const found = new Map<string, StoredPatient>();
  const former: Identifier[] = [];
  for (const ipp of ipps) {
    const carries = (patient: Patient) => ippsOf(patient).some((candidate) => same(candidate, ipp));
    const numbered = await findBy(tx, ipp, carries);
    const of = numbered.filter((patient) => !isCoincidence(patient, ipp, received, tx.context.establishments ?? []));
    for (const patient of of) found.set(patient.id, patient);
    if (of.length > 0 && !of.some(carries)) former.push(ipp);
  }
  return { patients: [...found.values()], former };
}

/**
 * Two hospitals call the authority of their numbers alike (« SIH »), which neither an OID nor a FINESS tells apart: somebody else's patient under
 * the same number is not the one of this message, and is nobody's to compare here.
 */
function isCoincidence(
  patient: Patient,
  { system = '', assigner }: Identifier,
  received: Patient,
  establishments: readonly string[],
): boolean {
  const isNamedOnly = !system.startsWith('urn:oid:') && assigner?.identifier?.value === undefined;
  const labels = labelsOf(patient);
  const isForeign =
    establishments.length > 0 && labels.length > 0 && !labels.some((each) => establishments.includes(each));
  return isNamedOnly && isForeign && contradictions(patient, received).length > 0;
}

/** Numbers of an identity that ended are no longer in use for the one that remains; messages under way still carry them. */
function retired(received: Patient, former: readonly Identifier[]): Patient {
  if (former.length === 0) return received;
  const identifier = received.identifier?.map((each) =>
    former.some((other) => same(other, each)) ? { ...each, use: 'old' as const } : each,
  );
  return { ...received, ...(identifier ? { identifier } : {}) };
}

/** Patients in use with that number; of one that was merged, the one that remains: who sends may not have heard of it yet. */
async function findBy(
  tx: FhirTransaction,
  identifier: Identifier,
  confirms: (patient: Patient) => boolean,
): Promise<StoredPatient[]> {
  const matches = await tx.search('Patient', `${identifierQuery(identifier.system, identifier.value)}&_count=10`);
  const found = new Map<string, StoredPatient>();
  for (const match of matches.filter(confirms) as StoredPatient[]) {
    const merged = match.active === false || survivorOf(match) !== undefined;
    const patient = merged ? await survivor(tx, match.id) : match;
    if (patient !== undefined) found.set(patient.id, patient);
  }
  return [...found.values()];
}

function problemsOf(
  known: Patient,
  byIns: Patient | undefined,
  byIpp: Patient | undefined,
  received: Patient,
): Trait[] {
  const problems: Trait[] = [];
  const [ours, theirs] = [insOf(known), insOf(received)];
  // Two INS on one IPP: one of them belongs to somebody else.
  if (ours && theirs && ours.system === theirs.system && ours.value !== theirs.value) problems.push('ins');
  // One INS on two IPP of one domain: a double.
  if (byIns && byIpp && byIns.id !== byIpp.id) problems.push('ins');
  if (!byIpp && byIns) {
    const others = ippsOf(byIns);
    const clash = ippsOf(received).some((ipp) =>
      others.some((other) => other.system === ipp.system && other.value !== ipp.value),
    );
    if (clash) problems.push('ipp');
  }
  return [...new Set([...problems, ...contradictions(known, received)])];
}

/** Adds what the request brings; what we knew and it does not say stays. A status is carried, never raised without the INS. */
function complete(known: Patient & { id: string }, received: Patient): Patient & { id: string } {
  const identifiers = [...(known.identifier ?? [])];
  for (const identifier of received.identifier ?? []) {
    if (!identifiers.some((candidate) => same(candidate, identifier))) identifiers.push(identifier);
  }
  // All repetitions of one extension are told together (an identity may be PROV and DOUB at once): they replace the former together.
  const told = (received.extension ?? []).filter(
    ({ url }) => !(url === reliability && insOf(received) === undefined && insOf(known) !== undefined),
  );
  const kept = (known.extension ?? []).filter(({ url }) => !told.some((extension) => extension.url === url));
  const extensions = [...kept, ...told];
  return {
    ...known,
    ...(extensions.length > 0 ? { extension: extensions } : {}),
    identifier: identifiers,
    ...(received.name?.length
      ? { name: received.name.length >= (known.name?.length ?? 0) ? received.name : known.name }
      : {}),
    ...(known.gender && known.gender !== 'unknown' ? {} : received.gender ? { gender: received.gender } : {}),
    ...(known.birthDate ? {} : received.birthDate ? { birthDate: received.birthDate } : {}),
    ...(received.address?.length ? { address: received.address } : {}),
    ...(received.telecom?.length ? { telecom: received.telecom } : {}),
  };
}
