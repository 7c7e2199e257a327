/** recordTarget (cda-imaging-report §3): the INS only with every strict trait, local numbers always. */
import type { Patient } from '@medplum/fhirtypes';
import { teleserviceForm } from '../datamatrix.ts';
import type { PatientIdentity } from '../identity.ts';
import { instance, rootOf } from './identifiers.ts';
import { addr, telecoms } from './parties.ts';
import { el, type XmlElement } from './xml.ts';

const genders: Record<PatientIdentity['sex'], { code: string; displayName: string }> = {
  M: { code: 'M', displayName: 'Masculin' },
  F: { code: 'F', displayName: 'Féminin' },
  U: { code: 'UN', displayName: 'Indéterminé' },
};

/** Root of local numbers whose sender named no authority; scoped by the structure that sent them. */
const unscopedNumbers = 'https://fhir.passerelle.example/sid/ipp';

export function recordTarget(patient: Patient, identity: PatientIdentity, establishmentId: string): XmlElement {
  const ins = identity.ins && instance(identity.ins.oid, identity.ins.matricule);
  const numbers = identity.localNumbers.map(({ value, system }) =>
    instance(rootOf(system ?? `${unscopedNumbers}/${establishmentId}`), value),
  );
  return el(
    'recordTarget',
    {},
    el(
      'patientRole',
      {},
      ins,
      numbers,
      addr(patient.address?.[0]),
      telecoms(patient.telecom ?? []),
      el('patient', { classCode: 'PSN' }, name(identity), gender(identity), birthTime(identity), birthplace(identity)),
    ),
  );
}

function name(identity: PatientIdentity): XmlElement {
  // Qualified traits are those of the teleservice, to the letter; others are left as the hospital wrote them.
  const form = (text: string) => (identity.ins ? teleserviceForm(text) : text);
  const { birthFamily, firstGiven, givenList, usedFamily, usedGiven } = identity;
  return el(
    'name',
    {},
    birthFamily && el('family', { qualifier: 'BR' }, form(birthFamily)),
    givenList && el('given', {}, form(givenList)),
    firstGiven && el('given', { qualifier: 'BR' }, form(firstGiven)),
    usedFamily && el('family', { qualifier: 'CL' }, usedFamily),
    usedGiven && el('given', { qualifier: 'CL' }, usedGiven),
  );
}

function gender(identity: PatientIdentity): XmlElement {
  return el('administrativeGenderCode', { ...genders[identity.sex], codeSystem: '2.16.840.1.113883.5.1' });
}

function birthTime(identity: PatientIdentity): XmlElement {
  if (!identity.birthDate) return el('birthTime', { nullFlavor: 'UNK' });
  return el('birthTime', { value: identity.birthDate.replaceAll('-', '') });
}

function birthplace(identity: PatientIdentity): XmlElement | undefined {
  const { birthPlaceCode, birthPlaceName } = identity;
  if (!birthPlaceCode) return undefined;
  const place = [el('county', {}, birthPlaceCode), birthPlaceName ? el('city', {}, birthPlaceName) : undefined];
  return el('birthplace', {}, el('place', {}, el('addr', {}, place)));
}
