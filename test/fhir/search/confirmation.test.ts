import type { Patient, Practitioner } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database, Sql } from '../../../src/db/index.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { createKeyHasher, type KeyHasher } from '../../../src/fhir/search/keys.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { searchIds } from '../../../src/fhir/search/search.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const system = 'urn:oid:1.2.3';

let database: Database;
let id: string;
beforeAll(async () => {
  database = await testDatabase();
  const store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    await tx.create<Practitioner & { id: string }>({
      resourceType: 'Practitioner',
      id: '1',
      name: [{ family: 'Morin' }],
    });
    const patient = await tx.create<Patient>({
      resourceType: 'Patient',
      identifier: [{ system, value: 'stored' }],
      generalPractitioner: [{ reference: 'Practitioner/1' }],
    });
    id = patient.id;
  });
});
afterAll(() => database.close());

/** Two values with one hash, as chance could make them. */
function collidingHasher(): KeyHasher {
  const hasher = createKeyHasher();
  return {
    ...hasher,
    array: (keys) =>
      hasher.array([...keys].map((key) => (typeof key === 'string' ? key.replace('collides', 'stored') : key))),
  };
}

function find(criteria: string, hasher: KeyHasher): Promise<string[]> {
  const definitions = loadSearchDefinitions();
  const registry = createParameterRegistry(definitions, interpretPath);
  const sql = {
    query: (text: string, values: readonly unknown[]) => database.query('aa', text, values),
  } as Sql;
  return searchIds({ definitions, registry, hasher }, { sql, tenant: 'aa', nowMs: 0 }, 'Patient', criteria, 2);
}

it('a conditional interaction does not take a resource for a match because of its hash', async () => {
  expect(await find(`identifier=${system}%7Cstored`, collidingHasher())).toEqual([id]);
  expect(await find(`identifier=${system}%7Ccollides`, collidingHasher())).toEqual([]);
  expect(await find('general-practitioner=Practitioner/1&identifier=collides', collidingHasher())).toEqual([]);
});

it('criteria that other resources answer are left to them', async () => {
  expect(await find('general-practitioner:Practitioner.family=morin&identifier=stored', createKeyHasher())).toEqual([
    id,
  ]);
  expect(await find('general-practitioner:Practitioner.family=other&identifier=stored', createKeyHasher())).toEqual([]);
});
