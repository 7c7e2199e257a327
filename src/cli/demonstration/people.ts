/** The people of the demonstration: who they are in the directory, and the account each signs in with. */
import type { Practitioner } from '@medplum/fhirtypes';

const typeFr = 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203';
const typeV2 = 'http://terminology.hl7.org/CodeSystem/v2-0203';
const specialty = 'https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale';
const profession = 'https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante';

/** What a reader must hold (CM-4). Long: a demonstration database is kept for years. */
const certificates = {
  system: 'https://fhir.passerelle.example/CodeSystem/qualification',
  ending: { radioprotection: '2035-06-30', insurance: '2035-12-31', liability: '2035-12-31' },
};

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
  /** Where whoever is on duty is called; from the range kept for fiction. */
  phone?: string;
  /** Qualified in radiology. */
  radiologist?: true;
}

/** Everybody who signs in with the demonstration's password. */
export const demoPeople: readonly DemoPerson[] = [
  {
    login: 'radiologue',
    phone: '0199000031',
    family: 'TEST-TELERADIO',
    given: 'NOA',
    role: 'radiologist',
    rpps: '99700990031',
    doctor: true,
    radiologist: true,
  },
  {
    login: 'radiologue2',
    phone: '0199000056',
    family: 'TEST-RELECTURE',
    given: 'CHARLIE',
    role: 'radiologist',
    rpps: '99700990056',
    doctor: true,
    radiologist: true,
  },
  {
    login: 'radiologue3',
    phone: '0199000064',
    family: 'TEST-GARDE',
    given: 'EDEN',
    role: 'radiologist',
    rpps: '99700990064',
    doctor: true,
    radiologist: true,
  },
  {
    login: 'expert',
    phone: '0199000072',
    family: 'TEST-INFECTIO',
    given: 'ROBIN',
    role: 'expert',
    rpps: '99700990072',
    doctor: true,
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
  { login: 'coordonnateur', family: 'TEST-COORD', given: 'ANDREA', role: 'coordinator', phone: '0199000070' },
  { login: 'standard', family: 'TEST-STANDARD', given: 'DOMINIQUE', role: 'switchboard' },
  { login: 'identitovigilance', family: 'TEST-IDENTITE', given: 'LOU', role: 'identity-vigilance' },
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
  return person.radiologist || person.role === 'expert' ? `Dr ${name}` : name;
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
    ...(person.phone
      ? {
          telecom: [
            { system: 'phone', use: 'work', value: person.phone },
            { system: 'email', use: 'work', value: `${person.login}@passerelle.example` },
          ],
        }
      : {}),
    ...(person.radiologist
      ? {
          qualification: [
            { code: { coding: [{ system: profession, code: '10', display: 'Médecin' }] } },
            { code: { coding: [{ system: specialty, code: 'SM44', display: 'Radio-diagnostic' }] } },
            ...(person.role === 'radiologist' ? certificatesHeld() : []),
          ],
        }
      : {}),
  };
}

function certificatesHeld(): NonNullable<Practitioner['qualification']> {
  const { system, ending } = certificates;
  return [
    { code: { coding: [{ system, code: 'diploma' }] } },
    ...Object.entries(ending).map(([code, end]) => ({ code: { coding: [{ system, code }] }, period: { end } })),
  ];
}
