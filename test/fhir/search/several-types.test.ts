import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import type { RestReads, RestStore, SearchOptions, SearchPage } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const tag = [{ system: 'urn:x', code: 'night' }];
const resources: (Resource & { id: string })[] = [
  { resourceType: 'Patient', id: 'same', name: [{ family: 'Moreau' }], birthDate: '1960-05-08', meta: { tag } },
  { resourceType: 'Patient', id: 'other', name: [{ family: 'Alix' }], birthDate: '1971-01-01' },
  { resourceType: 'Patient', id: 'undated', name: [{ family: 'Zoé' }] },
  { resourceType: 'Practitioner', id: 'same', name: [{ family: 'Noa' }], meta: { tag } },
  { resourceType: 'Organization', id: 'ch', name: 'CH', meta: { tag } },
  {
    resourceType: 'Observation',
    id: 'weight',
    status: 'final',
    code: { text: 'weight' },
    subject: { reference: 'Patient/same' },
    effectiveDateTime: '2026-02-01',
  },
  {
    resourceType: 'Observation',
    id: 'undated',
    status: 'final',
    code: { text: 'pulse' },
    subject: { reference: 'Patient/other' },
    performer: [{ reference: 'Practitioner/same' }],
  },
  {
    resourceType: 'Condition',
    id: 'fracture',
    subject: { reference: 'Patient/same' },
    recordedDate: '2026-01-15',
    asserter: { reference: 'Practitioner/same' },
  },
  {
    resourceType: 'Encounter',
    id: 'e1',
    status: 'finished',
    class: { code: 'EMER' },
    subject: { reference: 'Patient/same' },
    period: { start: '2026-01-20' },
  },
];

let database: Database;
let reads: RestReads;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.update(resource);
  });
  await store.transaction(contextOf('bb'), (tx) => tx.update({ resourceType: 'Basic', id: 'b', code: { text: 'x' } }));
  reads = store.reads('aa');
});
afterAll(() => database.close());

const names = (page: SearchPage) => page.matches.map(({ type, id }) => `${type}/${id}`);
const search = async (query: string, types?: ResourceType[], options?: SearchOptions) =>
  names(await reads.searchSystem(types, query, options));

/** Every page after another, forward, and from the last page back. */
async function walk(query: string): Promise<{ forward: string[]; backward: string[] }> {
  const pages: SearchPage[] = [];
  for (let next: string | undefined = query; next !== undefined; next = pages.at(-1)!.next) {
    pages.push(await reads.searchSystem(undefined, next));
  }
  const backward = names(pages.at(-1)!);
  for (let previous = pages.at(-1)!.previous; previous !== undefined; ) {
    const page: SearchPage = await reads.searchSystem(undefined, previous);
    backward.unshift(...names(page));
    previous = page.previous;
  }
  return { forward: pages.flatMap(names), backward };
}

describe('a search of several types', () => {
  it('finds by the parameters of every resource, types and then ids in order', async () => {
    expect(await search('_tag=urn:x|night')).toEqual(['Organization/ch', 'Patient/same', 'Practitioner/same']);
    expect(await search('_id=same')).toEqual(['Patient/same', 'Practitioner/same']);
    expect(await search('_count=50')).toHaveLength(resources.length);
    expect(await search('_has:Observation:performer:status=final')).toEqual(['Practitioner/same']);
  });

  it('takes the types asked for, by the caller or by _type, and the parameters these share', async () => {
    expect(await search('name=moreau,noa', ['Patient', 'Practitioner'])).toEqual(['Patient/same', 'Practitioner/same']);
    expect(await search('_type=Patient,Practitioner&name=moreau,noa')).toEqual(['Patient/same', 'Practitioner/same']);
    expect(await search('_type=Patient,Practitioner&_id=same', ['Practitioner'])).toEqual(['Practitioner/same']);
    expect(await search('_type=Basic')).toEqual([]);
  });

  it.each(['name=moreau', '_type=Patient,Observation&name=moreau', '_type=Nothing', '_sort=name', 'nonsense=1'])(
    'refuses %s, whatever the tenant has stored',
    async (query) => {
      await expect(reads.searchSystem(undefined, query)).rejects.toMatchObject({ status: 400 });
    },
  );

  it.each([
    '_count=2',
    '_sort=_lastUpdated&_count=2',
    '_sort=-_lastUpdated,_id&_count=3',
    '_type=Observation,Condition,Encounter&_sort=patient&_count=1',
    '_type=Patient,Practitioner&_sort=-family&_count=1',
  ])('pages both ways through %s', async (query) => {
    const { forward, backward } = await walk(query);
    expect(new Set(forward).size).toBe(forward.length);
    expect(forward).toEqual(await search(query.replace(/_count=\d/, '_count=100')));
    expect(backward).toEqual(forward);
  });

  it('merges the order of the types, missing values last', async () => {
    const dated = '_type=Encounter,Observation';
    expect(await search(`${dated}&_sort=date`)).toEqual(['Encounter/e1', 'Observation/weight', 'Observation/undated']);
    expect(await search(`${dated}&_sort=-date`)).toEqual(['Observation/weight', 'Encounter/e1', 'Observation/undated']);
  });

  it('counts over all types', async () => {
    expect(await reads.searchSystem(undefined, '_tag=night&_summary=count')).toMatchObject({ total: 3, matches: [] });
    expect(await reads.searchSystem(undefined, '_total=accurate&_count=1')).toMatchObject({ total: resources.length });
  });

  it('says which types were asked for in its links', async () => {
    const page = await reads.searchSystem(undefined, '_type=Patient&_count=1&nonsense=1', { handling: 'lenient' });
    expect(page.first).toBe('_type=Patient&_count=1');
    expect(page.next).toContain('_type=Patient&_count=1&_cursor=');
    expect(page.warnings).toHaveLength(1);
  });
});

describe('a search in a compartment', () => {
  const of = (type: ResourceType, id: string): SearchOptions => ({ compartment: { type, id } });

  it('finds what points to its resource through the parameters of the definition, and the resource itself', async () => {
    expect(await search('', undefined, of('Patient', 'same'))).toEqual([
      'Condition/fracture',
      'Encounter/e1',
      'Observation/weight',
      'Patient/same',
    ]);
    expect(await search('', undefined, of('Practitioner', 'same'))).toEqual([
      'Condition/fracture',
      'Observation/undated',
      'Practitioner/same',
    ]);
    expect(await search('', undefined, of('Device', 'none'))).toEqual([]);
  });

  it('of one type, with criteria of that type', async () => {
    const inPatient = async (query: string) =>
      names(await reads.searchBundle('Observation', query, of('Patient', 'same')));
    expect(await inPatient('date=2026')).toEqual(['Observation/weight']);
    expect(await inPatient('status=final')).toEqual(['Observation/weight']);
    expect(await inPatient('date=2025')).toEqual([]);
  });

  it('leaves out what somebody does not see to be in it, and refuses it by name', async () => {
    const hidden = new Map<ResourceType, readonly string[]>([
      ['Observation', ['subject']],
      ['Encounter', ['subject']],
    ]);
    const blind = store.reads('aa', { hidden });
    const page = await blind.searchSystem(undefined, '', of('Patient', 'same'));
    expect(names(page)).toEqual(['Condition/fracture', 'Patient/same']);
    const byName = blind.searchBundle('Encounter', '', of('Patient', 'same'));
    await expect(byName).rejects.toMatchObject({ status: 400, outcome: { issue: [{ code: 'not-supported' }] } });
    const lists = store.reads('aa', { hidden: new Map([['List', ['entry']]]) });
    await expect(lists.searchBundle('Patient', '_list=any')).rejects.toMatchObject({ status: 400 });
  });

  it('is refused for a type that is never in it, and where there is no compartment', async () => {
    await expect(reads.searchBundle('Organization', '', of('Patient', 'same'))).rejects.toMatchObject({ status: 400 });
    await expect(reads.searchSystem(undefined, '', of('Organization', 'ch'))).rejects.toMatchObject({ status: 400 });
  });
});
