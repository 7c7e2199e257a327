import type { Device, Endpoint, Organization, Resource } from '@medplum/fhirtypes';
import { demoPeople, practitionerOf } from './people.ts';

const typeFr = 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203';
const settings = 'https://fhir.passerelle.example/StructureDefinition/establishment-settings';

/** Port on which the simulated RIS of `npm start` waits for answers; the seeded Endpoint names it, an operator may change it. */
const simulatedRisPort = 2576;

const finess = (code: 'FINEG' | 'FINEJ', value: string): NonNullable<Organization['identifier']>[number] => ({
  use: 'official',
  type: { coding: [{ system: typeFr, code }] },
  system: 'https://finess.esante.gouv.fr',
  value,
});

const hospital: Organization & { id: string } = {
  resourceType: 'Organization',
  id: 'ch-exemple',
  active: true,
  identifier: [finess('FINEG', '330099995'), finess('FINEJ', '330099987')],
  name: 'CH-EXEMPLE IMAGERIE',
  telecom: [{ system: 'phone', value: '0556000000' }],
  address: [{ line: ['1 place de la Démonstration'], city: 'BORDEAUX', postalCode: '33000', country: 'FRA' }],
  endpoint: [{ reference: 'Endpoint/ris-ch-exemple' }],
  extension: [
    {
      url: settings,
      extension: [
        { url: 'timeZone', valueCode: 'Europe/Paris' },
        { url: 'flow4Expected', valueBoolean: true },
        { url: 'protocolRequired', valueBoolean: true },
        { url: 'consentByOrder', valueBoolean: true },
        { url: 'quietSeconds', valueInteger: 3 },
        { url: 'reportFormat', valueCode: 'report-mdm' },
        { url: 'credentialsRequired', valueBoolean: true },
        { url: 'live', valueBoolean: true },
      ],
    },
  ],
};

const platform: Organization & { id: string } = {
  resourceType: 'Organization',
  id: 'passerelle-exemple',
  active: true,
  identifier: [finess('FINEG', '750099970')],
  name: 'PASSERELLE EXEMPLE',
  telecom: [{ system: 'phone', value: '0100000000' }],
  address: [{ line: ['2 rue de la Démonstration'], city: 'PARIS', postalCode: '75000', country: 'FRA' }],
};

const ris: Endpoint & { id: string } = {
  resourceType: 'Endpoint',
  id: 'ris-ch-exemple',
  status: 'active',
  connectionType: {
    system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
    code: 'hl7v2-mllp',
  },
  name: 'RIS de CH-EXEMPLE',
  managingOrganization: { reference: 'Organization/ch-exemple' },
  payloadType: [{ text: 'HL7 v2' }],
  address: `mllp://127.0.0.1:${simulatedRisPort}`,
};

const risDevice: Device & { id: string } = {
  resourceType: 'Device',
  id: 'ris-demo',
  identifier: [{ system: 'https://fhir.passerelle.example/sid/hl7v2-sender', value: 'RIS-EX|CH-EXEMPLE' }],
  deviceName: [{ name: 'RIS de CH-EXEMPLE', type: 'user-friendly-name' }],
  owner: { reference: 'Organization/ch-exemple' },
};

const device = (id: string, name: string): Device & { id: string } => ({
  resourceType: 'Device',
  id,
  deviceName: [{ name, type: 'user-friendly-name' }],
});

/** Reference resources of the demonstration tenant, in an order in which references already exist. */
export const demoResources: readonly (Resource & { id: string })[] = [
  ris,
  hospital,
  platform,
  // The owner of this device is the structure radiologists read for: it stands on reports as theirs.
  { ...device('passerelle', 'Passerelle'), owner: { reference: 'Organization/passerelle-exemple' } },
  risDevice,
  device('conformance', 'Tests de conformité'),
  ...demoPeople.map(practitionerOf),
];
