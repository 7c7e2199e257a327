/** The people of the demonstration: who they are in the directory, and the account each signs in with. */
import type { Practitioner } from '@medplum/fhirtypes';

const typeFr = 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203';
const typeV2 = 'http://terminology.hl7.org/CodeSystem/v2-0203';
const specialty = 'https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale';
const profession = 'https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante';

/** One person. */
export interface DemoPerson {
  /** Login of the account and id of the Practitioner. */
  login: string;
  family: string;
  given: string;
  role: string;
  /** 11 digits of the range for tests. */
  rpps?: string;
  doctor?: true;
  /** Qualified in radiology. */
  radiologist?: true;
}

/** Everybody who signs in with the demonstration's password. */
export const demoPeople: readonly DemoPerson[] = [
  {
    login: 'radiologue',
    family: 'TEST-TELERADIO',
    given: 'NOA',
    role: 'radiologist',
    rpps: '99700990031',
    doctor: true,
    radiologist: true,
  },
  {
    login: 'radiologue2',
    family: 'TEST-RELECTURE',
    given: 'CHARLIE',
    role: 'radiologist',
    rpps: '99700990056',
    doctor: true,
    radiologist: true,
  },
  {
    login: 'radiologue3',
    family: 'TEST-GARDE',
    given: 'EDEN',
    role: 'radiologist',
    rpps: '99700990064',
    doctor: true,
    radiologist: true,
  },
  {
    login: 'demandeur',
    family: 'TEST-RADIOLOGUE',
    given: 'ALIX',
    role: 'requester',
    rpps: '99700990015',
    doctor: true,
    radiologist: true,
  },
  { login: 'manipulateur', family: 'TEST-MANIP', given: 'SACHA', role: 'technologist' },
  { login: 'coordonnateur', family: 'TEST-COORD', given: 'ANDREA', role: 'coordinator' },
  {
    login: 'qualite',
    family: 'TEST-QUALITE',
    given: 'MAXIME',
    role: 'quality',
    rpps: '99700990049',
    doctor: true,
  },
  { login: 'auditeur', family: 'TEST-AUDIT', given: 'LOU', role: 'auditor' },
  { login: 'admin', family: 'TEST-ADMIN', given: 'CLAUDE', role: 'administrator' },
];

/** As people are addressed. Doctors of quality are shown as colleagues, without a title. */
export function displayOf(person: DemoPerson): string {
  const name = `${person.given} ${person.family}`;
  return person.radiologist ? `Dr ${name}` : name;
}

/** The person's entry in the directory. */
export function practitionerOf(person: DemoPerson): Practitioner & { id: string } {
  return {
    resourceType: 'Practitioner',
    id: person.login,
    active: true,
    ...(person.rpps
      ? {
          identifier: [
            {
              use: 'official',
              type: { coding: [{ system: typeV2, code: 'RPPS' }] },
              system: 'https://rpps.esante.gouv.fr',
              value: person.rpps,
            },
            {
              type: { coding: [{ system: typeFr, code: 'IDNPS' }] },
              system: 'urn:oid:1.2.250.1.71.4.2.1',
              value: `8${person.rpps}`,
            },
          ],
        }
      : {}),
    name: [
      {
        use: 'official',
        family: person.family,
        given: [person.given],
        ...(person.doctor ? { prefix: ['MME'], suffix: ['DR'] } : {}),
      },
    ],
    ...(person.radiologist
      ? {
          qualification: [
            { code: { coding: [{ system: profession, code: '10', display: 'Médecin' }] } },
            { code: { coding: [{ system: specialty, code: 'SM44', display: 'Radio-diagnostic' }] } },
          ],
        }
      : {}),
  };
}
