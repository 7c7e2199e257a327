/** Strict traits of identity (RNIV) and their comparison: what contradicts, what is merely unknown. */
import type { HumanName, Patient } from '@medplum/fhirtypes';

/** A trait on which two sources disagree. */
export type Trait = 'birth-name' | 'given-name' | 'birth-date' | 'sex' | 'ins' | 'ipp';

/** French names, for alerts. */
export const traitText: Record<Trait, string> = {
  'birth-name': 'nom de naissance',
  'given-name': 'premier prénom de naissance',
  'birth-date': 'date de naissance',
  sex: 'sexe',
  ins: 'matricule INS',
  ipp: 'IPP',
};

/** Form in which names are compared: no diacritics, ligatures spelled out, upper case, plain apostrophes, single spaces. */
export function comparable(name: string): string {
  return name
    .replaceAll(/[Œœ]/g, 'OE')
    .replaceAll(/[Ææ]/g, 'AE')
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[’‘ʼ`´]/g, "'")
    .toUpperCase()
    .replaceAll(/[\s\u00a0]+/g, ' ')
    .trim();
}

const birthList = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name';

/** The name of birth; a patient known by one unlabelled name is known by that one. */
export function birthName(patient: Patient): HumanName | undefined {
  return patient.name?.find((name) => name.use === 'official') ?? patient.name?.find((name) => name.use === undefined);
}

/** All birth given names in one string, when they are known. */
export function birthGivenNames(patient: Patient): string | undefined {
  return birthName(patient)?.extension?.find((extension) => extension.url === birthList)?.valueString;
}

/** Traits that both state and state differently. An absent value, or a sex not known, contradicts nothing. */
export function contradictions(known: Patient, received: Patient): Trait[] {
  const found: Trait[] = [];
  const [ours, theirs] = [birthName(known), birthName(received)];
  if (differ(ours?.family, theirs?.family)) found.push('birth-name');
  if (differ(ours?.given?.[0], theirs?.given?.[0])) found.push('given-name');
  if (known.birthDate && received.birthDate && known.birthDate !== received.birthDate) found.push('birth-date');
  if (sexOf(known) && sexOf(received) && sexOf(known) !== sexOf(received)) found.push('sex');
  return found;
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && comparable(a) !== comparable(b);
}

function sexOf(patient: Patient): 'male' | 'female' | undefined {
  return patient.gender === 'male' || patient.gender === 'female' ? patient.gender : undefined;
}

/** The traits as images carry them, in DICOM's words. */
export interface ImageTraits {
  /** Alphabetic representation, `FAMILY^GIVEN^…`. */
  patientName?: string;
  /** YYYY-MM-DD. */
  birthDate?: string;
  /** M, F, O. */
  sex?: string;
}

/**
 * Traits of the images that contradict the patient's. Scanners are filled with the birth name or the name in use, with the first
 * given name or the whole list: any of them is the same person, anything else is not.
 */
export function imageContradictions(patient: Patient, images: ImageTraits): Trait[] {
  const found: Trait[] = [];
  const [family = '', given = ''] = (images.patientName ?? '').split('^').map(comparable);
  const names = patient.name ?? [];
  const families = names.flatMap((name) => (name.family ? [comparable(name.family)] : []));
  if (family !== '' && families.length > 0 && !families.includes(family)) found.push('birth-name');
  const list = birthGivenNames(patient);
  const givens = [
    ...names.flatMap((name) => name.given ?? []),
    ...names.flatMap((name) => (name.given ? [name.given.join(' ')] : [])),
    ...(list ? [list] : []),
  ].map(comparable);
  if (given !== '' && givens.length > 0 && !givens.includes(given)) found.push('given-name');
  if (images.birthDate && patient.birthDate && images.birthDate !== patient.birthDate) found.push('birth-date');
  const sex = images.sex === 'M' ? 'male' : images.sex === 'F' ? 'female' : undefined;
  if (sex && sexOf(patient) && sex !== sexOf(patient)) found.push('sex');
  return found;
}
