import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDelivery, type DeliveryRoom } from '../../../src/delivery/index.ts';
import { readyCase } from '../support/requests.ts';
import { createWorld, tenant, type World } from '../support/world.ts';

let world: World;
let delivery: DeliveryRoom;
beforeAll(async () => {
  world = await createWorld('2026-05-12T06:10:00Z', [], async ({ database, store, clock }) => {
    delivery = createDelivery({ database, store, clock, sweepEveryMs: 0 });
    return { delivery, mail: true };
  });
  await world.store.transaction(world.as('coordinator'), async (tx) => {
    for (const [type, id] of [
      ['Practitioner', 'radiologue'],
      ['Organization', 'passerelle-exemple'],
      ['Organization', 'ch-exemple'],
    ] as const)
      await tx.update({ ...(await tx.read(type, id)), telecom: [{ system: 'email', value: `${id}@example.fr` }] });
  });
});
afterAll(() => world.close());

it('every step of a late case leaves by e-mail too, in the transaction that raises it, once to whom it concerns', async () => {
  const { id } = await readyCase(world);
  for (const minutes of [31, 15, 16, 15, 45]) {
    world.clock.pass(minutes * 60_000);
    await Promise.all([world.room.sweep(), world.room.sweep()]);
  }
  const mails = (await delivery.list(tenant, ['queued']))
    .filter(({ destination, focus }) => destination.startsWith('mail:') && focus === `Task/${id}`)
    .map(({ destination, kind }) => `${kind} ${destination}`)
    .filter((each) => !each.startsWith('delivery-late'));
  const platform = 'mail:Organization/passerelle-exemple';
  expect(mails.sort()).toEqual(
    [
      `deadline-reminder ${platform}`,
      `deadline-reminder ${platform}`,
      `deadline-passed ${platform}`,
      `escalation ${platform}`,
      'escalation mail:Organization/ch-exemple',
    ].sort(),
  );
});
