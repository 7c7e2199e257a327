/** Statements of a caller who sees a part of the tenant go through the same indexes as those of one who sees all (design §5 rule 8). */
import type { Patient, ServiceRequest } from '@medplum/fhirtypes';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, establishmentSystem, type RowScope, systemContext } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { testDatabase } from '../../support/database.ts';

let database: Database;
let store: RestStore;
const statements: { text: string; values: readonly unknown[] }[] = [];
/** A third of the rows: what an establishment of three sees. */
const rows: RowScope = { keys: [{ parameter: '_security', value: `${establishmentSystem}|e1` }], whole: [] };

beforeAll(async () => {
  const real = await testDatabase();
  database = {
    ...real,
    query: ((scope: string, statement: { text: string; values: unknown[] }, values?: unknown[]) => {
      if (typeof statement === 'object') statements.push(statement);
      return real.query(scope, statement, values);
    }) as Database['query'],
  };
  store = await createFhirStore({ database });
  for (let establishment = 0; establishment < 3; establishment++) {
    const context = {
      ...systemContext('aa', 'system:test', { now: () => new Date() }),
      establishments: [`e${establishment}`],
    };
    await store.transaction(context, async (tx) => {
      for (let n = establishment; n < 4000; n += 3) {
        await tx.create<ServiceRequest>({
          resourceType: 'ServiceRequest',
          status: n % 2 === 0 ? 'active' : 'completed',
          intent: 'order',
          identifier: [{ system: 'urn:x', value: `n${n}` }],
          subject: { reference: `Patient/p${n % 500}` },
          performer: [{ reference: `Practitioner/r${n % 50}` }],
          authoredOn: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
        });
        if (n < 2000) await tx.create<Patient>({ resourceType: 'Patient', name: [{ family: `NOM ${n}` }] });
      }
    });
  }
  const admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  await admin.query('ANALYZE');
  await admin.end();
}, 60_000);
afterAll(() => database.close());

it.each([
  ['ServiceRequest', 'identifier=urn:x|n76', 'servicerequest_keys'],
  ['ServiceRequest', 'subject=Patient/p7', 'servicerequest_keys'],
  ['ServiceRequest', 'status=active&performer=Practitioner/r6&_sort=-authored&_count=50', 'servicerequest_keys'],
  ['ServiceRequest', '_sort=-authored&_count=20', 'servicerequest_d1'],
  ['ServiceRequest', 'intent=order&_sort=-authored&_count=20', 'servicerequest_d1'],
  ['ServiceRequest', 'status:not=active&_sort=-_lastUpdated&_count=20', 'servicerequest_updated'],
  ['Patient', 'family=nom 77', 'string_key_pkey'],
] as const)('%s?%s goes through %s under the role of limited rows', async (type, query, index) => {
  statements.length = 0;
  const page = await store.reads('aa', { rows }).searchBundle(type, query);
  expect(page.matches.length).toBeGreaterThan(0);
  const sent = statements.find(({ text }) => text.includes(`fhir."${type.toLowerCase()}"`))!;
  const scope = store.scopeOf({ tenant: 'aa', rows });
  const who = await database.query<{ role: string }>(scope, 'SELECT current_user AS role');
  expect(who.rows).toEqual([{ role: 'passerelle_limited' }]);
  const plan = await database.query<{ 'QUERY PLAN': string }>(scope, `EXPLAIN ${sent.text}`, sent.values);
  const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(text).toContain(index);
  expect(text).not.toContain('Seq Scan');
});

it('finds the few rows of an account that sees few by their keys, in an order of no index', async () => {
  const few: RowScope = { keys: [{ parameter: '_id', value: 'ServiceRequest/none' }], whole: [] };
  statements.length = 0;
  await store.reads('aa', { rows: few }).searchBundle('ServiceRequest', '_sort=-authored&_count=20');
  const sent = statements.find(({ text }) => text.includes('fhir."servicerequest"'))!;
  const scope = store.scopeOf({ tenant: 'aa', rows: few });
  const plan = await database.query<{ 'QUERY PLAN': string }>(scope, `EXPLAIN ${sent.text}`, sent.values);
  expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('servicerequest_keys');
});

it('keeps the list of limited types in the program and in the database the same', async () => {
  const { rows: limited } = await database.query<{ type: string }>(
    'aa',
    `SELECT tablename AS type FROM pg_policies WHERE schemaname = 'fhir' AND policyname = 'row_scope' ORDER BY 1`,
  );
  const { isLimitedType } = await import('../../../src/fhir/index.ts');
  const { loadSearchDefinitions } = await import('../../../src/fhir/definitions/search-parameters.ts');
  const expected = [...loadSearchDefinitions().types]
    .filter(isLimitedType)
    .flatMap((type) => [type.toLowerCase(), `${type.toLowerCase()}_past`]);
  expect(limited.map(({ type }) => type).sort()).toEqual(expected.sort());
});
