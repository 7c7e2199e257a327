import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DeliveryResult } from '../../src/delivery/contract.ts';
import { type DeliveryRoom, deliveryGauges } from '../../src/delivery/index.ts';
import { systemContext } from '../../src/fhir/index.ts';
import { fakeClock, flakyDestination, manualDelivery, openRig, queue, type Rig, startDelivery } from './support.ts';

let rig: Rig;
const running: DeliveryRoom[] = [];
beforeAll(async () => {
  rig = await openRig();
});
afterEach(async () => {
  for (const delivery of running.splice(0)) await delivery.stop();
  await rig.database.query('aa', 'DELETE FROM outbox');
  await rig.database.query('bb', 'DELETE FROM outbox');
});
afterAll(() => rig.database.close());

async function room(clock = fakeClock()) {
  const delivery = manualDelivery(rig, clock);
  running.push(delivery);
  return { delivery, clock };
}

test('an item reaches its destination once its transaction is committed, with its id and what it is about', async () => {
  const { delivery, clock } = await room();
  const ris = flakyDestination('ris:', () => ({ status: 'delivered', evidence: 'MSA|AA' }));
  delivery.registerDestination(ris);
  await startDelivery(delivery, clock);
  const id = await queue(delivery, rig, clock, { destination: 'ris:ch', kind: 'report-mdm', focus: 'Task/7' });
  await delivery.sweep();
  expect(id).toMatch(/^[A-Z0-9]{20}$/);
  expect(ris.tried).toEqual([
    {
      tenant: 'aa',
      id,
      destination: 'ris:ch',
      kind: 'report-mdm',
      focus: 'Task/7',
      queuedAt: clock.now(),
      attempts: 1,
    },
  ]);
  const [item] = await delivery.list('aa', ['delivered']);
  expect(item).toMatchObject({ id, state: 'delivered', attempts: 1, evidence: 'MSA|AA', finishedAt: clock.now() });
});

test('a transaction that rolls back leaves nothing to send', async () => {
  const { delivery, clock } = await room();
  const ris = flakyDestination('ris:', () => ({ status: 'delivered' }));
  delivery.registerDestination(ris);
  await startDelivery(delivery, clock);
  const failing = rig.store.transaction(systemContext('aa', 'test', clock), async (tx) => {
    await delivery.enqueue(tx, { destination: 'ris:ch', kind: 'report-mdm', focus: 'Task/1' });
    throw new Error('signature refused');
  });
  await expect(failing).rejects.toThrow('signature refused');
  await delivery.sweep();
  expect(ris.tried).toEqual([]);
});

test('while the first item of a destination fails, those behind it wait and other destinations do not', async () => {
  const { delivery, clock } = await room();
  let up = false;
  const ris = flakyDestination('ris:', (item) =>
    item.destination === 'ris:down' && !up ? { status: 'retry', reason: 'unreachable' } : { status: 'delivered' },
  );
  delivery.registerDestination(ris);
  await startDelivery(delivery, clock);
  const first = await queue(delivery, rig, clock, { destination: 'ris:down' });
  const second = await queue(delivery, rig, clock, { destination: 'ris:down' });
  const other = await queue(delivery, rig, clock, { destination: 'ris:up' });
  await delivery.sweep();
  expect(ris.taken).toEqual([other]);
  expect(ris.tried.some((item) => item.id === second)).toBe(false);
  up = true;
  clock.advance(1_000);
  await delivery.sweep();
  expect(ris.taken).toEqual([other, first, second]);
});

test('a failed attempt is repeated only when its back-off has passed, and the wait doubles', async () => {
  const { delivery, clock } = await room();
  const ris = flakyDestination('ris:', () => ({ status: 'retry', reason: 'MSA|AR' }));
  delivery.registerDestination(ris);
  await startDelivery(delivery, clock);
  await queue(delivery, rig, clock, { destination: 'ris:ch' });
  await delivery.sweep();
  for (const waitMs of [1_000, 2_000, 4_000, 8_000]) {
    const before = ris.tried.length;
    clock.advance(waitMs - 1);
    await delivery.sweep();
    expect(ris.tried.length).toBe(before);
    clock.advance(1);
    await delivery.sweep();
    expect(ris.tried.length).toBe(before + 1);
  }
  const [item] = await delivery.list('aa', ['queued']);
  expect(item).toMatchObject({ attempts: 5, lastError: 'MSA|AR' });
});

test('a refused item is set aside visibly, the next goes on, and a replay sends it again under the same id', async () => {
  const { delivery, clock } = await room();
  let accept = false;
  const ris = flakyDestination('ris:', (item) =>
    item.focus === 'Task/bad' && !accept
      ? { status: 'failed', reason: 'unknown placer number', evidence: 'MSA|AE', payload: Buffer.from('MSH|') }
      : { status: 'delivered' },
  );
  delivery.registerDestination(ris);
  await startDelivery(delivery, clock);
  const bad = await queue(delivery, rig, clock, { destination: 'ris:ch', focus: 'Task/bad' });
  const good = await queue(delivery, rig, clock, { destination: 'ris:ch' });
  await delivery.sweep();
  expect(ris.taken).toEqual([good]);
  const [letter] = await delivery.list('aa', ['failed', 'dead']);
  expect(letter).toMatchObject({ id: bad, state: 'failed', lastError: 'unknown placer number', evidence: 'MSA|AE' });
  expect(await delivery.sentPayload('aa', bad)).toEqual(Buffer.from('MSH|'));
  expect(await delivery.backlog()).toContainEqual({ tenant: 'aa', queued: 0, deadLetters: 1, oldestAgeSeconds: 0 });
  accept = true;
  await delivery.replay('aa', bad);
  await delivery.sweep();
  expect(ris.taken).toEqual([good, bad]);
  await expect(delivery.replay('aa', bad)).rejects.toMatchObject({ status: 404 });
});

test('an item that cannot pass for seven days is given up, and the domain is told it failed', async () => {
  const { delivery, clock } = await room();
  const told: string[] = [];
  delivery.registerDestination(flakyDestination('ris:', () => ({ status: 'retry', reason: 'unreachable' })));
  delivery.onOutcome(async (_item, result) => {
    told.push(result.status);
  });
  await startDelivery(delivery, clock);
  const id = await queue(delivery, rig, clock, { destination: 'ris:ch' });
  await delivery.sweep();
  clock.advance(7 * 24 * 3_600_000);
  await delivery.sweep();
  expect(told).toEqual(['retry', 'failed']);
  expect((await delivery.list('aa', ['dead'])).map((item) => item.id)).toEqual([id]);
});

test('the outcome and its consequences are one transaction: when a hook refuses, nothing is recorded and the same id is sent again', async () => {
  const { delivery, clock } = await room();
  const ris = flakyDestination('ris:', () => ({ status: 'delivered' }));
  delivery.registerDestination(ris);
  let refuse = true;
  delivery.onOutcome(async (item, _result, tx) => {
    await tx.sql.query('UPDATE outbox SET kind = $2 WHERE tenant = current_tenant() AND id = $1', [item.id, 'told']);
    if (refuse) throw new Error('version conflict');
  });
  await startDelivery(delivery, clock);
  const id = await queue(delivery, rig, clock, { destination: 'ris:ch' });
  await delivery.sweep();
  const [item] = await delivery.list('aa', ['queued']);
  expect(item).toMatchObject({
    id,
    kind: 'report-mdm',
    lastError: 'the outcome (delivered) could not be recorded: Error',
  });
  refuse = false;
  clock.advance(1_000);
  await delivery.sweep();
  expect(ris.tried.map((tried) => tried.id)).toEqual([id, id]);
  expect(ris.taken).toEqual([id]);
  expect((await delivery.list('aa', ['delivered'])).map((done) => done.kind)).toEqual(['told']);
});

test('a destination nobody serves stays visible with its reason, without what the error said', async () => {
  const { delivery, clock } = await room();
  delivery.registerDestination(
    flakyDestination('mail:', () => {
      throw Object.assign(new Error('cannot send to MOREAU CAMILLE'), { code: 'ECONNREFUSED' });
    }),
  );
  await startDelivery(delivery, clock);
  await queue(delivery, rig, clock, { destination: 'fax:ch' });
  await queue(delivery, rig, clock, { destination: 'mail:ch' });
  await delivery.sweep();
  const items = await delivery.list('aa', ['queued']);
  expect(items.map((item) => item.lastError)).toEqual([
    'aucune voie d’envoi n’est paramétrée pour ce destinataire',
    'erreur interne (Error ECONNREFUSED)',
  ]);
});

test('the oldest age and the counts are there for supervision, and one tenant does not list the items of another', async () => {
  const { delivery, clock } = await room();
  await queue(delivery, rig, clock, { destination: 'ris:ch' });
  clock.advance(60_000);
  await queue(delivery, rig, clock, { destination: 'ris:ch', tenant: 'bb' });
  const values = await Promise.all(deliveryGauges(delivery).map((gauge) => gauge.read()));
  expect(values).toEqual([2, 0, 60]);
  expect(await delivery.list('bb', ['queued'])).toHaveLength(1);
});

test('what the domain writes for an outcome is stored with it', async () => {
  const { delivery, clock } = await room();
  delivery.registerDestination(flakyDestination('ris:', () => ({ status: 'delivered', evidence: 'MSA|AA' })));
  delivery.onOutcome(async (item, result, tx) => {
    await tx.create({ resourceType: 'Basic', code: { text: `${item.kind} ${result.status}` } });
  });
  await startDelivery(delivery, clock);
  await queue(delivery, rig, clock, { destination: 'ris:ch' });
  await delivery.sweep();
  const stored = await rig.store.search('aa', 'Basic', '');
  expect(stored.map((resource) => resource.code.text)).toEqual(['report-mdm delivered']);
});

test('reports that are held are not tried and hold up nothing, an answer leaves all the same, and they leave when released', async () => {
  const { delivery, clock } = await room();
  let up = false;
  const ris = flakyDestination('ris:', () =>
    up ? { status: 'delivered' } : { status: 'retry', reason: 'unreachable' },
  );
  delivery.registerDestination(ris);
  await startDelivery(delivery, clock);
  const held = await queue(delivery, rig, clock, { destination: 'ris:ch', kind: 'report-mdm', focus: 'Task/9' });
  await delivery.sweep();
  await rig.store.transaction(systemContext('aa', 'test', clock), (tx) => delivery.hold(tx, 'Task/9'));
  const answer = await queue(delivery, rig, clock, { destination: 'ris:ch', kind: 'request-answer', focus: 'Task/9' });
  const other = await queue(delivery, rig, clock, { destination: 'ris:ch', kind: 'report-mdm', focus: 'Task/10' });
  up = true;
  clock.advance(60_000);
  await delivery.sweep();
  expect(ris.taken).toEqual([answer, other]);
  expect((await delivery.list('aa', ['held'])).map(({ id }) => id)).toEqual([held]);
  await rig.store.transaction(systemContext('aa', 'test', clock), (tx) => delivery.release(tx, 'Task/9'));
  await delivery.sweep();
  expect(ris.taken).toEqual([answer, other, held]);
});

test('a report that is held while it is being sent waits too when that fails, and counts as sent when it does not', async () => {
  const { delivery, clock } = await room();
  const answers: DeliveryResult[] = [{ status: 'retry', reason: 'unreachable' }, { status: 'delivered' }];
  const hold = () => rig.store.transaction(systemContext('aa', 'test', clock), (tx) => delivery.hold(tx, 'Task/9'));
  let taken = 0;
  delivery.registerDestination({
    prefix: 'ris:',
    async deliver() {
      taken += 1;
      await hold();
      return answers[taken - 1] ?? { status: 'failed', reason: 'asked too often' };
    },
  });
  await startDelivery(delivery, clock);
  await queue(delivery, rig, clock, { destination: 'ris:ch', kind: 'report-mdm', focus: 'Task/9' });
  await delivery.sweep();
  expect(await delivery.list('aa', ['held'])).toHaveLength(1);
  clock.advance(60_000);
  await delivery.sweep();
  expect(taken).toBe(1);
  await rig.store.transaction(systemContext('aa', 'test', clock), (tx) => delivery.release(tx, 'Task/9'));
  await delivery.sweep();
  expect(await delivery.list('aa', ['delivered'])).toHaveLength(1);
});

test('a clock put back by hours holds up neither what waited for another attempt nor what stands behind it', async () => {
  const { delivery, clock } = await room();
  let isAway = true;
  const ris = flakyDestination('ris:', () =>
    isAway ? { status: 'retry', reason: 'away' } : { status: 'delivered', evidence: 'MSA|AA' },
  );
  delivery.registerDestination(ris);
  await startDelivery(delivery, clock);
  const first = await queue(delivery, rig, clock, { destination: 'ris:back', kind: 'report-mdm', focus: 'Task/1' });
  await delivery.sweep();
  expect(ris.tried).toHaveLength(1);
  isAway = false;
  clock.advance(-2 * 3_600_000);
  const second = await queue(delivery, rig, clock, { destination: 'ris:back', kind: 'report-mdm', focus: 'Task/2' });
  await delivery.sweep();
  expect(ris.taken).toEqual([first, second]);
});
