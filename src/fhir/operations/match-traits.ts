/** Traits by which a patient is recognised in France (RNIV): read from a Patient, in the form in which they are compared. */
import type { HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import { identityReliability } from '../identity-reliability.ts';

/** A number that names a person in a domain. */
export interface Numbered {
  system: string;
  /** In upper case: letters typed otherwise make no other number. */
  value: string;
  /** How it may be stored: searches by identifier tell cases apart. */
  spellings: string[];
}

export interface Traits {
  /** INS in force: matricule and OID go together. */
  ins: Numbered[];
  /** The identity was checked against a document and the INS comes from the national service. */
  isQualified: boolean;
  /** Local numbers (IPP), each with its authority. */
  ipp: Numbered[];
  /** Words of the name of birth. */
  birthName: string[];
  /** Words of every other family name. */
  otherNames: string[][];
  /** Words of the first birth given name, which may be compound. */
  firstGiven: string[];
  /** Words of all birth given names. */
  allGiven: string[];
  /** As written: YYYY, YYYY-MM or YYYY-MM-DD. */
  birthDate?: string;
  sex?: 'male' | 'female';
  /** INSEE code of the place of birth. */
  birthPlace?: string;
}

const insSystem = /^urn:oid:1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11)$/;

export function traitsOf(patient: Patient): Traits {
  const official = birthName(patient);
  const list = official?.extension?.find(({ url }) =>
    url?.endsWith('fr-core-patient-birth-list-given-name'),
  )?.valueString;
  const place = patient.extension?.find(({ url }) => url?.endsWith('/patient-birthPlace'))?.valueAddress;
  const code = place?.extension?.find(({ url }) => url?.endsWith('fr-core-address-insee-code'));
  const birthPlace = code?.valueCoding?.code ?? code?.valueCode ?? code?.valueString;
  const current = (patient.identifier ?? []).filter(({ use, value, system }) => use !== 'old' && value && system);
  return {
    // The matricule, however its digits were grouped.
    ins: current.filter(isIns).map((identifier) => numbered(identifier, /\s/g)),
    isQualified: identityReliability(patient) === 'qualified',
    ipp: current
      .filter((identifier) => hasType(identifier, (type) => type === 'PI'))
      .map((identifier) => numbered(identifier, /^\s+|\s+$/g)),
    birthName: words(official?.family),
    otherNames: (patient.name ?? [])
      .filter((name) => name !== official && name.family)
      .map(({ family }) => words(family)),
    firstGiven: words(official?.given?.[0]),
    allGiven: words(list ?? official?.given?.join(' ')),
    ...(patient.birthDate ? { birthDate: patient.birthDate } : {}),
    ...(patient.gender === 'male' || patient.gender === 'female' ? { sex: patient.gender } : {}),
    ...(birthPlace ? { birthPlace: birthPlace.toUpperCase() } : {}),
  };
}

/** Upper case without diacritics, cut at spaces, hyphens and apostrophes: how a name was typed makes no other person. */
function words(name: string | undefined): string[] {
  return (name ?? '')
    .replaceAll(/[Œœ]/g, 'OE')
    .replaceAll(/[Ææ]/g, 'AE')
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toUpperCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function birthName({ name }: Patient): HumanName | undefined {
  return name?.find(({ use }) => use === 'official') ?? name?.find(({ use }) => use === undefined) ?? name?.[0];
}

/** The number of the insured person shares the system of the INS; only the type tells them apart. */
function isIns(identifier: Identifier): boolean {
  return insSystem.test(identifier.system ?? '') && hasType(identifier, (type) => type.startsWith('INS-'));
}

function hasType({ type }: Identifier, test: (code: string) => boolean): boolean {
  return (type?.coding ?? []).some(({ code }) => code !== undefined && test(code));
}

/** @param blanks what counts for nothing. */
function numbered({ system, value }: Identifier, blanks: RegExp): Numbered {
  const written = value!.replaceAll(blanks, '');
  const upper = written.toUpperCase();
  return { system: system!, value: upper, spellings: [...new Set([upper, written, written.toLowerCase()])] };
}
