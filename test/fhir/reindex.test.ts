import type { Parameters, SearchParameter } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/db/index.ts';
import { createFhirStore, systemContext } from '../../src/fhir/index.ts';
import { testDatabase } from '../support/database.ts';

const clock = { now: () => new Date('2026-03-01T08:00:00Z') };
const context = systemContext('aa', 'system:test', clock);

let database: Database;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const node = (settleMs = 0) => createFhirStore({ database, checkReferences: false, reindexSettleMs: settleMs });

function parameter(over: Partial<SearchParameter>): SearchParameter & { id: string } {
  return {
    resourceType: 'SearchParameter',
    id: 'favourite',
    url: 'http://example.org/SearchParameter/favourite',
    name: 'favourite',
    description: 'favourite colour',
    status: 'active',
    code: 'favourite',
    base: ['Patient'],
    type: 'token',
    expression: "Patient.extension.where(url = 'http://example.org/colour').value",
    ...over,
  };
}

const patient = (id: string, colour: string) => ({
  resourceType: 'Patient' as const,
  id,
  extension: [{ url: 'http://example.org/colour', valueCode: colour }],
});

type Store = Awaited<ReturnType<typeof node>>;

async function operate(store: Store, name: string, parameters: Parameters = { resourceType: 'Parameters' }) {
  const operation = store.operations.find((each) => each.name === name && each.level === 'system')!;
  const answer = await store.transaction(context, (tx) =>
    operation.run({
      ...{ tx, parameters, base: 'http://localhost/fhir', query: '' },
      ...{ authorize: () => undefined, isAllowed: () => true },
    }),
  );
  if ('resourceType' in answer) throw new Error('a status was expected');
  return answer;
}

/** Does what there is to do. A reindex waits for every transaction of this PostgreSQL, those of other tests' databases included. */
async function over(store: Store): Promise<void> {
  for (;;) {
    await store.reindex.finish('aa');
    const { rowCount } = await database.query(
      'aa',
      "SELECT 1 FROM fhir.reindex WHERE tenant = 'aa' AND finished IS NULL AND id <> 'newer'",
    );
    if (rowCount === 0) return;
  }
}

const ids = async (store: Store, query: string) =>
  (await store.search('aa', 'Patient', query)).map(({ id }) => id).sort();

it('finds by a parameter of the tenant what was there before it, once a reindex is over, and nothing half before', async () => {
  const store = await node();
  await store.transaction(context, (tx) => tx.update(patient('old', 'red')));
  await store.transaction(context, (tx) => tx.update(parameter({})));
  await store.transaction(context, (tx) => tx.update(patient('new', 'red')));
  await expect(store.search('aa', 'Patient', 'favourite=red')).rejects.toMatchObject({ status: 400 });

  const { status, headers, resource } = await operate(store, 'reindex');
  expect(status).toBe(202);
  expect((resource as Parameters).parameter).toContainEqual({
    name: 'searchParameter',
    valueReference: { reference: 'SearchParameter/favourite' },
  });
  const job = new URL(headers!['Content-Location']!).searchParams.get('job')!;
  const asked: Parameters = { resourceType: 'Parameters', parameter: [{ name: 'job', valueString: job }] };
  expect((await operate(store, 'reindex-status', asked)).status).toBe(202);

  await over(store);
  expect((await operate(store, 'reindex-status', asked)).status).toBe(200);
  expect(await ids(store, 'favourite=red')).toEqual(['new', 'old']);
  expect(await ids(store, 'favourite:missing=true')).toEqual([]);
  expect((await store.read('aa', 'Patient', 'old')).meta?.versionId).toBe('1');
  // Another tenant has no such parameter, another server of this one has.
  await expect(store.search('bb', 'Patient', 'favourite=red')).rejects.toMatchObject({ status: 400 });
  expect(await ids(await node(), 'favourite=red')).toEqual(['new', 'old']);
});

it('takes ordered values away and puts others when the expression changes', async () => {
  const store = await node();
  const string = { id: 'hue', code: 'hue', type: 'string' as const };
  await store.transaction(context, (tx) => tx.update(parameter({ ...string, expression: 'Patient.name.family' })));
  await store.transaction(context, (tx) =>
    tx.update({ resourceType: 'Patient', id: 'named', name: [{ family: 'ROUGE', given: ['Vert'] }] }),
  );
  await operate(store, 'reindex');
  await over(store);
  expect(await ids(store, 'hue=rouge')).toEqual(['named']);

  await store.transaction(context, (tx) => tx.update(parameter({ ...string, expression: 'Patient.name.given' })));
  await expect(store.search('aa', 'Patient', 'hue=rouge')).rejects.toMatchObject({ status: 400 });
  await operate(store, 'reindex');
  await over(store);
  expect(await ids(store, 'hue=rouge')).toEqual([]);
  expect(await ids(store, 'hue=vert')).toEqual(['named']);
});

it('says which parameters it cannot use, and never lets one replace the program’s', async () => {
  const store = await node();
  const put = (over: Partial<SearchParameter>) => store.transaction(context, (tx) => tx.update(parameter(over)));
  await put({ id: 'standard', code: 'gender', expression: 'Patient.name.family' });
  await put({ id: 'broken', code: 'broken', expression: 'Patient.(((' });
  await put({ id: 'audit', code: 'audit', base: ['AuditEvent'], expression: 'AuditEvent.action' });
  await put({ id: 'draft', code: 'draft', status: 'draft' });
  const { resource } = await operate(store, 'reindex');
  const unused = (resource as Parameters).parameter
    ?.filter(({ name }) => name === 'unused')
    .map(({ part }) => `${part?.[0]?.valueReference?.reference}: ${part?.[1]?.valueString}`);
  expect(unused).toEqual([
    'SearchParameter/audit: AuditEvents cannot be indexed anew',
    'SearchParameter/broken: its expression is not understood',
    'SearchParameter/draft: it is draft',
    'SearchParameter/standard: the program has a parameter of that name',
  ]);
  await store.transaction(context, (tx) => tx.update({ resourceType: 'Patient', id: 'she', gender: 'female' }));
  expect(await ids(store, 'gender=female')).toEqual(['she']);
});

it('is not searched by again after it was off for a while: what was written meanwhile lacks it', async () => {
  const store = await node();
  const write = (resource: SearchParameter & { id: string }) => store.transaction(context, (tx) => tx.update(resource));
  await operate(store, 'reindex');
  await over(store);
  expect(await ids(store, 'favourite=red')).toEqual(['new', 'old']);
  await write(parameter({ status: 'retired' }));
  await store.transaction(context, (tx) => tx.update(patient('meanwhile', 'red')));
  await write(parameter({}));
  await expect(store.search('aa', 'Patient', 'favourite=red')).rejects.toMatchObject({ status: 400 });
  await operate(store, 'reindex');
  // Changed while the job waits: it must not vouch for it.
  await write(parameter({ status: 'retired' }));
  await write(parameter({}));
  await over(store);
  await expect(store.search('aa', 'Patient', 'favourite=red')).rejects.toMatchObject({ status: 400 });
  await operate(store, 'reindex');
  await over(store);
  expect(await ids(store, 'favourite=red')).toEqual(['meanwhile', 'new', 'old']);
});

it('is not searched by again after another of the same name stood in its place: what was written meanwhile is the other’s', async () => {
  const store = await node();
  const write = (resource: SearchParameter & { id: string }) => store.transaction(context, (tx) => tx.update(resource));
  const shade = { code: 'shade', name: 'shade', type: 'string' as const };
  await write(parameter({ ...shade, id: 'shade-b', expression: 'Patient.name.family' }));
  await operate(store, 'reindex');
  await over(store);
  expect(await ids(store, 'shade=azur')).toEqual([]);
  await write(parameter({ ...shade, id: 'shade-a', expression: 'Patient.name.given' }));
  await store.transaction(context, (tx) =>
    tx.update({ resourceType: 'Patient', id: 'shaded', name: [{ family: 'AZUR', given: ['Ocre'] }] }),
  );
  await store.transaction(context, (tx) => tx.delete('SearchParameter', 'shade-a'));
  await expect(store.search('aa', 'Patient', 'shade=azur')).rejects.toMatchObject({ status: 400 });
  await operate(store, 'reindex');
  await over(store);
  expect(await ids(store, 'shade=azur')).toEqual(['shaded']);
  expect(await ids(store, 'shade=ocre')).toEqual([]);
  await store.transaction(context, (tx) => tx.delete('SearchParameter', 'shade-b'));
});

it('waits for transactions that were open when it was asked for, and for other nodes to know', async () => {
  const store = await node();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const slow = store.transaction(context, async (tx) => {
    await tx.update(patient('slow', 'violet'));
    await gate;
  });
  await operate(store, 'reindex');
  await store.reindex.finish('aa');
  const { rows } = await database.query('aa', "SELECT 1 FROM fhir.reindex WHERE tenant = 'aa' AND finished IS NULL");
  expect(rows).toHaveLength(1);
  open();
  await slow;
  const patient60 = await node(60_000);
  await patient60.reindex.finish('aa');
  expect(
    (await database.query('aa', "SELECT 1 FROM fhir.reindex WHERE tenant = 'aa' AND finished IS NULL")).rowCount,
  ).toBe(1);
  await over(store);
  expect(
    (await database.query('aa', "SELECT 1 FROM fhir.reindex WHERE tenant = 'aa' AND finished IS NULL")).rowCount,
  ).toBe(0);
  expect(await ids(store, 'favourite=violet')).toEqual(['slow']);
});

it('leaves a job made for other definitions to the nodes that have them', async () => {
  const store = await node();
  await database.query(
    'aa',
    `INSERT INTO fhir.reindex (tenant, id, requested, types, makes)
     VALUES ('aa', 'newer', now(), '{Patient}', '{"program": "of a newer version"}')`,
  );
  await store.reindex.finish('aa');
  const { rows } = await database.query(
    'aa',
    "SELECT finished, seen FROM fhir.reindex WHERE tenant = 'aa' AND id = 'newer'",
  );
  expect(rows).toEqual([{ finished: null, seen: '0' }]);
  await database.query('aa', "UPDATE fhir.reindex SET finished = now() WHERE tenant = 'aa' AND id = 'newer'");
});

it('makes the index anew by itself when it was made with other definitions', async () => {
  const store = await node();
  await over(store);
  await database.query(
    'aa',
    "UPDATE fhir.index_state SET made_with = 'older' WHERE tenant = 'aa' AND part = 'program'",
  );
  await database.query('aa', "UPDATE fhir.patient SET keys = '{}' WHERE tenant = 'aa' AND id = 'she'");
  expect(await ids(store, 'gender=female')).toEqual([]);
  await over(await node());
  expect(await ids(store, 'gender=female')).toEqual(['she']);
});

it('has nothing to do for a tenant that began with this program', async () => {
  const jobs = async (tenant: string) =>
    (await database.query(tenant, 'SELECT 1 FROM fhir.reindex WHERE tenant = $1', [tenant])).rowCount;
  const store = await node();
  await store.addTenant('new', 'Hospital N');
  // Known, and nobody knows by which program its first resources were indexed.
  await database.addTenant('former', 'Hospital F');
  await store.addTenant('former', 'Hospital F');
  for (const tenant of ['new', 'former']) {
    await store.transaction(systemContext(tenant, 'system:test', clock), (tx) =>
      tx.create({ resourceType: 'Patient' }),
    );
    await store.reindex.finish(tenant);
  }
  expect([await jobs('new'), await jobs('former')]).toEqual([0, 1]);
});

it('goes over a thousand rows while they change, and leaves every one as its last version says', async () => {
  const store = await node();
  const many = Array.from({ length: 1_000 }, (_, n) => patient(`many-${String(n).padStart(4, '0')}`, 'blue'));
  await store.transaction(context, async (tx) => {
    for (const each of many) await tx.create(each);
  });
  await operate(store, 'reindex');
  const writing = Array.from({ length: 40 }, (_, n) =>
    store.transaction(context, (tx) => tx.update(patient(many[n * 25]!.id, 'green'))),
  );
  await Promise.all([over(store), ...writing]);
  expect(await ids(store, 'favourite=green&_count=1000')).toHaveLength(40);
  expect(await ids(store, 'favourite=blue&_count=1000')).toHaveLength(960);
});
