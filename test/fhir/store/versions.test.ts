import type { AuditEvent, Patient, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import type { HistoryScope, RestReads, RestStore, RestTransaction } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from './context.ts';

let database: Database;
let store: RestStore;
let reads: RestReads;
let nowMs = Date.UTC(2026, 0, 1);
const context = contextOf('aa', () => {
  nowMs += 1000;
  return new Date(nowMs);
});
const inTransaction = <T>(work: (tx: RestTransaction) => Promise<T>) => store.restTransaction(context, work);
const patient = (id: string, family: string): Patient & { id: string } => ({
  resourceType: 'Patient',
  id,
  name: [{ family }],
});

beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  reads = store.reads('aa');
});
afterAll(() => database.close());

async function wholeHistory(scope: HistoryScope, count: number): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await reads.history(scope, { count, ...(cursor ? { cursor } : {}) });
    seen.push(...page.entries.map(({ type, id, version, interaction }) => `${interaction} ${type}/${id} ${version}`));
    cursor = page.next;
  } while (cursor !== undefined);
  return seen;
}

describe('a version', () => {
  it('is kept as it was when the next one comes', async () => {
    const first = await inTransaction((tx) => tx.update(patient('v1', 'UN')));
    const second = await inTransaction((tx) => tx.update({ ...first, name: [{ family: 'DEUX' }] }));
    expect(second.meta?.versionId).toBe('2');
    expect(JSON.parse((await reads.readVersion('Patient', 'v1', 1))!.text)).toEqual(first);
    expect(JSON.parse((await reads.readVersion('Patient', 'v1', 2))!.text)).toEqual(second);
    expect(await reads.readVersion('Patient', 'v1', 3)).toBeUndefined();
  });

  it('of the past is not found by searches', async () => {
    expect(await store.search('aa', 'Patient', 'name=un')).toEqual([]);
    expect(await store.search('aa', 'Patient', 'name=deux')).toHaveLength(1);
  });

  it('is made also when nothing changed', async () => {
    const made = await inTransaction((tx) => tx.update(patient('same', 'X')));
    expect((await inTransaction((tx) => tx.update(made))).meta?.versionId).toBe('2');
  });

  it('never is older than the one before, whatever the clock says', async () => {
    const made = await inTransaction((tx) => tx.update(patient('clock', 'X')));
    const late = contextOf('aa', () => new Date(0));
    const next = await store.transaction(late, (tx) => tx.update(made));
    expect(next.meta?.lastUpdated).toBe(made.meta?.lastUpdated);
  });

  it.each(['W/"1"', '"1"', '1'])('is what If-Match %s asks for', async (ifMatch) => {
    const id = `match-${ifMatch.length}`;
    const made = await inTransaction((tx) => tx.update(patient(id, 'X')));
    await inTransaction((tx) => tx.update(made, { ifMatch }));
    await expect(inTransaction((tx) => tx.update(made, { ifMatch }))).rejects.toMatchObject({ status: 412 });
  });

  it('cannot be asked for where there is none', async () => {
    await expect(inTransaction((tx) => tx.update(patient('none', 'X'), { ifMatch: '1' }))).rejects.toMatchObject({
      status: 412,
    });
    await expect(inTransaction((tx) => tx.update(patient('v1', 'X'), { ifMatch: 'latest' }))).rejects.toMatchObject({
      status: 400,
    });
  });
});

describe('an id', () => {
  it('of one’s own is kept by a create, and refused when it is taken', async () => {
    await inTransaction((tx) => tx.create(patient('own', 'X')));
    await expect(inTransaction((tx) => tx.create(patient('own', 'Y')))).rejects.toMatchObject({ status: 409 });
  });

  it.each(['', 'a b', 'é', 'x'.repeat(65), "x'; --"])('%j is refused', async (id) => {
    await expect(inTransaction((tx) => tx.update(patient(id, 'X')))).rejects.toMatchObject({ status: 400 });
  });
});

describe('a delete', () => {
  it('hides the resource, keeps its history, and is a version', async () => {
    await inTransaction((tx) => tx.update(patient('gone', 'DISPARU')));
    await inTransaction((tx) => tx.delete('Patient', 'gone'));
    await expect(store.read('aa', 'Patient', 'gone')).rejects.toMatchObject({ status: 410 });
    await expect(inTransaction((tx) => tx.find('Patient', 'gone'))).resolves.toBeUndefined();
    expect(await store.search('aa', 'Patient', 'name=disparu')).toEqual([]);
    expect(await store.search('aa', 'Patient', '_id=gone')).toEqual([]);
    expect(await wholeHistory({ type: 'Patient', id: 'gone' }, 1)).toEqual([
      'delete Patient/gone 2',
      'put Patient/gone 1',
    ]);
    expect(await reads.readVersion('Patient', 'gone', 2)).toMatchObject({ deleted: true, text: '' });
  });

  it('does nothing the second time, nor to what never was', async () => {
    await inTransaction(async (tx) => {
      await tx.delete('Patient', 'gone');
      await tx.delete('Patient', 'never-was');
      expect(tx.changes).toEqual([]);
    });
  });

  it('can be undone by a new version under the same id', async () => {
    const again = await inTransaction((tx) => tx.create(patient('gone', 'REVENU')));
    expect(again.meta?.versionId).toBe('3');
    expect(await store.search('aa', 'Patient', 'name=revenu')).toHaveLength(1);
  });
});

describe('history', () => {
  beforeAll(async () => {
    await store.restTransaction(contextOf('bb', context.now), async (tx) => {
      await tx.update(patient('p', 'A'));
      await tx.update({ resourceType: 'Organization', id: 'o', name: 'O' });
      await tx.update(patient('p', 'B'));
      await tx.update(patient('q', 'Q'));
    });
    reads = store.reads('bb');
  });

  it.each([1, 2, 50])('is told newest first on every level, in pages of %i', async (count) => {
    expect(await wholeHistory({ type: 'Patient', id: 'p' }, count)).toEqual(['update Patient/p 2', 'put Patient/p 1']);
    expect(await wholeHistory({ type: 'Patient' }, count)).toEqual([
      'put Patient/q 1',
      'update Patient/p 2',
      'put Patient/p 1',
    ]);
    expect(await wholeHistory({}, count)).toEqual([
      'put Patient/q 1',
      'update Patient/p 2',
      'put Organization/o 1',
      'put Patient/p 1',
    ]);
  });

  it('of one resource says how long it is', async () => {
    expect(await reads.history({ type: 'Patient', id: 'p' }, { count: 1 })).toMatchObject({ total: 2 });
  });

  it('can start at an instant', async () => {
    const { entries } = await reads.history({});
    const { entries: later } = await reads.history({}, { since: entries[1]!.updated });
    expect(later).toEqual(entries.slice(0, 2));
  });

  it.each([
    'x',
    Buffer.from('[1,2,3,4]').toString('base64url'),
    Buffer.from('["2026-01-01 00:00:00+00","Patient","a\' OR 1=1",1]').toString('base64url'),
  ])('refuses the forged cursor %s', async (cursor) => {
    await expect(reads.history({}, { cursor })).rejects.toMatchObject({ status: 400 });
  });
});

describe('the audit trail', () => {
  it('takes new entries, and no change to old ones from anybody with the application’s role', async () => {
    const event: AuditEvent = {
      resourceType: 'AuditEvent',
      type: { code: 'rest' },
      recorded: '2026-01-01T00:00:00Z',
      agent: [{ requestor: true }],
      source: { observer: { display: 'x' } },
    };
    const made = await inTransaction((tx) => tx.create(event));
    await inTransaction((tx) => tx.update({ ...event, id: 'own-id' }));
    for (const id of [made.id, 'own-id']) {
      await expect(inTransaction((tx) => tx.update({ ...made, id }))).rejects.toMatchObject({ status: 405 });
    }
    await expect(inTransaction((tx) => tx.create(made))).rejects.toMatchObject({ status: 409 });
    await expect(inTransaction((tx) => tx.delete('AuditEvent', made.id))).rejects.toMatchObject({ status: 405 });
    for (const statement of [
      'UPDATE fhir.auditevent SET content = $1',
      'DELETE FROM fhir.auditevent WHERE content <> $1',
      'DELETE FROM fhir.patient_past WHERE content <> $1',
      'UPDATE fhir.patient_past SET content = $1',
    ]) {
      await expect(database.query('aa', statement, ['{}'])).rejects.toThrow('permission denied');
    }
  });
});

describe('every R4 resource type', () => {
  it('has its tables', async () => {
    const { rows } = await database.query<{ name: string }>(
      'aa',
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'fhir'`,
    );
    const names = new Set(rows.map((row) => row.name));
    const definitions = (await import('../../../src/fhir/definitions/search-parameters.ts')).loadSearchDefinitions();
    expect(definitions.types.length).toBe(146);
    for (const type of definitions.types) {
      expect(names.has(type.toLowerCase())).toBe(true);
      expect(names.has(`${type.toLowerCase()}_past`)).toBe(true);
    }
    for (const type of definitions.types as ResourceType[])
      expect(await store.search('aa', type, '_count=1&_sort=_lastUpdated')).toBeDefined();
  });
});
