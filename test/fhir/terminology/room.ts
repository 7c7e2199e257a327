import type { Resource } from '@medplum/fhirtypes';
import { systemClock } from '../../../src/config/index.ts';
import { createFhirStore, systemContext } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { testDatabase } from '../../support/database.ts';

/** A store on a database of its own, with tenants `aa` and `bb`. */
export async function testRoom() {
  const database = await testDatabase();
  const store = (await createFhirStore({ database })) as RestStore;
  return {
    database,
    store,
    terminology: store.terminology,
    async put(tenant: string, ...resources: Resource[]) {
      const context = systemContext(tenant, 'system:test', systemClock);
      await store.transaction(context, async (tx) => {
        for (const resource of resources) await tx.update(resource);
      });
    },
    close: () => database.close(),
  };
}

export type TestRoom = Awaited<ReturnType<typeof testRoom>>;
