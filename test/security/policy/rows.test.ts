/** What a caller sees is exactly what the model says, by every way of asking; and nothing tells that there is more. */
import type { Observation, Patient, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { type Context, createFhirStore, establishmentSystem, type RowScope } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { testDatabase } from '../../support/database.ts';

let database: Database;
let store: RestStore;
const tenant = 'aa';
const establishments = ['north', 'south', 'east', 'west'];
const types = ['Patient', 'ServiceRequest', 'Observation', 'Task'] as const;
/** `Type/id` → establishments, as the resource was written. */
const model = new Map<string, readonly string[]>();
/** ServiceRequest → its patient and its task. */
const about = new Map<string, { patient: string; task: string }>();

const context = (more: Partial<Context> = {}): Context => ({
  tenant,
  actor: { reference: 'Practitioner/p', display: 'P', account: 'p', kind: 'person', roles: [] },
  requestId: 'r',
  interaction: 'test',
  now: () => new Date(),
  ...more,
});
const rowsOf = (of: readonly string[], whole: RowScope['whole'] = []): RowScope => ({
  keys: of.map((id) => ({ parameter: '_security', value: `${establishmentSystem}|${id}` })),
  whole,
});
const labels = (resource: Resource) =>
  (resource.meta?.security ?? []).flatMap(({ system, code }) => (system === establishmentSystem && code ? [code] : []));

beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  // A generator that begins at the same place each time: the data do not change from run to run.
  let seed = 7;
  const draw = (limit: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % limit;
  };
  for (let n = 0; n < 60; n++) {
    const own = establishments.filter(() => draw(3) === 0).slice(0, 2);
    await store.transaction(context(own.length > 0 ? { establishments: own } : {}), async (tx) => {
      const patient = await tx.create<Patient>({ resourceType: 'Patient', name: [{ family: `TEST-${n}` }] });
      const subject = { reference: `Patient/${patient.id}` };
      const request = await tx.create<ServiceRequest>({
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        subject,
      });
      const basedOn = [{ reference: `ServiceRequest/${request.id}` }];
      const task = await tx.create<Task>({
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        focus: basedOn[0],
        basedOn,
        for: subject,
      });
      const observation = await tx.create<Observation>({
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        subject,
        basedOn,
      });
      for (const made of [patient, request, task, observation]) model.set(`${made.resourceType}/${made.id}`, own);
      about.set(`ServiceRequest/${request.id}`, { patient: subject.reference, task: `Task/${task.id}` });
    });
  }
}, 60_000);
afterAll(() => database.close());

const scopes = fc.record({
  keys: fc.subarray(establishments),
  whole: fc.subarray([...types], { maxLength: 2 }),
});
type Asked = { keys: string[]; whole: (typeof types)[number][] };
const visible = (reference: string, { keys, whole }: Asked) =>
  whole.includes(reference.split('/')[0] as (typeof types)[number]) ||
  (model.get(reference) ?? []).some((label) => keys.includes(label));
const expected = (type: string, asked: Asked) =>
  [...model.keys()].filter((reference) => reference.startsWith(`${type}/`) && visible(reference, asked)).sort();

describe('rows in sight', () => {
  it('carry the labels of the establishment that wrote them', async () => {
    for (const [reference, own] of model) {
      const [type, id] = reference.split('/') as ['Patient', string];
      expect(labels(await store.read(tenant, type, id))).toEqual(own);
    }
  });

  it('are those of the model by search, count, include, reverse include, chain and history', async () => {
    await fc.assert(
      fc.asyncProperty(scopes, fc.constantFrom(...types), async (asked, type) => {
        const reads = store.reads(tenant, { rows: rowsOf(asked.keys, asked.whole) });
        const named = (list: readonly { type: string; id: string }[]) =>
          [...new Set(list.map((version) => `${version.type}/${version.id}`))].sort();
        const page = await reads.searchBundle(type, '_count=1000&_total=accurate');
        expect(named(page.matches)).toEqual(expected(type, asked));
        expect(page.total).toBe(expected(type, asked).length);
        const requests = await reads.searchBundle(
          'ServiceRequest',
          '_count=1000&_include=ServiceRequest:subject&_revinclude=Task:focus',
        );
        const seen = expected('ServiceRequest', asked);
        expect(named(requests.included)).toEqual(
          seen
            .flatMap((reference) => Object.values(about.get(reference)!))
            .filter((reference) => visible(reference, asked))
            .sort(),
        );
        const chained = await reads.searchBundle('ServiceRequest', '_count=1000&subject:Patient.name=TEST');
        expect(named(chained.matches)).toEqual(
          seen.filter((reference) => visible(about.get(reference)!.patient, asked)).sort(),
        );
        const reverse = await reads.searchBundle('ServiceRequest', '_count=1000&_has:Task:focus:status=requested');
        expect(named(reverse.matches)).toEqual(
          seen.filter((reference) => visible(about.get(reference)!.task, asked)).sort(),
        );
        const history = await reads.history({ type }, { count: 1000 });
        expect(named(history.entries)).toEqual(expected(type, asked));
        const everything = await reads.searchSystem([...types], '_count=1000');
        expect(named(everything.matches)).toEqual(types.flatMap((each) => expected(each, asked)).sort());
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('are those of the model by read and vread, outside and inside a transaction', async () => {
    const references = [...model.keys()];
    await fc.assert(
      fc.asyncProperty(scopes, fc.constantFrom(...references), async (asked, reference) => {
        const [type, id] = reference.split('/') as ['Patient', string];
        const rows = rowsOf(asked.keys, asked.whole);
        const reads = store.reads(tenant, { rows });
        const isSeen = visible(reference, asked);
        expect((await reads.readStored(type, id)) !== undefined).toBe(isSeen);
        expect((await reads.readVersion(type, id, 1)) !== undefined).toBe(isSeen);
        expect((await reads.history({ type, id })).entries).toHaveLength(isSeen ? 1 : 0);
        await store.restTransaction(context({ rows }), async (tx) => {
          expect((await tx.find(type, id)) !== undefined).toBe(isSeen);
          expect((await tx.whole.find(type, id)) !== undefined).toBe(true);
          expect((await tx.find(type, id)) !== undefined).toBe(isSeen);
          expect((await tx.lockStored(type, id, { shared: true })) !== undefined).toBe(isSeen);
        });
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('are held to by row-level security alone, whatever a statement asks', async () => {
    const scope = store.scopeOf({ tenant, rows: rowsOf(['north']) });
    const { rows } = await database.query<{ id: string }>(scope, 'SELECT id FROM fhir.patient');
    expect(rows.map(({ id }) => `Patient/${id}`).sort()).toEqual(expected('Patient', { keys: ['north'], whole: [] }));
    const past = await database.query(scope, 'SELECT FROM fhir.task_past');
    expect(past.rowCount).toBe(0);
    for (const text of [
      'SELECT FROM account',
      'SELECT FROM fhir.journal',
      "UPDATE fhir.patient SET content = ''",
      'DELETE FROM fhir.string_key',
    ])
      await expect(database.query(scope, text), text).rejects.toMatchObject({ code: '42501' });
    const nothing = await database.query(store.scopeOf({ tenant, rows: rowsOf([]) }), 'SELECT FROM fhir.patient');
    expect(nothing.rowCount).toBe(0);
  });
});

describe('what is out of sight', () => {
  const north = () => context({ rows: rowsOf(['north']), establishments: ['north'] });
  const hidden = () => [...model].find(([key, own]) => key.startsWith('Patient/') && !own.includes('north'))![0];

  it('cannot be written over, and an id that nobody has gets the same answer', async () => {
    const id = hidden().split('/')[1]!;
    const answers = await Promise.all(
      [id, 'nobody'].map((wanted) =>
        store
          .transaction(north(), (tx) => tx.update<Patient>({ resourceType: 'Patient', id: wanted }))
          .catch((error: { status: number; message: string }) => [error.status, error.message.replace(wanted, '')]),
      ),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject([405, expect.any(String)]);
    const conditional = await Promise.all(
      [id, 'nobody'].map((wanted) =>
        store
          .transaction(north(), (tx) => tx.update<Patient>({ resourceType: 'Patient', id: wanted }, { ifMatch: '1' }))
          .catch((error: { status: number }) => error.status),
      ),
    );
    expect(conditional).toEqual([412, 412]);
  });

  it('is not deleted, and the answer is that of what does not exist', async () => {
    const [type, id] = hidden().split('/') as ['Patient', string];
    await store.transaction(north(), (tx) => tx.delete(type, id));
    expect((await store.read(tenant, type, id)).id).toBe(id);
  });

  it('cannot be referred to, no more than what does not exist', async () => {
    for (const reference of [hidden(), 'Patient/nobody']) {
      const refused = store.transaction(north(), (tx) =>
        tx.create<Observation>({
          resourceType: 'Observation',
          status: 'final',
          code: { text: 'x' },
          subject: { reference },
        }),
      );
      await expect(refused).rejects.toMatchObject({ status: 422 });
    }
  });

  it('matches no condition: a conditional create does not find it', async () => {
    const id = hidden().split('/')[1]!;
    const { name } = await store.read(tenant, 'Patient', id);
    const outcome = await store.transaction(north(), (tx) =>
      tx.createIfNone<Patient>({ resourceType: 'Patient' }, `family:exact=${name![0]!.family}`),
    );
    expect(outcome.created).toBe(true);
    expect(labels(outcome.resource)).toEqual(['north']);
  });

  it('stays so when it is deleted, and its establishment still knows that it was', async () => {
    const made = await store.transaction(context({ establishments: ['south'] }), (tx) =>
      tx.create<Patient>({ resourceType: 'Patient' }),
    );
    await store.transaction(context({ establishments: ['south'] }), (tx) => tx.delete('Patient', made.id));
    const of = (establishment: string) =>
      store.reads(tenant, { rows: rowsOf([establishment]) }).readStored('Patient', made.id);
    expect((await of('south'))?.deleted).toBe(true);
    expect(await of('north')).toBeUndefined();
  });
});

describe('labels', () => {
  it('are neither forged nor taken off by whoever writes', async () => {
    const security = [
      { system: establishmentSystem, code: 'south' },
      { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' },
    ];
    const north = context({ establishments: ['north'], rows: rowsOf(['north']) });
    const made = await store.transaction(north, (tx) =>
      tx.create<Patient>({ resourceType: 'Patient', meta: { security } }),
    );
    expect(made.meta?.security).toEqual([security[1], { system: establishmentSystem, code: 'north' }]);
    const bare = await store.transaction(north, (tx) => tx.update<Patient>({ resourceType: 'Patient', id: made.id }));
    expect(labels(bare)).toEqual(['north']);
    const forged = await store.transaction(context(), (tx) =>
      tx.create<Patient>({ resourceType: 'Patient', meta: { security } }),
    );
    expect(labels(forged)).toEqual([]);
  });

  it('of a patient are those of every establishment that told of them', async () => {
    const made = await store.transaction(context({ establishments: ['north'] }), (tx) =>
      tx.create<Patient>({ resourceType: 'Patient' }),
    );
    const again = await store.transaction(context({ establishments: ['south'] }), (tx) =>
      tx.update<Patient>({ resourceType: 'Patient', id: made.id, active: true }),
    );
    expect(labels(again)).toEqual(['north', 'south']);
    // Of a patient of two, a resource that says no more is nobody's; one that is part of a request is as the request.
    const subject = { reference: `Patient/${made.id}` };
    const [loose, part] = await store.transaction(context(), async (tx) => [
      await tx.create<Observation>({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject }),
      await tx.create<Observation>({
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        subject,
        basedOn: [{ reference: [...about.keys()].find((key) => model.get(key)!.includes('east'))! }],
      }),
    ]);
    expect(labels(loose!)).toEqual([]);
    expect(labels(part!)).toContain('east');
  });

  it('leave what refers to nothing labelled byte for byte as it was sent', async () => {
    const sent = { resourceType: 'Patient', id: 'as-sent', meta: { tag: [{ code: 'x' }] }, active: true } as const;
    await store.transaction(context(), (tx) => tx.create<Patient>(sent as unknown as Patient));
    const text = (await store.reads(tenant).readStored('Patient', 'as-sent'))!.text;
    expect(text).toMatch(
      /^\{"resourceType":"Patient","id":"as-sent","meta":\{"tag":\[\{"code":"x"\}\],"versionId":"1","lastUpdated":"[^"]+"\},"active":true\}$/,
    );
  });
});
