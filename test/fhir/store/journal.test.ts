import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, systemContext } from '../../../src/fhir/index.ts';
import { testDatabase } from '../../support/database.ts';

const clock = { now: () => new Date('2026-03-01T08:00:00Z') };
const context = systemContext('aa', 'system:test', clock);
type Noted = { name: string };

let database: Database;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

/** A server's store whose journal is made into Basic resources. */
async function node() {
  const store = await createFhirStore({ database, checkReferences: false });
  store.projectJournal({
    type: 'Basic',
    render: (noted) => ({ resourceType: 'Basic', code: { text: (noted as Noted).name } }),
  });
  const note = (...names: string[]) =>
    store.transaction(context, async (tx) => {
      for (const name of names) tx.journal({ name });
    });
  const names = async () => (await store.search('aa', 'Basic', '_count=1000')).map((basic) => basic.code?.text).sort();
  return { store, note, names };
}

it('shows every entry to whoever looks, with the instant it was noted at', async () => {
  const { store, note, names } = await node();
  await note('one', 'two');
  await note('three');
  expect(await names()).toEqual(['one', 'three', 'two']);
  const first = (await store.search('aa', 'Basic', '')).find((basic) => basic.code?.text === 'one');
  expect(first?.meta).toEqual({ versionId: '1', lastUpdated: '2026-03-01T08:00:00.000Z' });
  expect((await store.read('aa', 'Basic', first!.id!)).code?.text).toBe('one');
  expect(await store.search('bb', 'Basic', '')).toEqual([]);
});

it('sorts entries of one millisecond in the order they were noted', async () => {
  const { store, note } = await node();
  const noted = Array.from({ length: 60 }, (_, n) => `in turn ${n}`);
  for (let n = 0; n < noted.length; n += 3) await note(...noted.slice(n, n + 3));
  const found = await store.search('aa', 'Basic', '_sort=_lastUpdated&_count=1000');
  expect(found.map((basic) => basic.code?.text).filter((name) => name?.startsWith('in turn'))).toEqual(noted);
});

it('keeps an entry with the resources of its transaction, or neither', async () => {
  const { store, names } = await node();
  const before = await names();
  await store.transaction(context, async (tx) => {
    await tx.create({ resourceType: 'Flag', status: 'active', code: { text: 'x' }, subject: { display: 'kept' } });
    tx.journal({ name: 'with a flag' });
  });
  await expect(
    store.transaction(context, async (tx) => {
      tx.journal({ name: 'rolled back' });
      await tx.update({
        resourceType: 'Flag',
        id: 'f',
        status: 'active',
        code: { text: 'x' },
        subject: { display: 'x' },
      });
      throw new Error('changed my mind');
    }),
  ).rejects.toThrow('changed my mind');
  expect(await names()).toEqual([...before, 'with a flag'].sort());
});

it('is complete inside a transaction that looks, and undone with it', async () => {
  const { store, note, names } = await node();
  await note('seen inside');
  await expect(
    store.transaction(context, async (tx) => {
      expect((await tx.search('Basic', '_count=1000')).map((basic) => basic.code?.text)).toContain('seen inside');
      throw new Error('over');
    }),
  ).rejects.toThrow('over');
  expect(await names()).toContain('seen inside');
});

it('makes each entry once, however many servers look at once', async () => {
  const nodes = [await node(), await node(), await node()];
  const wanted = Array.from({ length: 300 }, (_, n) => `shared ${n}`);
  await Promise.all(wanted.map((name, n) => nodes[n % 3]!.note(name)));
  const seen = await Promise.all(nodes.flatMap(({ names }) => [names(), names()]));
  for (const names of seen) {
    expect(names.filter((name) => name?.startsWith('shared')).sort()).toEqual([...wanted].sort());
  }
});

it('is made bit by bit in the background too', async () => {
  const { store, note } = await node();
  for (let n = 0; n < 60; n++) await note(`background ${n}`);
  let steps = 0;
  while (await store.projectSome('aa')) steps++;
  expect(steps).toBe(2);
  expect(await store.projectSome('aa')).toBe(false);
});

it('lets others go first while a long row is made into resources', async () => {
  const store = await createFhirStore({ database, checkReferences: false });
  let turns = 0;
  let isOver = false;
  const turned = () => {
    turns++;
    if (!isOver) setImmediate(turned);
  };
  const turnsAtRender: number[] = [];
  store.projectJournal({
    type: 'Basic',
    render: (noted) => {
      turnsAtRender.push(turns);
      const begun = performance.now();
      while (performance.now() - begun < 1);
      return { resourceType: 'Basic', code: { text: (noted as Noted).name } };
    },
  });
  await store.transaction(context, async (tx) => {
    for (let n = 0; n < 60; n++) tx.journal({ name: `long ${n}` });
  });
  setImmediate(turned);
  while (await store.projectSome('aa'));
  isOver = true;
  const ofRow = turnsAtRender.slice(-60);
  expect(ofRow).toHaveLength(60);
  expect(ofRow.at(-1)! - ofRow[0]!).toBeGreaterThan(5);
});

it('cannot be changed by the application', async () => {
  const { note } = await node();
  await note('for ever');
  for (const statement of [
    "UPDATE fhir.journal SET entries = '[]' WHERE tenant = 'aa'",
    "DELETE FROM fhir.journal WHERE tenant = 'aa'",
    'TRUNCATE fhir.journal',
  ]) {
    await expect(database.query('aa', statement)).rejects.toThrow('permission denied');
  }
});
