import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import type { RestReads, SearchPage } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const root = 'https://passerelle.example:8443';
const base = `${root}/fhir`;

/** The same resources, referred to in every way that means them. */
const ways: Record<string, (reference: string) => string> = {
  relative: (reference) => reference,
  versioned: (reference) => `${reference}/_history/1`,
  absolute: (reference) => `${base}/${reference}`,
  'absolute and versioned': (reference) => `${base}/${reference}/_history/1`,
};

const resources = Object.values(ways).flatMap((way, n): (Resource & { id: string })[] => [
  { resourceType: 'Patient', id: `p${n}`, gender: 'female' },
  {
    resourceType: 'Observation',
    id: `o${n}`,
    status: 'final',
    code: { coding: [{ code: `c${n}` }] },
    subject: { reference: way(`Patient/p${n}`) },
  },
  {
    resourceType: 'List',
    id: `l${n}`,
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: way(`Patient/p${n}`) } }],
  },
]);

let database: Database;
let reads: RestReads;
beforeAll(async () => {
  database = await testDatabase();
  const store = await createFhirStore({ database, base: () => base });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.create<Resource>(resource);
    await tx.create<Resource>({
      resourceType: 'Observation',
      id: 'elsewhere',
      status: 'final',
      code: { coding: [{ code: 'c9' }] },
      subject: { reference: 'https://elsewhere.example/fhir/Patient/p0' },
    });
  });
  reads = store.reads('aa');
});
afterAll(() => database.close());

const idsOf = ({ matches }: SearchPage) => matches.map(({ type, id }) => `${type}/${id}`);
const search = async (type: ResourceType, query: string) => idsOf(await reads.searchBundle(type, query));

describe.each(Object.keys(ways).map((way, n) => [way, n] as const))('a %s reference leads', (_, n) => {
  it('to its target and back in chains, includes, lists and compartments', async () => {
    expect(await search('Observation', `code=c${n}&patient.gender=female`)).toEqual([`Observation/o${n}`]);
    expect(await search('Patient', `_has:Observation:patient:code=c${n}`)).toEqual([`Patient/p${n}`]);
    expect(await search('Patient', `_list=l${n}`)).toEqual([`Patient/p${n}`]);
    const included = async (type: ResourceType, query: string) =>
      (await reads.searchBundle(type, query)).included.map(({ type, id }) => `${type}/${id}`);
    expect(await included('Observation', `code=c${n}&_include=Observation:subject`)).toEqual([`Patient/p${n}`]);
    expect(await included('Patient', `_id=p${n}&_revinclude=Observation:subject`)).toEqual([`Observation/o${n}`]);
    const compartment = { type: 'Patient' as const, id: `p${n}` };
    expect(idsOf(await reads.searchBundle('Observation', '', { compartment }))).toEqual([`Observation/o${n}`]);
  });

  it('to whoever asks by the address of the server or of the tenant', async () => {
    for (const address of [base, `${root}/t/aa/fhir`]) {
      const subject = encodeURIComponent(`${address}/Patient/p${n}`);
      expect(await search('Observation', `subject=${subject}`)).toEqual([`Observation/o${n}`]);
    }
    const foreign = encodeURIComponent(`${root}/t/bb/fhir/Patient/p${n}`);
    expect(await search('Observation', `subject=${foreign}`)).toEqual([]);
  });
});

it('a reference to elsewhere leads nowhere, whatever its end looks like', async () => {
  expect(await search('Patient', '_has:Observation:patient:code=c9')).toEqual([]);
  expect((await reads.searchBundle('Observation', 'code=c9&_include=Observation:subject')).included).toEqual([]);
});
