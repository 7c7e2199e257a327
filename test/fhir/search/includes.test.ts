import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const resources: (Resource & { id: string })[] = [
  { resourceType: 'Organization', id: 'group', name: 'Group' },
  { resourceType: 'Organization', id: 'ch', name: 'CH', partOf: { reference: 'Organization/group' } },
  { resourceType: 'Organization', id: 'unit', name: 'Unit', partOf: { reference: 'Organization/ch/_history/1' } },
  {
    resourceType: 'Patient',
    id: 'p',
    managingOrganization: { reference: 'Organization/unit' },
    generalPractitioner: [{ reference: 'Practitioner/gp' }, { reference: 'Organization/ch' }, { reference: '#inside' }],
    contained: [{ resourceType: 'Practitioner', id: 'inside' }],
  },
  { resourceType: 'Practitioner', id: 'gp' },
  {
    resourceType: 'Observation',
    id: 'parent',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/p' },
    hasMember: [
      { reference: 'Observation/child' },
      { reference: 'https://elsewhere.example.org/fhir/Observation/far' },
    ],
  },
  {
    resourceType: 'Observation',
    id: 'child',
    status: 'final',
    code: { text: 'x' },
    hasMember: [{ reference: 'Observation/parent' }, { reference: 'Observation/gone' }],
  },
  { resourceType: 'Observation', id: 'gone', status: 'final', code: { text: 'x' } },
  {
    resourceType: 'Provenance',
    id: 'pr',
    target: [{ reference: 'Observation/parent' }],
    recorded: '2026-01-01T00:00:00Z',
    agent: [{ who: { reference: 'Practitioner/gp' } }],
  },
];

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.update(resource);
  });
  await store.transaction(contextOf('aa'), (tx) => tx.delete('Observation', 'gone'));
});
afterAll(() => database.close());

async function included(type: ResourceType, query: string): Promise<string[]> {
  const page = await store.reads('aa').searchBundle(type, query);
  return page.included.map((version) => `${version.type}/${version.id}`).sort();
}

describe('included are', () => {
  it.each([
    [
      'what a reference points to, of any version',
      'Organization',
      '_id=unit&_include=Organization:partof',
      ['Organization/ch'],
    ],
    [
      'what those point to in turn, when iterating',
      'Organization',
      '_id=unit&_include:iterate=Organization:partof',
      ['Organization/ch', 'Organization/group'],
    ],
    [
      'every reference of the matches with *, contained ones left alone',
      'Patient',
      '_id=p&_include=*',
      ['Organization/ch', 'Organization/unit', 'Practitioner/gp'],
    ],
    [
      'every reference of whatever was met with an iterating *',
      'Patient',
      '_id=p&_include:iterate=*',
      ['Organization/ch', 'Organization/group', 'Organization/unit', 'Practitioner/gp'],
    ],
    ['targets of one type', 'Patient', '_id=p&_include=Patient:general-practitioner:Organization', ['Organization/ch']],
    ['every reference of a type', 'Patient', '_id=p&_include=Patient:*:Practitioner', ['Practitioner/gp']],
    [
      'several at once',
      'Patient',
      '_id=p&_include=Patient:organization&_revinclude=Observation:patient',
      ['Observation/parent', 'Organization/unit'],
    ],
    ['what points here', 'Patient', '_id=p&_revinclude=Observation:*', ['Observation/parent']],
    ['whatever points here with *', 'Observation', '_id=parent&_revinclude=*', ['Observation/child', 'Provenance/pr']],
    [
      'what points to what points here, when iterating',
      'Patient',
      '_id=p&_revinclude=Observation:patient&_revinclude:iterate=Provenance:target&_include:iterate=Provenance:agent',
      ['Observation/parent', 'Practitioner/gp', 'Provenance/pr'],
    ],
    ['not what is far away', 'Observation', '_id=parent&_include=Observation:has-member', ['Observation/child']],
    ['not what was deleted', 'Observation', '_id=child&_include=Observation:has-member', ['Observation/parent']],
    ['no match again, also in a circle', 'Observation', '_include:iterate=Observation:has-member', []],
    ['nothing of other matches', 'Patient', '_id=none&_include=*', []],
  ] as const)('%s', async (_, type, query, expected) => {
    expect(await included(type, query)).toEqual(expected);
  });

  it('cut at a limit, and the answer says so', async () => {
    await store.transaction(contextOf('bb'), async (tx) => {
      await tx.update({ resourceType: 'Patient', id: 'p' });
      for (let n = 0; n < 1005; n++) {
        await tx.create({ resourceType: 'Basic', code: { text: 'x' }, subject: { reference: 'Patient/p' } });
      }
    });
    const page = await store.reads('bb').searchBundle('Patient', '_revinclude=Basic:patient');
    expect(page.matches).toHaveLength(1);
    expect(page.included).toHaveLength(1000);
    expect(page.warnings).toMatchObject([{ severity: 'warning', code: 'too-costly' }]);
  });
});

it.each([
  '_include=Patient:name',
  '_include=Patient',
  '_include:next=*',
  '_include=Patient:organization:Nothing',
  '_revinclude=Nothing:*',
])('refuses %s with a 400', async (query) => {
  await expect(included('Patient', query)).rejects.toMatchObject({ status: 400 });
});
