import type { Bundle } from '@medplum/fhirtypes';

const patient = 'urn:uuid:00000000-0000-4000-8000-000000000001';
const request = 'urn:uuid:00000000-0000-4000-8000-000000000002';
const placer = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] };
const code = {
  coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }],
};

/** A case as the requester `demandeur` of the establishment `nord` asks for it over plain FHIR. */
export const askedFor: Bundle = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [
    {
      fullUrl: patient,
      resource: {
        resourceType: 'Patient',
        name: [{ family: 'TEST-MOREAU', given: ['CAMILLE'] }],
        birthDate: '1985-04-17',
        gender: 'female',
      },
      request: { method: 'POST', url: 'Patient' },
    },
    {
      fullUrl: request,
      resource: {
        ...{ resourceType: 'ServiceRequest', status: 'active', intent: 'order', priority: 'urgent' },
        identifier: [{ type: placer, system: 'urn:oid:2.999.33.10', value: 'DEM-1' }],
        ...{ code: { text: 'Scanner' }, subject: { reference: patient } },
        requester: { reference: 'Practitioner/demandeur' },
      },
      request: { method: 'POST', url: 'ServiceRequest' },
    },
    {
      resource: {
        ...{ resourceType: 'Task', status: 'requested', intent: 'order', code, focus: { reference: request } },
        requester: { reference: 'Organization/nord' },
      },
      request: { method: 'POST', url: 'Task' },
    },
  ],
};

/** Id of the Task that an answered {@link askedFor} made. */
export const taskIdOf = (answer: Bundle): string =>
  /Task\/([^/]+)/.exec(answer.entry?.[2]?.response?.location ?? '')?.[1] ?? '';
