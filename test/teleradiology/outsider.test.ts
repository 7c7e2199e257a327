import type { Parameters, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readyCase, stateOf } from './support/requests.ts';
import { createWorld, type Who, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** An operation by somebody whom these establishments accepted. */
async function operate(who: Who, name: string, id: string, establishments: string[]): Promise<Task> {
  const operation = world.store.operations.find((each) => each.name === name && each.type === 'Task')!;
  const context = { ...world.as(who, `operation:Task/$${name}`), establishments };
  const parameters: Parameters = { resourceType: 'Parameters' };
  return world.store.transaction(context, (tx) =>
    operation.run({
      tx,
      id,
      parameters,
      base: 'http://localhost/fhir',
      query: '',
      authorize: () => undefined,
      isAllowed: () => true,
    }),
  ) as Promise<Task>;
}

it('a case of an establishment that did not accept the radiologist is not claimed, whatever opened it to be read', async () => {
  const { id } = await readyCase(world);
  const refused = operate('radiologist', 'claim', id, ['autre-hopital']);
  await expect(refused).rejects.toMatchObject({
    status: 403,
    outcome: { issue: [{ expression: ['Task.requester'] }] },
  });
  const { owner } = await world.task(id);
  expect(owner).toBeUndefined();
  const put = world.store.transaction(
    { ...world.as('radiologist', 'update'), establishments: ['autre-hopital'] },
    async (tx) => {
      const task = await tx.read('Task', id);
      const coding = [{ ...task.businessStatus!.coding![0]!, code: 'reading' }];
      return tx.update({
        ...task,
        businessStatus: { coding },
        status: 'in-progress',
        owner: { reference: 'Practitioner/radiologue' },
      });
    },
  );
  await expect(put).rejects.toMatchObject({ status: 403 });
  expect(stateOf(await operate('radiologist', 'claim', id, ['autre-hopital', 'ch-exemple']))).toBe('reading');
});

it('who has a case in hand, however it came to them, can give it back', async () => {
  const { id } = await readyCase(world);
  await operate('radiologist', 'claim', id, ['ch-exemple']);
  expect(stateOf(await operate('radiologist', 'release', id, ['autre-hopital']))).toBe('ready');
});
