/** The demonstration's hospital has somebody on duty at any instant of the month, once, whenever and however often it is started. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoPeople, practitionerOf } from '../../src/cli/demonstration/people.ts';
import { seedRota } from '../../src/cli/demonstration/rota.ts';
import { ask, asSystem, partsOf, valueGiven } from '../teleradiology/support/staff.ts';
import { createWorld, type World } from '../teleradiology/support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld('2026-11-22T08:00:00Z');
  await world.store.transaction(asSystem(world), async (tx) => {
    for (const person of demoPeople) await tx.update(practitionerOf(person));
  });
});
afterAll(() => world.close());

const seed = () => world.store.transaction(asSystem(world), (tx) => seedRota(tx, world.clock.now()));
const rota = (month: string) => ask(world, 'coordinator', 'Organization/$rota', 'ch-exemple', { month });

it('this month and, from the 20th on, the next, published in time and without a hole', async () => {
  await seed();
  await seed();
  for (const [month, shifts] of [
    ['2026-11', 93],
    ['2026-12', 96],
  ] as const) {
    const view = await rota(month);
    expect(valueGiven(view, 'late')).toBe(false);
    expect(partsOf(view, 'shift')).toHaveLength(shifts);
    expect(partsOf(view, 'warning').filter(({ code }) => code !== 'long-week')).toEqual([]);
  }
  const now = await ask(world, 'coordinator', 'Organization/$on-duty', 'ch-exemple');
  expect(partsOf(now, 'duty').map(({ kind }) => kind)).toEqual(['radiologist', 'coordinator', 'deputy-coordinator']);
  expect(partsOf(now, 'duty')[0]).toMatchObject({ phone: expect.stringMatching(/^01990000/) });
});
