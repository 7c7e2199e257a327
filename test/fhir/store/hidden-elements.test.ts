import type { Observation } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { parseJson } from '../../../src/fhir/json/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from './context.ts';

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = (await createFhirStore({ database })) as RestStore;
});
afterAll(() => database.close());

it('leave decimals as they were written, in what is shown and in what is stored for who does not see them', async () => {
  const hidden = new Map([['Observation', ['component']]]);
  const written = parseJson(
    '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":7.20},"component":[{"code":{"text":"y"},"valueQuantity":{"value":1.0}}]}',
  ) as Observation & { id: string };
  await store.transaction(contextOf('aa'), (tx) => tx.update(written));
  const shown = await store.reads('aa', { hidden }).readStored('Observation', 'o');
  expect(shown!.text).toContain('"value":7.20');
  expect(shown!.text).not.toContain('component');
  const limited = { ...contextOf('aa'), hidden };
  const changed = parseJson(shown!.text.replace('7.20', '7.300')) as typeof written;
  await store.transaction(limited, (tx) => tx.update(changed));
  const stored = await store.reads('aa').readStored('Observation', 'o');
  expect(stored!.version).toBe(2);
  expect(stored!.text).toContain('"value":7.300');
  expect(stored!.text).toContain('"value":1.0}');
});
