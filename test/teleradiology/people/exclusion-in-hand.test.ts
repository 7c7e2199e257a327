/** A reader excluded while they hold a case loses it at once, and a colleague takes it (CM-5). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readyCase, stateOf } from '../support/requests.ts';
import { ask, textsOf, told } from '../support/staff.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const exclude = () =>
  ask(world, 'coordinator', 'Organization/$exclude', 'ch-exemple', {
    practitioner: { reference: 'Practitioner/radiologue' },
    reason: 'Décision de la direction',
  });

it('releases what they read, suspended cases too, and leaves alone what is signed or another’s', async () => {
  const [first, second, others] = [await readyCase(world), await readyCase(world), await readyCase(world)];
  await world.operate('radiologist', 'claim', first.id);
  await world.operate('radiologist', 'claim', second.id);
  await world.operate('radiologist', 'suspend', second.id, { reason: 'Avis demandé' });
  await world.operate('other-radiologist', 'claim', others.id);
  await exclude();
  for (const { id } of [first, second]) {
    const task = await world.task(id);
    expect(stateOf(task)).toBe('ready');
    expect(task.owner).toBeUndefined();
  }
  expect(stateOf(await world.task(others.id))).toBe('reading');
  expect(textsOf(await told(world, 'reader-exclusion'))[0]).toContain('2 dossiers rendus à la liste');
  await world.operate('other-radiologist', 'claim', first.id);
  expect((await world.task(first.id)).owner?.reference).toBe('Practitioner/radiologue-2');
});

it('takes back half a minute later what they were taking at the very instant', async () => {
  await ask(world, 'coordinator', 'Organization/$reinstate', 'ch-exemple', {
    practitioner: { reference: 'Practitioner/radiologue' },
  });
  const { id } = await readyCase(world);
  let finish = (): void => undefined;
  const meanwhile = new Promise<void>((resolve) => {
    finish = resolve;
  });
  // The exclusion has looked for cases, and is not committed yet, when the claim is decided and stored.
  const excluding = world.store.transaction(world.as('coordinator', 'operation:Organization/$exclude'), async (tx) => {
    const operation = world.store.operations.find(({ name }) => name === 'exclude')!;
    await operation.run({
      tx,
      id: 'ch-exemple',
      parameters: {
        resourceType: 'Parameters',
        parameter: [
          { name: 'practitioner', valueReference: { reference: 'Practitioner/radiologue' } },
          { name: 'reason', valueString: 'Encore' },
        ],
      },
      base: '',
      query: '',
      authorize: () => undefined,
      isAllowed: () => true,
    });
    await meanwhile;
  });
  await world.operate('radiologist', 'claim', id);
  finish();
  await excluding;
  expect(stateOf(await world.task(id))).toBe('reading');
  world.clock.pass(31_000);
  await world.room.sweep();
  expect(stateOf(await world.task(id))).toBe('ready');
});
