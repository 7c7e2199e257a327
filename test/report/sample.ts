/** A complete report input about fictitious people, to be varied by each test. */
import type { Organization, Patient, Practitioner } from '@medplum/fhirtypes';
import type { ReportInput } from '../../src/report/contract.ts';

const fr = 'https://hl7.fr/ig/fhir/core';
const v2 = 'http://terminology.hl7.org/CodeSystem/v2-0203';

export function samplePatient(): Patient {
  return {
    resourceType: 'Patient',
    extension: [
      {
        url: `${fr}/StructureDefinition/fr-core-identity-reliability`,
        extension: [
          { url: 'identityStatus', valueCoding: { system: `${fr}/CodeSystem/fr-core-cs-v2-0445`, code: 'VALI' } },
        ],
      },
      {
        url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
        valueAddress: {
          city: 'BORDEAUX',
          extension: [{ url: `${fr}/StructureDefinition/fr-core-address-insee-code`, valueCoding: { code: '33063' } }],
        },
      },
    ],
    identifier: [
      {
        use: 'official',
        type: { coding: [{ system: `${fr}/CodeSystem/fr-core-cs-v2-0203`, code: 'INS-NIR-TEST' }] },
        system: 'urn:oid:1.2.250.1.213.1.4.10',
        value: '285043306321776',
      },
      {
        use: 'usual',
        type: { coding: [{ system: v2, code: 'PI' }] },
        system: 'https://fhir.passerelle.example/sid/ipp/330099995',
        value: '0000451234',
      },
    ],
    name: [
      {
        use: 'official',
        family: 'TEST-MOREAU',
        given: ['CAMILLE'],
        extension: [
          { url: `${fr}/StructureDefinition/fr-core-patient-birth-list-given-name`, valueString: 'CAMILLE LOUISE' },
        ],
      },
      { use: 'usual', family: 'TEST-DUVAL', given: ['LOUISE'] },
    ],
    gender: 'female',
    birthDate: '1985-04-17',
    address: [{ use: 'home', line: ['12 RUE DES TILLEULS'], postalCode: '33000', city: 'BORDEAUX', country: 'FRA' }],
    telecom: [{ system: 'phone', value: '0600000001', use: 'mobile' }],
  };
}

export function sampleRadiologist(): Practitioner {
  return {
    resourceType: 'Practitioner',
    id: 'radiologue',
    identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '99700990031' }],
    name: [{ family: 'TEST-TELERADIO', given: ['NOA'], prefix: ['DR'] }],
    qualification: [
      {
        code: {
          coding: [
            {
              system: 'https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale',
              code: 'SM44',
            },
          ],
        },
      },
    ],
  };
}

export function sampleOrganization(name: string, finess: string): Organization {
  return {
    resourceType: 'Organization',
    name,
    identifier: [
      {
        system: 'https://finess.esante.gouv.fr',
        type: { coding: [{ system: `${fr}/CodeSystem/fr-core-cs-v2-0203`, code: 'FINEG' }] },
        value: finess,
      },
    ],
  };
}

export function sampleInput(changes: Partial<ReportInput> = {}): ReportInput {
  return {
    text: {
      indication:
        'Céphalée brutale inhabituelle depuis 2 h, examen neurologique normal. Recherche d’hémorragie méningée avant ponction lombaire.',
      technique:
        'Acquisition hélicoïdale de l’encéphale sans injection de produit de contraste, reconstructions ≤ 1 mm.',
      results:
        'Pas d’hémorragie intra- ou extra-axiale.\nPas de lésion parenchymateuse, différenciation cortico-sous-corticale conservée.\nSystème ventriculaire de taille et de morphologie normales, ligne médiane en place.\nSinus de la face et mastoïdes bien aérés. Pas de fracture.',
      conclusion: 'Pas d’argument scanographique pour une hémorragie méningée.\nScanner cérébral normal.',
    },
    patient: samplePatient(),
    serviceRequest: {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/p' },
      bodySite: [{ coding: [{ system: 'http://snomed.info/sct', code: '774007', display: 'tête et cou' }] }],
    },
    requester: {
      resourceType: 'Practitioner',
      identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '99700990015' }],
      name: [{ family: 'TEST-RADIOLOGUE', given: ['ALIX'], prefix: ['DR'] }],
    },
    radiologist: sampleRadiologist(),
    platform: sampleOrganization('PASSERELLE EXEMPLE', '750099970'),
    establishment: {
      ...sampleOrganization('CH-EXEMPLE IMAGERIE', '330099995'),
      address: [{ line: ['1 PLACE DE LA SANTE'], postalCode: '33000', city: 'BORDEAUX' }],
      telecom: [{ system: 'phone', value: '0556000000', use: 'work' }],
    },
    study: {
      resourceType: 'ImagingStudy',
      status: 'available',
      subject: { reference: 'Patient/p' },
      identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:2.25.180306273512948162037465928374610293900' }],
      modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT' }],
    },
    acts: [
      { system: 'http://loinc.org', code: '30799-1', display: 'Scanner du crâne sans injection' },
      {
        system: 'urn:oid:1.2.250.1.215.300.1',
        code: 'ACQK001',
        display: 'Scanographie du crâne et de son contenu, sans injection de produit de contraste',
      },
    ],
    dose: { ctdiVolMGy: 42.5, dlpMGyCm: 812 },
    examDate: new Date('2026-05-12T12:15:00Z'),
    requestDate: new Date('2026-05-12T06:09:00Z'),
    encounterClass: 'E',
    visitNumber: '26004711',
    accessionNumber: { value: 'ACN26-09010', system: 'urn:oid:2.999.33.20' },
    placerOrderNumber: { value: 'DEM-2026-004512', system: 'urn:oid:2.999.33.10' },
    signedAt: new Date('2026-05-12T12:58:41Z'),
    document: {
      oid: '2.25.329800735698586629295641978511506172918',
      setOid: '2.25.329800735698586629295641978511506172000',
      version: 1,
    },
    viewerUrl:
      'https://viewer.ch-exemple.example/IHEInvokeImageDisplay?requestType=STUDY&studyUID=2.25.180306273512948162037465928374610293900&accessionNumber=ACN26-09010',
    ...changes,
  };
}
