/** Strict traits of identity (RNIV) as a side of a comparison states them: a request, a feed, what we knew, images. */
import type { HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import type { StudyIdentity } from '../../imaging/contract.ts';
import { identifierIs, insSystems } from '../codes.ts';

/** A trait on which two sources may disagree; code of CodeSystem `identity-trait`. */
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

/** What one side says; what it does not say is absent, and contradicts nothing. */
export interface StatedTraits {
  /** Name of birth, where the side says which one that is. */
  birthFamily?: string;
  /** Every other family name it is known by: in use, or not said which. */
  otherFamilies: readonly string[];
  /** First birth given name, where the side says which one that is. */
  birthGiven?: string;
  /** Every form of the given names it goes by: in use, the whole list of birth. */
  otherGivens: readonly string[];
  /** Given names of birth, all of them, in order. */
  givenList?: string;
  /** YYYY, YYYY-MM or YYYY-MM-DD. */
  birthDate?: string;
  sex?: 'male' | 'female';
  ins?: Identifier;
  ipps: readonly Identifier[];
  /** Written by a machine with little room: a name may be cut, or not divided. Holds the name as it was written. */
  writtenName?: string;
}

const birthList = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name';
const insTypes = ['INS-NIR', 'INS-NIA', 'INS-NIR-TEST', 'INS-NIR-DEMO'];

/** The name of birth; a patient known by one unlabelled name is known by that one. */
function birthName(patient: Patient): HumanName | undefined {
  return patient.name?.find((name) => name.use === 'official') ?? patient.name?.find((name) => name.use === undefined);
}

/** All birth given names in one string, when they are known. */
function birthGivenNames(patient: Patient): string | undefined {
  return birthName(patient)?.extension?.find((extension) => extension.url === birthList)?.valueString;
}

/** The INS in use; the insured person's number shares its system, only the type tells them apart. */
export function insOf(patient: Patient): Identifier | undefined {
  return patient.identifier?.find(
    (identifier) =>
      identifier.use !== 'old' &&
      insSystems.includes(identifier.system ?? '') &&
      (identifier.type?.coding === undefined || identifierIs(identifier, ...insTypes)),
  );
}

/** Numbers given by establishments. */
export function ippsOf(patient: Patient): Identifier[] {
  return (patient.identifier ?? []).filter((identifier) => identifier.use !== 'old' && identifierIs(identifier, 'PI'));
}

/** Traits of a Patient resource. Names that are no longer the person's (`old`) say nothing. */
export function traitsOfPatient(patient: Patient): StatedTraits {
  const names = (patient.name ?? []).filter((name) => name.use !== 'old');
  const birth = birthName(patient);
  const others = names.filter((name) => name !== birth);
  const list = birthGivenNames(patient);
  const ins = insOf(patient);
  return {
    ...(birth?.family ? { birthFamily: birth.family } : {}),
    otherFamilies: others.flatMap((name) => name.family ?? []),
    ...(birth?.given?.[0] ? { birthGiven: birth.given[0] } : {}),
    otherGivens: [
      ...(birth?.given && birth.given.length > 1 ? [birth.given.join(' ')] : []),
      ...others.flatMap((name) => [...(name.given ?? []), ...(name.given ? [name.given.join(' ')] : [])]),
    ],
    ...(list ? { givenList: list } : {}),
    ...(patient.birthDate ? { birthDate: patient.birthDate } : {}),
    ...(patient.gender === 'male' || patient.gender === 'female' ? { sex: patient.gender } : {}),
    ...(ins ? { ins } : {}),
    ipps: ippsOf(patient),
  };
}

/** Traits of images, in DICOM's words; their number is compared where the issuer is known (images/find-case.ts). */
export type ImageTraits = Pick<StudyIdentity, 'patientName' | 'birthDate' | 'sex'>;

/** Nothing says which of the patient's names a scanner was filled with. Middle names go on from the first. */
export function traitsOfImages({ patientName = '', birthDate, sex }: ImageTraits): StatedTraits {
  const [family = '', given = '', middle = ''] =
    patientName
      .split('=')[0]
      ?.split('^')
      .map((each) => each.trim()) ?? [];
  return {
    otherFamilies: family === '' ? [] : [family],
    otherGivens: given === '' ? [] : [given, ...(middle === '' ? [] : [`${given} ${middle}`])],
    ...(birthDate ? { birthDate } : {}),
    ...(sex === 'M' ? { sex: 'male' } : sex === 'F' ? { sex: 'female' } : {}),
    ipps: [],
    ...(family === '' ? {} : { writtenName: [family, given].join('^').replace(/\^$/, '') }),
  };
}
