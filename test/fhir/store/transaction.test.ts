import type { AuditEvent, Patient, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { type Change, createFhirStore, type RowScope } from '../../../src/fhir/index.ts';
import type { RestStore, RestTransaction } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from './context.ts';

let database: Database;
let store: RestStore;
const failures: string[] = [];
const context = contextOf('aa');
const patient: Patient = { resourceType: 'Patient', name: [{ family: 'TEST-MOREAU', given: ['Camille'] }] };
const request = (subject: string): ServiceRequest => ({
  resourceType: 'ServiceRequest',
  status: 'active',
  intent: 'order',
  subject: { reference: subject },
});
const inTransaction = <T>(work: (tx: RestTransaction) => Promise<T>) => store.restTransaction(context, work);
const make = () => inTransaction((tx) => tx.create(patient));

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  failures.length = 0;
  store = await createFhirStore({ database, log: { error: (_, message) => failures.push(message) } });
});

describe('a transaction', () => {
  it('serves back what it stored, with version and time', async () => {
    const made = await make();
    expect(made.meta).toMatchObject({ versionId: '1' });
    expect(await store.read('aa', 'Patient', made.id)).toEqual(made);
  });

  it('is made of values: accessors would each keep all that a request held until the old generation is collected', async () => {
    const isAccessor = ({ get, set }: PropertyDescriptor) => get !== undefined || set !== undefined;
    const rows: RowScope = { keys: [], whole: [] };
    for (const seen of [context, { ...context, rows }]) {
      const { tx, whole } = await store.restTransaction(seen, async (open) => ({ tx: open, whole: open.whole }));
      expect(Object.values(Object.getOwnPropertyDescriptors(tx)).filter(isAccessor)).toEqual([]);
      expect(whole.whole).toBe(whole);
      expect(tx === whole).toBe(seen === context);
    }
  });

  it('keeps the text as it will be served', async () => {
    const text = await inTransaction(async (tx) => {
      const made = await tx.create(patient);
      return tx.writtenText('Patient', made.id);
    });
    const { id } = JSON.parse(text!);
    expect((await store.reads('aa').readStored('Patient', id))?.text).toBe(text);
  });

  it('shows its own writes to its own reads and searches, before anybody else sees them', async () => {
    await inTransaction(async (tx) => {
      const made = await tx.create(patient);
      expect(await tx.read('Patient', made.id)).toEqual(made);
      const order = await tx.create(request(`Patient/${made.id}`));
      expect((await tx.search('ServiceRequest', `subject=Patient/${made.id}`)).map(({ id }) => id)).toEqual([order.id]);
      await tx.update({ ...made, gender: 'female' });
      expect(await tx.search('Patient', `_id=${made.id}&gender=female`)).toHaveLength(1);
      expect(await store.search('aa', 'Patient', `_id=${made.id}`)).toEqual([]);
    });
  });

  it('leaves nothing when its work throws', async () => {
    let id = '';
    const failing = inTransaction(async (tx) => {
      ({ id } = await tx.create(patient));
      await tx.read('Patient', id);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await expect(store.read('aa', 'Patient', id)).rejects.toMatchObject({ status: 404 });
  });

  it('fails when a statement failed, even if its caller swallowed the error', async () => {
    const swallowing = inTransaction(async (tx) => {
      await tx.create(patient);
      await tx.sql.query('SELECT 1/0').catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('division by zero');
  });

  it('refuses an invalid resource, naming the element', async () => {
    const bad = { resourceType: 'Patient', gender: 'neither' } as unknown as Patient;
    await expect(inTransaction((tx) => tx.create(bad))).rejects.toMatchObject({
      status: 400,
      outcome: { issue: [expect.objectContaining({ expression: ['Patient.gender'] })] },
    });
  });

  it.each([null, 'text', {}, { resourceType: 'Nothing' }, { resourceType: 'Project' }])(
    'refuses %j, which is no resource',
    async (value) => {
      await expect(inTransaction((tx) => tx.create(value as unknown as Resource))).rejects.toMatchObject({
        status: 400,
      });
    },
  );

  it('runs work after its commit, and only says so when that fails', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { id } = await inTransaction(async (tx) => {
      tx.afterCommit(() => {
        throw new Error('worker asleep');
      });
      tx.afterCommit(resolve);
      return tx.create(patient);
    });
    await promise;
    expect(failures).toEqual(['Work after a commit failed']);
    expect(await store.read('aa', 'Patient', id)).toBeDefined();
  });

  it('is over after its end: a forgotten await cannot write outside it', async () => {
    const tx = await inTransaction(async (running) => running);
    await expect(tx.read('Patient', 'x')).rejects.toThrow('over');
  });
});

describe('hooks', () => {
  it('hear every change with what was before, and the commit hook hears them all once', async () => {
    const heard: Change[] = [];
    const commits: number[] = [];
    store.beforeCommit((change) => void heard.push(change));
    store.onCommit(async (changes) => void commits.push(changes.length));
    const made = await make();
    await inTransaction(async (tx) => {
      await tx.update({ ...made, gender: 'male' });
      await tx.delete('Patient', made.id);
    });
    await inTransaction((tx) => tx.search('Patient', `_id=${made.id}`));
    expect(heard.map(({ interaction, version }) => [interaction, version])).toEqual([
      ['create', 1],
      ['update', 2],
      ['delete', 3],
    ]);
    expect(heard[1]).toMatchObject({ before: { meta: { versionId: '1' } }, after: { gender: 'male' } });
    expect(heard[2]).toMatchObject({ before: { gender: 'male' } });
    expect(commits).toEqual([1, 2]);
  });

  it('write their own resources in the same transaction', async () => {
    store.onCommit(async (changes, tx) => {
      await tx.create<AuditEvent>({
        resourceType: 'AuditEvent',
        type: { code: 'rest' },
        recorded: tx.context.now().toISOString(),
        agent: [{ requestor: true }],
        source: { observer: { reference: 'Device/passerelle' } },
        entity: changes.map(({ type, id }) => ({ what: { reference: `${type}/${id}` } })),
      });
    });
    const made = await make();
    expect(await store.search('aa', 'AuditEvent', `entity=Patient/${made.id}`)).toHaveLength(1);
  });

  it('refuse a write for good: catching the refusal does not save the rest', async () => {
    store.beforeCommit((change) => {
      if (change.type === 'ServiceRequest') throw new Error('not like this');
    });
    let id = '';
    const stubborn = inTransaction(async (tx) => {
      ({ id } = await tx.create(patient));
      await tx.create(request(`Patient/${id}`)).catch(() => undefined);
    });
    await expect(stubborn).rejects.toThrow('not like this');
    await expect(store.read('aa', 'Patient', id)).rejects.toMatchObject({ status: 404 });
  });

  it('that fail at the commit leave nothing', async () => {
    store.onCommit(async () => {
      throw new Error('no trail, no write');
    });
    await expect(make()).rejects.toThrow('no trail');
  });
});

describe('references', () => {
  it('to what does not exist are refused when that is asked for', async () => {
    store = await createFhirStore({ database, checkReferences: true });
    await expect(inTransaction((tx) => tx.create(request('Patient/nobody')))).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('Patient/nobody'),
    });
    const both = await inTransaction(async (tx) => {
      const order = await tx.create(request('Patient/made-next'));
      await tx.update({ ...patient, id: 'made-next' });
      return order;
    });
    expect(await store.read('aa', 'ServiceRequest', both.id)).toEqual(both);
  });

  it('may point to the directory of the platform, and to nothing else there', async () => {
    await store.restTransaction(contextOf('platform'), async (tx) => {
      await tx.create({ resourceType: 'Practitioner', id: 'shared' });
      await tx.create({ ...patient, id: 'not-shared' });
    });
    store = await createFhirStore({ database, checkReferences: true });
    const attended: Patient = { resourceType: 'Patient', generalPractitioner: [{ reference: 'Practitioner/shared' }] };
    const known = await inTransaction((tx) => tx.create(attended));
    expect(await store.read('aa', 'Patient', known.id)).toEqual(known);
    await expect(store.read('aa', 'Practitioner', 'shared')).rejects.toMatchObject({ status: 404 });
    await expect(inTransaction((tx) => tx.create(request('Patient/not-shared')))).rejects.toMatchObject({
      status: 422,
    });
  });

  it('are not checked otherwise', async () => {
    await expect(inTransaction((tx) => tx.create(request('Patient/nobody')))).resolves.toBeDefined();
  });
});
