import type pg from 'pg';
import { expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createKeyHasher } from '../../../src/fhir/search/keys.ts';
import { seenRows } from '../../../src/fhir/search/row-limits.ts';
import { createGroupRead } from '../../../src/fhir/store/group-read.ts';

interface Sent {
  tenant: string;
  ids: string[];
  answer(...ids: string[]): void;
  fail(): void;
}

/** A database that answers when told. */
function slowDatabase() {
  const sent: Sent[] = [];
  const query = (tenant: string, { values }: { values: unknown[] }) =>
    new Promise<pg.QueryResult>((resolve, reject) => {
      sent.push({
        tenant,
        ids: values[1] as string[],
        answer: (...ids) =>
          resolve({
            rows: ids.map((id) => ({
              id,
              version: 1,
              updated: new Date(0),
              deleted: false,
              content: `{"id":"${id}"}`,
            })),
          } as unknown as pg.QueryResult),
        fail: () => reject(new Error('connection lost')),
      });
    });
  return { sent, read: createGroupRead({ query } as unknown as Database) };
}

/** What is due at the end of this turn of the event loop, and what that leads to, is done. */
const settled = async () => {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
};

it('sends what is asked in one turn at its end and what comes meanwhile together, none in a statement older than itself', async () => {
  const { sent, read } = slowDatabase();
  const ask = (id: string) => read({ tenant: 'aa' }, 'Patient', id);
  const first = ['a', 'b'].map(ask);
  await settled();
  expect(sent.map(({ ids }) => ids)).toEqual([['a', 'b']]);
  const later = ['c', 'a'].map(ask);
  await settled();
  later.push(...['d', 'c'].map(ask));
  expect(sent.map(({ ids }) => ids)).toEqual([['a', 'b']]);
  sent[0]!.answer('a');
  await settled();
  expect(sent.map(({ ids }) => ids)).toEqual([
    ['a', 'b'],
    ['c', 'a', 'd'],
  ]);
  sent[1]!.answer('c', 'a');
  const answers = await Promise.all([...first, ...later]);
  expect(answers.map((version) => version?.id)).toEqual(['a', undefined, 'c', 'a', undefined, 'c']);
});

it('forgets nobody who asks just when the ones before are answered', async () => {
  const { sent, read } = slowDatabase();
  const deepest = 20;
  for (let depth = 0; depth < deepest; depth++) {
    const first = read({ tenant: 'aa' }, 'Patient', 'a');
    await settled();
    sent.at(-1)!.answer('a');
    await first;
    for (let turn = 0; turn < depth; turn++) await Promise.resolve();
    const second = read({ tenant: 'aa' }, 'Patient', 'b');
    await settled();
    expect(sent.at(-1)!.ids).toEqual(['b']);
    sent.at(-1)!.answer('b');
    expect((await second)?.id).toBe('b');
    await settled();
  }
});

it('keeps those apart who see different rows, and joins those who see the same', async () => {
  const { sent, read } = slowDatabase();
  const seen = () => seenRows(createKeyHasher(), 'aa', { keys: [{ parameter: '_id', value: 'Patient/a' }], whole: [] });
  const [one, other] = [seen(), seen()];
  const asked = [one, other, one, undefined].map((rows, n) => read({ tenant: 'aa', rows }, 'Patient', `${n}`));
  await settled();
  expect(sent.map(({ ids }) => ids)).toEqual([['0', '2'], ['1'], ['3']]);
  for (const { ids, answer } of sent) answer(...ids);
  expect((await Promise.all(asked)).map((version) => version?.id)).toEqual(['0', '1', '2', '3']);
});

it('keeps tenants and types apart, and tells a failure to those it concerns only', async () => {
  const { sent, read } = slowDatabase();
  const failing = read({ tenant: 'aa' }, 'Patient', 'x');
  const other = read({ tenant: 'bb' }, 'Patient', 'x');
  const task = read({ tenant: 'aa' }, 'Task', 'x');
  await settled();
  expect(sent.map(({ tenant, ids }) => [tenant, ids])).toEqual([
    ['aa', ['x']],
    ['bb', ['x']],
    ['aa', ['x']],
  ]);
  sent[0]!.fail();
  sent[1]!.answer();
  sent[2]!.answer('x');
  await expect(failing).rejects.toThrow('connection lost');
  expect(await other).toBeUndefined();
  expect((await task)?.type).toBe('Task');
});
