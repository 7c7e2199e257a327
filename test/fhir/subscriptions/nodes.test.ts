import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { asked, numbersIn, openReceiver, openRig, order, type Receiver, type Rig, told, topic } from './support.ts';

let rig: Rig;
let hook: Receiver;
const nodes: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  rig = await openRig();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
  await hook.close();
  for (const { id } of await rig.store.search('aa', 'Subscription', ''))
    await rig.store.transaction(rig.as('ris'), (tx) => tx.delete('Subscription', id!));
});
afterAll(() => rig.close());

async function node(options: Parameters<Rig['node']>[0] = {}) {
  const opened = await rig.node(options);
  nodes.push(opened);
  return opened;
}

const ask = (more: object = {}) =>
  asked(topic('request-received'), { endpoint: hook.url, content: 'empty', maxCount: 1, ...more });
async function asSuperuser(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: rig.database.adminUrl });
  await client.connect();
  await client.query(statement);
  await client.end();
}

const numbers = () => hook.received.flatMap(({ body }) => numbersIn(body));

test('what was committed by a node that stopped before delivering is delivered by the next, with the same numbers', async () => {
  hook = await openReceiver();
  await rig.activate(ask());
  const dying = await node();
  await dying.subscriptions.start();
  await dying.store.transaction(rig.as('ris'), (tx) => tx.create(order()));
  await dying.subscriptions.stop();
  expect(numbers()).toEqual([]);
  const next = await node();
  await next.subscriptions.start();
  await next.subscriptions.sweep();
  expect(numbers()).toEqual([1]);
});

test('a node that dies while sending is followed by another at once, and the event is sent again under its number', async () => {
  hook = await openReceiver();
  await rig.activate(ask());
  const dying = await node();
  await dying.subscriptions.start();
  await rig.write(order());
  let arrived: () => void = () => undefined;
  const sent = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let answer: (status: number) => void = () => undefined;
  hook.answer = () => {
    arrived();
    return new Promise<number>((resolve) => {
      answer = resolve;
    });
  };
  const hanging = dying.subscriptions.sweep();
  await sent;
  // While it is alive nobody else sends.
  await rig.subscriptions.sweep();
  expect(numbers()).toEqual([1]);
  // Its machine dies: PostgreSQL ends its session.
  await asSuperuser(
    `SELECT pg_terminate_backend(locks.pid) FROM pg_locks AS locks JOIN pg_stat_activity AS activity USING (pid)
     WHERE locktype = 'advisory' AND application_name = 'passerelle-subscriptions' AND activity.datname = current_database()`,
  );
  delete hook.answer;
  await rig.until(() => numbers().length === 2);
  expect(numbers()).toEqual([1, 1]);
  answer(200);
  await hanging;
  await rig.subscriptions.sweep();
  expect(numbers()).toEqual([1, 1]);
});

test('several nodes at once send each event once, in order', async () => {
  hook = await openReceiver();
  const all = [];
  for (let n = 0; n < 4; n++) {
    const one = await node();
    await one.subscriptions.start();
    all.push(one);
  }
  await rig.activate(ask());
  const writing = all.map(async ({ store }) => {
    for (let n = 0; n < 5; n++) await store.transaction(rig.as('ris'), (tx) => tx.create(order()));
  });
  const sweeping = all.map(async ({ subscriptions }) => {
    for (let n = 0; n < 8; n++) await subscriptions.sweep();
  });
  await Promise.all([...writing, ...sweeping]);
  await rig.until(() => numbers().length >= 20);
  await Promise.all(all.map(({ subscriptions }) => subscriptions.sweep()));
  expect(numbers()).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
});

test('a subscription made on one node is known to writers on another before it is active', async () => {
  hook = await openReceiver();
  const other = await node({ freshMs: 200 });
  // Its picture is fresh and empty.
  await other.store.transaction(rig.as('ris'), (tx) => tx.create(order()));
  const maker = await node({ freshMs: 200 });
  await maker.subscriptions.start();
  const { id } = await maker.store.transaction(rig.as('ris'), (tx) => tx.create(ask()));
  while ((await rig.status(id)) !== 'active') await maker.subscriptions.sweep();
  await other.store.transaction(rig.as('ris'), (tx) => tx.create(order()));
  await maker.subscriptions.sweep();
  expect(numbers()).toEqual([1]);
});

test('a running node delivers by itself what another committed, woken and not by its clock', async () => {
  hook = await openReceiver();
  await rig.activate(ask());
  const running = await node({ periodMs: 60_000 });
  await running.subscriptions.start();
  const writer = await node({ periodMs: 60_000 });
  await writer.subscriptions.start();
  const arrived = new Promise<void>((resolve) => {
    hook.answer = (request) => {
      if (told(request.body, 'type') === 'event-notification') resolve();
      return 200;
    };
  });
  await writer.store.transaction(rig.as('ris'), (tx) => tx.create(order()));
  await arrived;
});
