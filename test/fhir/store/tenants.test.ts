import type { Patient, ServiceRequest } from '@medplum/fhirtypes';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, Sql } from '../../../src/db/index.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { createKeyHasher } from '../../../src/fhir/search/keys.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { searchPage } from '../../../src/fhir/search/search.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from './context.ts';

let database: Database;
let store: RestStore;
const statements: { text: string; values: readonly unknown[] }[] = [];

beforeAll(async () => {
  database = await testDatabase();
  // Notes the SQL of searches, to explain it.
  const recording: Database = {
    ...database,
    query: (tenant, statement, values) => {
      statements.push(
        typeof statement === 'string'
          ? { text: statement, values: values ?? [] }
          : { text: statement.text, values: statement.values ?? [] },
      );
      return database.query(tenant, statement, values);
    },
  };
  store = await createFhirStore({ database: recording });
});
afterAll(() => database.close());

const patient: Patient & { id: string } = {
  resourceType: 'Patient',
  id: 'p',
  name: [{ family: 'SECRET' }],
  birthDate: '1960-01-01',
};

describe('tenant B', () => {
  beforeAll(async () => {
    await store.transaction(contextOf('aa'), async (tx) => {
      await tx.update(patient);
      await tx.update({ ...patient, gender: 'female' });
    });
  });

  it('sees nothing of tenant A: not by id, search, history, version or include', async () => {
    const reads = store.reads('bb');
    await expect(store.read('bb', 'Patient', 'p')).rejects.toMatchObject({ status: 404 });
    expect(await reads.readStored('Patient', 'p')).toBeUndefined();
    expect(await reads.readVersion('Patient', 'p', 1)).toBeUndefined();
    expect((await reads.history({})).entries).toEqual([]);
    expect((await reads.history({ type: 'Patient', id: 'p' })).entries).toEqual([]);
    for (const query of [
      '',
      'name=secret',
      'birthdate=1960',
      '_id=p',
      'gender=female',
      'name:missing=false',
      '_total=accurate',
      '_sort=family',
    ]) {
      expect(await reads.searchBundle('Patient', query)).toMatchObject({ matches: [] });
    }
    await store.transaction(contextOf('bb'), (tx) =>
      tx.create<ServiceRequest>({
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        subject: { reference: 'Patient/p' },
      }),
    );
    const page = await reads.searchBundle('ServiceRequest', '_include=ServiceRequest:subject');
    expect(page.matches).toHaveLength(1);
    expect(page.included).toEqual([]);
    expect(await store.search('bb', 'ServiceRequest', 'patient.name=secret')).toEqual([]);
  });

  it('may use the same id for its own, and changes nothing of tenant A’s', async () => {
    await store.transaction(contextOf('bb'), (tx) => tx.update({ ...patient, name: [{ family: 'OTHER' }] }));
    await store.transaction(contextOf('bb'), (tx) => tx.delete('Patient', 'p'));
    expect(await store.read('aa', 'Patient', 'p')).toMatchObject({
      name: [{ family: 'SECRET' }],
      meta: { versionId: '2' },
    });
    expect(await store.search('aa', 'Patient', 'name=secret')).toHaveLength(1);
  });

  it('is shut out by the database itself, whatever a query asks for', async () => {
    for (const table of ['patient', 'patient_past', 'string_key']) {
      const { rows } = await database.query('bb', `SELECT * FROM fhir.${table} WHERE tenant = $1`, ['aa']);
      expect(rows).toEqual([]);
    }
    const stealing = database.query(
      'bb',
      `INSERT INTO fhir.patient (tenant, id, version, updated, content) VALUES ('aa', 'x', 1, now(), '{}')`,
    );
    await expect(stealing).rejects.toThrow('row-level security');
  });

  it('cannot be reached through any table without forced row-level security', async () => {
    const { rows } = await database.query<{ name: string }>(
      'aa',
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'fhir'::regnamespace AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
         AND NOT (relispartition AND NOT has_table_privilege('passerelle_app', oid, 'SELECT, INSERT, UPDATE, DELETE'))`,
    );
    expect(rows).toEqual([]);
  });
});

describe('under row-level security, as the application’s role', () => {
  beforeAll(async () => {
    await store.transaction(contextOf('aa'), async (tx) => {
      for (let n = 0; n < 4000; n++) {
        await tx.create<ServiceRequest>({
          resourceType: 'ServiceRequest',
          status: n % 3 === 0 ? 'active' : 'completed',
          intent: 'order',
          identifier: [{ system: 'urn:x', value: `n${n}` }],
          subject: { reference: `Patient/p${n % 500}` },
          performer: [{ reference: `Practitioner/r${n % 50}` }],
          authoredOn: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
        });
      }
      for (let n = 0; n < 2000; n++)
        await tx.create<Patient>({ resourceType: 'Patient', name: [{ family: `NOM ${n}` }] });
    });
    const admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    await admin.query('ANALYZE');
    await admin.end();
  });

  async function planOf(type: 'ServiceRequest' | 'Patient', query: string): Promise<string> {
    statements.length = 0;
    await store.reads('aa').searchBundle(type, query);
    return explain(statements.find((sent) => sent.text.includes(`fhir."${type.toLowerCase()}"`))!);
  }

  async function explain({ text, values }: { text: string; values: readonly unknown[] }): Promise<string> {
    const { rows } = await database.query<{ 'QUERY PLAN': string }>('aa', `EXPLAIN ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  it.each([
    'identifier=urn:x|n77',
    'identifier=urn:x|n77,urn:x|n78',
    'status=active&performer=Practitioner/r7&_sort=-authored&_count=50',
    'subject=Patient/p7',
    'subject=Patient/p7&authored=ge2026-01-01&priority:missing=true',
  ])('%s goes through the GIN index', async (query) => {
    const plan = await planOf('ServiceRequest', query);
    expect(plan).toContain('servicerequest_keys');
    expect(plan).not.toContain('Seq Scan');
  });

  it.each([
    ['ServiceRequest', 'authored=2026-01-02T10:00', 'servicerequest_d1'],
    ['ServiceRequest', '_sort=-authored&_count=20', 'servicerequest_d1'],
    ['ServiceRequest', '_sort=-_lastUpdated&_count=20', 'servicerequest_updated'],
    ['Patient', 'family=nom 77', 'string_key_pkey'],
    ['ServiceRequest', '_sort=authored&_count=20', 'servicerequest_d1'],
    // Nearly every row has the key: its order must come from the date.
    ['ServiceRequest', 'intent=order&_sort=-authored&_count=20', 'servicerequest_d1'],
    ['ServiceRequest', 'status=completed,active&_sort=-authored&_count=20', 'servicerequest_d1'],
    ['ServiceRequest', 'status:not=active&_sort=-authored&_count=20', 'servicerequest_d1'],
    ['ServiceRequest', 'priority:missing=true&_sort=-authored&_count=20', 'servicerequest_d1'],
    ['Patient', '_sort=family&_count=20', 'string_key_pkey'],
    ['Patient', '_sort=-family&_count=20', 'string_key_pkey'],
  ] as const)('%s?%s goes through an ordered index', async (type, query, index) => {
    const plan = await planOf(type, query);
    expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });

  it('chains whose ends are too many to resolve ahead look them up by index from the rows that remain', async () => {
    const definitions = loadSearchDefinitions();
    const registry = createParameterRegistry(definitions, interpretPath);
    const sql: Sql = {
      query: ((statement: { text: string; values: readonly unknown[] }) => {
        statements.push(statement);
        return database.query('aa', statement);
      }) as Sql['query'],
    };
    const search = { definitions, registry, hasher: createKeyHasher(), linkLimit: 10 };
    const scope = { sql, tenant: 'aa', nowMs: Date.now() };
    statements.length = 0;
    await searchPage(search, scope, 'Patient', '_id=p1,p2,p3&_has:ServiceRequest:patient:status=active');
    expect(await explain(statements.at(-1)!)).toContain('servicerequest_keys');
    await searchPage(search, scope, 'ServiceRequest', 'identifier=urn:x|n77&patient:Patient.name=nom');
    const plan = await explain(statements.at(-1)!);
    expect(plan).toContain('servicerequest_keys');
    expect(plan).toContain('patient_pkey');
    expect(plan).not.toContain('Seq Scan on patient');
  });
});
