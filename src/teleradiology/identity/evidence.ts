/** Both sides of a doubt, kept in the DetectedIssue itself: whoever decides sees the traits compared, and nothing else of the patients. */
import type { DetectedIssue, Patient } from '@medplum/fhirtypes';
import type { StudyIdentity } from '../../imaging/contract.ts';
import { codeSystem, concept } from '../codes.ts';
import { insOf, ippsOf, type Trait, traitText } from './traits.ts';

/** `known`: what the case is under; `received`: what the request, the images or the feed say; `others`: other patients. */
export interface Sides {
  known?: Patient;
  received?: Patient;
  others?: readonly Patient[];
}

/** Other patients whose traits are kept with the doubt. */
const othersAtMost = 5;

/** The traits of a patient and nothing more. */
function traitsOnly(patient: Patient, id: string): Patient {
  const ins = insOf(patient);
  const identifier = [...(ins ? [ins] : []), ...ippsOf(patient)].map(({ assigner: _assigner, ...each }) => each);
  return {
    resourceType: 'Patient',
    id,
    ...(identifier.length > 0 ? { identifier } : {}),
    ...(patient.name ? { name: patient.name.map(({ id: _id, ...name }) => name) } : {}),
    ...(patient.gender ? { gender: patient.gender } : {}),
    ...(patient.birthDate ? { birthDate: patient.birthDate } : {}),
  };
}

/** Images as a patient, in their own words. */
export function patientOfImages(identity: StudyIdentity): Patient {
  const { patientId, issuerOfPatientId, patientName, birthDate, sex } = identity;
  const [family, given] =
    (patientName ?? '')
      .split('=')[0]
      ?.split('^')
      .map((each) => each.trim()) ?? [];
  return {
    resourceType: 'Patient',
    ...(patientId
      ? {
          identifier: [
            {
              type: concept(codeSystem.v20203, 'PI'),
              value: patientId,
              ...(issuerOfPatientId && /^[0-9.]+$/.test(issuerOfPatientId)
                ? { system: `urn:oid:${issuerOfPatientId}` }
                : {}),
            },
          ],
        }
      : {}),
    ...(family || given ? { name: [{ ...(family ? { family } : {}), ...(given ? { given: [given] } : {}) }] } : {}),
    ...(birthDate ? { birthDate } : {}),
    ...(sex === 'M' ? { gender: 'male' } : sex === 'F' ? { gender: 'female' } : {}),
  };
}

/** The elements of a DetectedIssue that hold the sides and name the traits that differ. */
export function evidenceOf(sides: Sides, traits: readonly Trait[]): Pick<DetectedIssue, 'contained' | 'evidence'> {
  const { known, received, others = [] } = sides;
  const named = [
    ...(known ? [traitsOnly(known, 'known')] : []),
    ...(received ? [traitsOnly(received, 'received')] : []),
    ...others.slice(0, othersAtMost).map((other, index) => traitsOnly(other, `other-${index + 1}`)),
  ];
  const code = traits.map((trait) => concept(codeSystem.identityTrait, trait, traitText[trait]));
  if (named.length === 0 && code.length === 0) return {};
  return {
    ...(named.length > 0 ? { contained: named } : {}),
    evidence: [
      {
        ...(code.length > 0 ? { code } : {}),
        ...(named.length > 0 ? { detail: named.map(({ id }) => ({ reference: `#${id}` })) } : {}),
      },
    ],
  };
}
