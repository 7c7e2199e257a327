/** Somebody holds a case while due times fall: nobody else's are late for it, and its own come when it is let go, in order, once. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSweep, type DueTime, setDueTime } from '../../src/teleradiology/clock/index.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const minuteMs = 60_000;
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function fallDue(caseId: string, minutes: number[]): Promise<void> {
  const { database, clock } = world;
  await database.transaction(tenant, async (sql) => {
    for (const minute of minutes) {
      const dueAt = new Date(clock.now().getTime() + minute * minuteMs);
      await setDueTime(sql, tenant, { caseId, kind: 'undelivered', key: `at-${minute}`, dueAt });
    }
  });
}

/** Holds the cases until it is told. */
async function hold(caseIds: string[]): Promise<() => Promise<void>> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: held, resolve: isHeld } = Promise.withResolvers<void>();
  const over = world.store.transaction(world.as('radiologist'), async (tx) => {
    for (const caseId of caseIds) await tx.lock(`case:${caseId}`);
    isHeld();
    await released;
  });
  await Promise.race([held, over]);
  return async () => {
    release();
    await over;
  };
}

function server(prefix: string) {
  const { database, store, clock } = world;
  const raised: string[] = [];
  const failures: string[] = [];
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (_facts: object, message: string) => void failures.push(message),
  };
  const sweep = createSweep({ database, store, clock, log }, async (due: DueTime) => {
    if (due.caseId.startsWith(prefix)) raised.push(`${due.caseId} ${due.key}`);
  });
  return { raised, failures, ...sweep };
}

it('more held cases than can be waited for delay no other case, and each is raised in its order when it is let go', async () => {
  const held = names('held', 8);
  const free = names('held-free', 5);
  // The held ones fall due first.
  for (const caseId of held) await fallDue(caseId, [1, 2, 30]);
  for (const caseId of free) await fallDue(caseId, [3, 30]);
  const release = await hold(held);
  const { raised, failures, start, stop } = server('held');
  await start();
  world.clock.pass(5 * minuteMs);
  // Well before anybody gives up waiting for a lock.
  await expect.poll(() => raised, { timeout: 6_000 }).toEqual(free.map((caseId) => `${caseId} at-3`));
  world.clock.pass(40 * minuteMs);
  // The next round is not held up either.
  await expect.poll(() => raised.length, { timeout: 6_000 }).toBe(2 * free.length);
  await release();
  await expect.poll(() => raised.length, { timeout: 10_000 }).toBe(2 * free.length + 3 * held.length);
  for (const caseId of held)
    expect(raised.filter((each) => each.startsWith(`${caseId} `))).toEqual(
      ['at-1', 'at-2', 'at-30'].map((key) => `${caseId} ${key}`),
    );
  await stop();
  expect(failures).toEqual([]);
  expect(await server('held').sweep()).toBe(0);
}, 40_000);

it('servers that race with who holds a case raise each due time once, in the order of its case', async () => {
  const cases = names('race', 6);
  for (const caseId of cases) await fallDue(caseId, [1, 2, 3]);
  world.clock.pass(10 * minuteMs);
  const release = await hold(cases.slice(0, 3));
  const servers = names('race', 3).map(() => server('race'));
  const sweeps = Promise.all(servers.map(({ sweep }) => sweep()));
  const all = () => servers.flatMap(({ raised }) => raised);
  await expect.poll(() => all().length, { timeout: 6_000 }).toBeGreaterThanOrEqual(9);
  await release();
  expect((await sweeps).reduce((sum, each) => sum + each, 0)).toBe(18);
  expect([...all()].sort()).toEqual(cases.flatMap((caseId) => [1, 2, 3].map((n) => `${caseId} at-${n}`)));
}, 40_000);
