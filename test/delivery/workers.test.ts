import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDelivery, type DeliveryResult } from '../../src/delivery/index.ts';
import { openPresence } from '../../src/delivery/presence.ts';
import { fakeClock, flakyDestination, manualDelivery, openRig, queue, type Rig, startDelivery } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.database.close());

test('two servers share the work: an item is never with both, and order holds', async () => {
  const clock = fakeClock();
  const ris = flakyDestination('ris:', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return { status: 'delivered' };
  });
  const workers = [manualDelivery(rig, clock), manualDelivery(rig, clock)];
  for (const worker of workers) {
    worker.registerDestination(ris);
    await startDelivery(worker, clock);
  }
  const ids: string[] = [];
  for (let n = 0; n < 40; n += 1) {
    ids.push(await queue(workers[n % 2]!, rig, clock, { destination: 'ris:two' }));
  }
  while (ris.taken.length < ids.length) await Promise.all(workers.map((worker) => worker.sweep()));
  expect(ris.taken).toEqual(ids);
  expect(ris.tried).toHaveLength(ids.length);
  expect(ris.mostAtOnce()).toBe(1);
  for (const worker of workers) await worker.stop();
});

test('what a dead server was sending is taken over at once under the same id, and its late answer changes nothing', async () => {
  const clock = fakeClock();
  let answerLate: (result: DeliveryResult) => void = () => undefined;
  const asked = Promise.withResolvers<void>();
  const dying = manualDelivery(rig, clock);
  dying.registerDestination(
    flakyDestination('ris:', () => {
      asked.resolve();
      return new Promise((resolve) => {
        answerLate = resolve;
      });
    }),
  );
  await startDelivery(dying, clock);
  const id = await queue(dying, rig, clock, { destination: 'ris:crash' });
  const stuck = dying.sweep();
  await asked.promise;

  const survivor = manualDelivery(rig, clock);
  const ris = flakyDestination('ris:', () => ({ status: 'delivered', evidence: 'second' }));
  survivor.registerDestination(ris);
  await startDelivery(survivor, clock);
  await survivor.sweep();
  expect(ris.tried).toEqual([]);

  const admin = new pg.Client({ connectionString: rig.database.adminUrl });
  await admin.connect();
  await admin.query(
    `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
     WHERE a.datname = current_database() AND a.application_name = 'passerelle-delivery' AND l.locktype = 'advisory'
       AND l.objid = (SELECT sender::bigint::oid FROM outbox WHERE id = $1)`,
    [id],
  );
  while (ris.tried.length === 0) await survivor.sweep();
  await admin.end();
  expect(ris.tried.map((item) => [item.id, item.attempts])).toEqual([[id, 2]]);
  answerLate({ status: 'failed', reason: 'late' });
  await stuck;
  const item = (await survivor.list('aa', ['delivered', 'failed'])).find((candidate) => candidate.id === id);
  expect(item).toMatchObject({ id, state: 'delivered', evidence: 'second' });
  await dying.stop();
  await survivor.stop();
});

test('a server that starts sends first what was queued before it stopped, without being asked', async () => {
  const clock = fakeClock();
  const id = await queue(manualDelivery(rig, clock), rig, clock, { destination: 'ris:restart' });
  const arrived = Promise.withResolvers<string>();
  const delivery = createDelivery({ ...rig, clock });
  delivery.registerDestination({
    prefix: 'ris:restart',
    deliver: async (item) => {
      arrived.resolve(item.id);
      return { status: 'delivered' };
    },
  });
  await startDelivery(delivery, clock);
  expect(await arrived.promise).toBe(id);
  await delivery.stop();
  expect((await delivery.list('aa', ['delivered'])).map((item) => item.id)).toContain(id);
});

/** What happens to one attempt: taken; taken but our side cannot record it; refused for now; broken connection after it was taken. */
const fates = fc.constantFrom('delivered', 'unrecorded', 'retry', 'lost-answer', 'throws');

test('whatever the failures, each item is taken exactly once by its id and in the order of queueing', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fates, { maxLength: 25 }), fc.integer({ min: 1, max: 5 }), async (plan, count) => {
      run += 1;
      const clock = fakeClock();
      const delivery = manualDelivery(rig, clock);
      const fate = [...plan];
      let unrecorded = false;
      const taken: string[] = [];
      const take = (id: string) => {
        if (!taken.includes(id)) taken.push(id);
      };
      delivery.registerDestination({
        prefix: 'ris:',
        deliver: async (item) => {
          const next = fate.shift() ?? 'delivered';
          unrecorded = next === 'unrecorded';
          if (next === 'retry') return { status: 'retry', reason: 'AR' };
          if (next === 'throws') throw new Error('reset');
          take(item.id);
          if (next === 'lost-answer') throw new Error('closed before the answer');
          return { status: 'delivered' };
        },
      });
      delivery.onOutcome(async (_item, result) => {
        if (unrecorded && result.status === 'delivered') throw new Error('conflict');
      });
      await startDelivery(delivery, clock);
      const ids: string[] = [];
      for (let n = 0; n < count; n += 1) {
        ids.push(await queue(delivery, rig, clock, { destination: `ris:p${run}` }));
      }
      for (let step = 0; step <= plan.length; step += 1) {
        await delivery.sweep();
        clock.advance(5 * 60_000);
      }
      await delivery.sweep();
      expect(taken).toEqual(ids);
      const mine = (await delivery.list('aa', ['delivered'])).filter((item) => item.destination === `ris:p${run}`);
      expect(mine.map((item) => item.id)).toEqual(ids);
      await delivery.stop();
    }),
    { numRuns: 20 },
  );
});

test('an outcome that could not be recorded at all does not hold the queue: the item is taken again under the same id', async () => {
  const clock = fakeClock();
  let broken = true;
  const store: Rig['store'] = {
    ...rig.store,
    transaction: (context, work) =>
      broken && context.interaction.startsWith('delivery:')
        ? Promise.reject(new Error('no connection in time'))
        : rig.store.transaction(context, work),
  };
  const delivery = manualDelivery({ ...rig, store }, clock);
  const ris = flakyDestination('ris:', () => ({ status: 'delivered' }));
  delivery.registerDestination(ris);
  await startDelivery(delivery, clock);
  const id = await queue(delivery, rig, clock, { destination: 'ris:held' });
  await delivery.sweep();
  expect(ris.tried.length).toBeGreaterThan(0);
  broken = false;
  await delivery.sweep();
  expect(ris.taken).toEqual([id]);
  expect((await delivery.list('aa', ['delivered'])).map((item) => item.id)).toContain(id);
  expect(await delivery.list('aa', ['queued', 'sending'])).toEqual([]);
  await delivery.stop();
});

test('more destinations than can be served at once are served as others end, without asking the database all the time', async () => {
  const clock = fakeClock();
  let looks = 0;
  const database: Rig['database'] = {
    ...rig.database,
    tenants: () => {
      looks += 1;
      return rig.database.tenants();
    },
  };
  const gate = Promise.withResolvers<void>();
  const slow = flakyDestination('slow:', async () => {
    await gate.promise;
    return { status: 'delivered' };
  });
  const delivery = createDelivery({ database, store: rig.store, clock, sweepEveryMs: 60_000 });
  delivery.registerDestination(slow);
  await startDelivery(delivery, clock);
  for (let n = 0; n < 20; n += 1) await queue(delivery, rig, clock, { destination: `slow:${n}` });
  await expect.poll(() => slow.tried.length).toBe(16);
  const before = looks;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(looks - before).toBeLessThan(5);
  gate.resolve();
  await expect.poll(() => slow.taken.length).toBe(20);
  await delivery.stop();
});

/** Connections the database will ask whether they live, by the kernel's table: the other side, and in how many seconds. */
function askedSoon(url: string): { peer: string; seconds: number }[] {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state, , timer]) => local?.endsWith(`:${port}`) && state === '01' && timer?.startsWith('02:'))
    .map(([, , peer = '', , , timer = '']) => ({ peer, seconds: Number.parseInt(timer.slice(3), 16) / 100 }));
}

test.runIf(process.platform === 'linux')(
  'the database notices within seconds that a worker’s machine is gone: it must not hold its queues for hours',
  async () => {
    const presence = await openPresence(rig.database.url, () => undefined);
    await expect.poll(() => askedSoon(rig.database.url).some(({ seconds }) => seconds <= 11)).toBe(true);
    await presence.close();
  },
);
