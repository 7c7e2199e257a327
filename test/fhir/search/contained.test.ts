import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import type { RestReads, RestStore } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const rpps = 'https://rpps.esante.gouv.fr';
const resources: (Resource & { id: string })[] = [
  { resourceType: 'Organization', id: 'ch', name: 'CH-EXEMPLE' },
  { resourceType: 'Practitioner', id: 'noa', name: [{ family: 'TEST-NOA' }], birthDate: '1970-01-01' },
  { resourceType: 'Patient', id: 'inside', name: [{ family: 'TEST-AUTRE' }] },
  {
    resourceType: 'ServiceRequest',
    id: 'within',
    status: 'active',
    intent: 'order',
    contained: [
      {
        resourceType: 'Practitioner',
        id: 'req',
        identifier: [{ system: rpps, value: '99700990015' }],
        name: [{ family: 'TEST-ALIX' }],
        birthDate: '1980-05-01',
        gender: 'female',
      },
      {
        resourceType: 'PractitionerRole',
        id: 'role',
        practitioner: { reference: '#req' },
        organization: { reference: 'Organization/ch' },
      },
      { resourceType: 'Patient', id: 'inside', name: [{ family: 'TEST-DEDANS' }] },
    ],
    subject: { reference: '#inside' },
    requester: { reference: '#req' },
    performer: [{ reference: '#role' }],
  },
  {
    resourceType: 'ServiceRequest',
    id: 'without',
    status: 'active',
    intent: 'order',
    subject: { reference: 'Patient/inside' },
    requester: { reference: 'Practitioner/noa' },
  },
  { resourceType: 'ServiceRequest', id: 'nobody', status: 'draft', intent: 'order', subject: { display: 'TEST' } },
];

let database: Database;
let store: RestStore;
let reads: RestReads;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.create<Resource>(resource);
  });
  // More than one batch of rows to look into.
  await store.transaction(contextOf('bb'), async (tx) => {
    for (let n = 0; n < 1001; n++) {
      await tx.create<Resource>({
        resourceType: 'ServiceRequest',
        id: `r${n}`,
        status: 'active',
        intent: 'order',
        contained: [{ resourceType: 'Practitioner', id: 'req', name: [{ family: n % 500 === 0 ? 'RARE' : 'TEST' }] }],
        subject: { display: 'TEST' },
        requester: { reference: '#req' },
      });
    }
  });
  reads = store.reads('aa');
});
afterAll(() => database.close());

async function found(type: ResourceType, query: string, of = reads): Promise<string[]> {
  return (await of.searchBundle(type, query)).matches.map(({ id }) => id);
}

describe('a chain is evaluated inside contained resources', () => {
  it.each([
    [`requester:Practitioner.identifier=${encodeURIComponent(`${rpps}|99700990015`)}`, ['within']],
    ['requester:Practitioner.name=test-alix', ['within']],
    ['requester.name=test', ['within', 'without']],
    ['requester:Practitioner.name=test-noa', ['without']],
    ['requester:Practitioner.name:exact=test-alix', []],
    ['requester:PractitionerRole.practitioner.name=test', []],
    ['performer:PractitionerRole.practitioner.name=alix,test-alix', ['within']],
    ['performer:PractitionerRole.organization.name=ch-ex', ['within']],
    ['performer:PractitionerRole.organization.name=autre', []],
    ['subject:Patient.name=test-dedans', ['within']],
    ['patient.name=test-dedans', ['within']],
    ['patient.name=test-autre', ['without']],
    ['requester:Practitioner.gender:not=male', ['within', 'without']],
    ['requester:Practitioner.gender:missing=true', ['without']],
    ['requester:Practitioner._filter=gender eq female and not (name eq x)', ['within']],
    ['requester:Practitioner._filter=name ew alix', ['within']],
    ['requester:Practitioner._filter=name eq "TEST  Alix" and name gt test-a and name lt test-b', ['within']],
    ['requester:Practitioner._filter=identifier sw 997', ['within']],
    ['performer:PractitionerRole._filter=organization ew CH', ['within']],
    ['performer:PractitionerRole._filter=organization.name sw ch', ['within']],
    // Its id is a name inside, not the id of the resource that has it.
    ['subject:Patient._id=inside', ['without']],
    ['subject=Patient/inside', ['without']],
    ['status=draft&requester:Practitioner.name=test', []],
    ['subject:missing=true', ['nobody']],
    ['requester:missing=true', ['nobody']],
    ['requester:Practitioner._has:Encounter:participant:status=finished', []],
  ] as [string, string[]][])('%s', async (query, expected) => {
    expect((await found('ServiceRequest', query)).sort()).toEqual(expected);
  });

  it('of many resources, and of none that is out of sight', async () => {
    const query = 'requester:Practitioner.name=rare';
    expect(await found('ServiceRequest', query, store.reads('bb'))).toEqual(['r0', 'r1000', 'r500']);
    const rows = { keys: [{ parameter: 'patient', value: 'Patient/none' }], whole: ['Practitioner' as const] };
    expect(await found('ServiceRequest', query, store.reads('bb', { rows }))).toEqual([]);
  });
});

it.each(['requester', '-requester', 'subject', 'patient', '-patient'])(
  'a reference to a contained resource has no place of its own in _sort=%s',
  async (sort) => {
    const others = sort.startsWith('-') ? ['within', 'nobody'] : ['nobody', 'within'];
    expect(await found('ServiceRequest', `_sort=${sort}`)).toEqual(['without', ...others]);
  },
);
