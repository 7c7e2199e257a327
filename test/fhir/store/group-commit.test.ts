import { expect, it } from 'vitest';
import { type CommitItem, createGroupCommit } from '../../../src/fhir/store/group-commit.ts';

const item = (id: string): CommitItem => ({
  rows: [{ id } as CommitItem['rows'][number]],
  references: [],
  entries: [],
});
const turn = () => new Promise((resolve) => setImmediate(resolve));
const idsOf = (items: readonly CommitItem[]) => items.flatMap(({ rows }) => rows.map(({ id }) => id));

it('joins what comes in one turn, and what waits while a batch of the same tenant is on its way; another tenant does not wait for it', async () => {
  const batches: string[] = [];
  const gates: (() => void)[] = [];
  const commit = createGroupCommit(async (tenant, items) => {
    batches.push(`${tenant}: ${idsOf(items).join(' ')}`);
    await new Promise<void>((resolve) => gates.push(resolve));
  });
  const early = [commit('a', item('0')), commit('a', item('1'))];
  await turn();
  const late = [commit('a', item('2')), commit('a', item('3')), commit('b', item('4')), commit('a', item('5'))];
  await turn();
  const all = Promise.all([...early, ...late]);
  expect(batches).toEqual(['a: 0 1', 'b: 4']);
  while (batches.length < 3) {
    for (const open of gates.splice(0)) open();
    await turn();
  }
  for (const open of gates.splice(0)) open();
  await all;
  expect(batches.slice(2)).toEqual(['a: 2 3 5']);
});

it('writes nothing again when nobody knows whether it was kept', async () => {
  const sizes: number[] = [];
  const commit = createGroupCommit(async (_, items) => {
    sizes.push(items.length);
    if (sizes.length > 1) throw new Error('Connection terminated unexpectedly');
  });
  const commitOf = (id: string) => commit('t', item(id));
  const first = commitOf('a');
  await turn();
  const results = await Promise.allSettled([first, ...['b', 'c'].map(commitOf)]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(sizes).toEqual([1, 2]);
});

it('replays each item alone when a batch is refused, so that one bad item takes nobody with it', async () => {
  const written: string[] = [];
  let first = true;
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const commit = createGroupCommit(async (_, items) => {
    if (first) {
      first = false;
      await gate;
    }
    if (idsOf(items).includes('bad')) throw Object.assign(new Error('bad item'), { code: '23514', severity: 'ERREUR' });
    written.push(...idsOf(items));
  });
  const blocker = commit('t', item('a'));
  await turn();
  const results = Promise.allSettled([
    blocker,
    commit('t', item('c')),
    commit('t', item('bad')),
    commit('t', item('d')),
  ]);
  open();
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(written.sort()).toEqual(['a', 'c', 'd']);
});
