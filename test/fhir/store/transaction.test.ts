import type { Patient, ServiceRequest } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from './context.ts';

let database: Database;
let store: RestStore;
const context = contextOf('aa');
const patient: Patient = { resourceType: 'Patient', name: [{ family: 'TEST-MOREAU', given: ['Camille'] }] };

beforeAll(async () => {
  database = await testDatabase();
  store = (await createFhirStore({ database })) as RestStore;
});
afterAll(() => database.close());

describe('a transaction', () => {
  it('serves back what it stored, with version and time', async () => {
    const made = await store.transaction(context, (tx) => tx.create(patient));
    expect(made.meta).toMatchObject({ versionId: '1' });
    expect(await store.read('aa', 'Patient', made.id)).toEqual(made);
  });

  it('shows its own writes to its own reads and searches', async () => {
    await store.transaction(context, async (tx) => {
      const made = await tx.create(patient);
      expect(await tx.read('Patient', made.id)).toEqual(made);
      const request = await tx.create<ServiceRequest>({
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        subject: { reference: `Patient/${made.id}` },
      });
      expect((await tx.search('ServiceRequest', `subject=Patient/${made.id}`)).map(({ id }) => id)).toEqual([
        request.id,
      ]);
    });
  });
});
