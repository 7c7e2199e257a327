/** Patient identity as the documents print it: strict traits, and the INS only when the identity is qualified (RNIV, EXI DIF 02). */
import type { Extension, Identifier, Patient } from '@medplum/fhirtypes';
import { identityReliability } from '../fhir/index.ts';
import { isInsKeyValid } from './ins-key.ts';

/** INS matricule with the OID that says which number it is; never one without the other. */
export interface Ins {
  /** 15 characters, upper case. */
  matricule: string;
  /** `1.2.250.1.213.1.4.8` NIR, `.9` NIA, `.10` test, `.11` demonstration. */
  oid: string;
}

export interface LocalNumber {
  value: string;
  /** FHIR system, absent when the sender gave no authority. */
  system?: string;
}

export interface PatientIdentity {
  birthFamily?: string;
  firstGiven?: string;
  /** Every birth given name, in order, separated by spaces. */
  givenList?: string;
  usedFamily?: string;
  usedGiven?: string;
  /** `YYYY-MM-DD`. */
  birthDate?: string;
  sex: 'M' | 'F' | 'U';
  /** INSEE code of the commune or country of birth, 5 characters. */
  birthPlaceCode?: string;
  birthPlaceName?: string;
  /** Present only when qualified: validated status, one current INS, valid key, every strict trait, no doubt. */
  ins?: Ins;
  /** Why an INS held in the record is not printed; French, for the lint. */
  insWithheld?: string;
  localNumbers: LocalNumber[];
}

const insOids = ['1.2.250.1.213.1.4.8', '1.2.250.1.213.1.4.9', '1.2.250.1.213.1.4.10', '1.2.250.1.213.1.4.11'];

/** Reads the traits of the FR Core patient; what is not known is left out, never guessed. */
export function patientIdentity(patient: Patient): PatientIdentity {
  const official = patient.name?.find((name) => name.use === 'official') ?? patient.name?.[0];
  const usual = patient.name?.find((name) => name.use === 'usual');
  const list = official?.extension?.find((extension) =>
    extension.url?.endsWith('fr-core-patient-birth-list-given-name'),
  )?.valueString;
  const place = patient.extension?.find((extension) => extension.url?.endsWith('/patient-birthPlace'))?.valueAddress;
  const firstGiven = text(official?.given?.[0]);
  const identity: PatientIdentity = {
    birthFamily: text(official?.family),
    firstGiven,
    givenList: text(list) ?? text(official?.given?.join(' ')),
    usedFamily: text(usual?.family),
    usedGiven: text(usual?.given?.join(' ')),
    birthDate: patient.birthDate,
    sex: patient.gender === 'male' ? 'M' : patient.gender === 'female' ? 'F' : 'U',
    birthPlaceCode: inseeCode(place?.extension),
    birthPlaceName: text([place?.city, place?.country].filter(Boolean).join(', ')) ?? text(place?.text),
    localNumbers: (patient.identifier ?? [])
      .filter(isLocalNumber)
      .map(({ value, system }) => ({ value: value!, system })),
  };
  const candidates = (patient.identifier ?? []).filter(isIns);
  if (candidates.length > 0) Object.assign(identity, qualify(patient, identity, candidates));
  return identity;
}

function qualify(
  patient: Patient,
  identity: PatientIdentity,
  candidates: Identifier[],
): Pick<PatientIdentity, 'ins' | 'insWithheld'> {
  const reliability = identityReliability(patient);
  if (reliability === 'unqualified') return { insWithheld: 'identité non qualifiée' };
  if (reliability === 'voided') return { insWithheld: 'identité douteuse ou fictive' };
  const values = new Set(candidates.map((candidate) => `${oidOf(candidate)} ${candidate.value}`));
  if (values.size > 1) return { insWithheld: 'plusieurs matricules INS en vigueur' };
  const matricule = candidates[0]!.value!.trim().toUpperCase();
  const oid = oidOf(candidates[0]!);
  if (!/^[1-478]\d{5}[0-9AB]\d{8}$/.test(matricule)) return { insWithheld: 'matricule INS mal formé' };
  if (!oid.endsWith('.10') && !oid.endsWith('.11') && !isInsKeyValid(matricule)) {
    return { insWithheld: 'clé du matricule INS fausse' };
  }
  const missing = [
    identity.birthFamily ? '' : 'nom de naissance',
    identity.firstGiven ? '' : 'premier prénom',
    identity.givenList ? '' : 'liste des prénoms',
    /^\d{4}-\d{2}-\d{2}$/.test(identity.birthDate ?? '') ? '' : 'date de naissance',
    identity.sex === 'U' ? 'sexe' : '',
    identity.birthPlaceCode ? '' : 'lieu de naissance (code INSEE)',
  ].filter((trait) => trait !== '');
  if (missing.length > 0) return { insWithheld: `traits manquants : ${missing.join(', ')}` };
  return { ins: { matricule, oid } };
}

function isIns(identifier: Identifier): boolean {
  if (!identifier.value || identifier.use === 'old' || !insOids.includes(oidOf(identifier))) return false;
  // The health-insurance number shares the system of the NIR; only the type tells them apart.
  return (identifier.type?.coding ?? []).some((coding) => coding.code?.startsWith('INS-'));
}

function isLocalNumber(identifier: Identifier): boolean {
  return (
    !!identifier.value &&
    identifier.use !== 'old' &&
    (identifier.type?.coding ?? []).some((coding) => coding.code === 'PI')
  );
}

function oidOf(identifier: Identifier): string {
  return (identifier.system ?? '').replace(/^urn:oid:/, '');
}

function inseeCode(extensions: Extension[] | undefined): string | undefined {
  const found = extensions?.find((extension) => extension.url?.endsWith('fr-core-address-insee-code'));
  const code = found?.valueCoding?.code ?? found?.valueCode ?? found?.valueString;
  return code && /^(\d{5}|2[AB]\d{3})$/i.test(code) ? code.toUpperCase() : undefined;
}

function text(value: string | undefined): string | undefined {
  const trimmed = value?.replace(/\s+/g, ' ').trim();
  return trimmed ? trimmed : undefined;
}
