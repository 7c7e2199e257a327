/** Whatever is written of rotas, in whatever order, by operation or by plain write: the rows say what the Slots say, and what was told adds up. */
import type { Schedule, Slot } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { localParts } from '../../../src/teleradiology/rota/calendar.ts';
import { ask, certify, paris, partsOf, plan, publish, told, valueGiven } from '../support/staff.ts';
import { createWorld, tenant, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld('2026-10-01T08:00:00Z');
  for (const id of ['radiologue', 'radiologue-2']) await certify(world, id);
});
afterAll(() => world.close());

const readers = ['radiologue', 'radiologue-2'] as const;
const day = fc.integer({ min: 1, max: 28 }).map((number) => String(number).padStart(2, '0'));
const step = fc.oneof(
  fc.record({ kind: fc.constant('plan' as const), day, who: fc.constantFrom(...readers) }),
  fc.record({ kind: fc.constant('publish' as const) }),
  fc.record({ kind: fc.constantFrom('withdraw' as const, 'delete' as const, 'later' as const), at: fc.nat(20) }),
  fc.record({ kind: fc.constant('give' as const), at: fc.nat(20), who: fc.constantFrom(...readers) }),
  fc.record({ kind: fc.constant('time' as const), days: fc.integer({ min: 1, max: 9 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Each run has a month of its own, two months ahead of its beginning. */
const months = ['2026-12', '2027-01', '2027-02', '2027-03'];
let month = '';

/** Of the run's month; what others left is over, and stays. */
const slots = async () =>
  ((await world.store.search(tenant, 'Slot', '_sort=start,_id')) as (Slot & { id: string })[]).filter(({ start }) =>
    localParts(new Date(start), paris).day.startsWith(month),
  );

async function take(one: Step): Promise<unknown> {
  switch (one.kind) {
    case 'plan':
      return plan(world, `${month}-${one.day}`, '20:00', '08:00', one.who);
    case 'publish':
      return publish(world, month);
    case 'time':
      return world.clock.pass(one.days * 86_400_000);
  }
  const all = await slots();
  const slot = all[one.at % Math.max(1, all.length)];
  if (slot === undefined) return undefined;
  if (one.kind === 'give')
    return ask(world, 'coordinator', 'Slot/$swap', slot.id, { to: { reference: `Practitioner/${one.who}` } });
  return world.store.transaction(world.as('coordinator', 'update'), async (tx) => {
    if (one.kind === 'delete') return tx.delete('Slot', slot.id);
    if (one.kind === 'withdraw') return tx.update({ ...slot, status: 'entered-in-error' });
    const moved = (instant: string): string => new Date(Date.parse(instant) + 3_600_000).toISOString();
    return tx.update({ ...slot, start: moved(slot.start), end: moved(slot.end) });
  });
}

/** What the resources say, by FHIR alone. */
async function shown() {
  const schedules = new Map(
    ((await world.store.search(tenant, 'Schedule', '')) as Schedule[]).map((each) => [`Schedule/${each.id}`, each]),
  );
  const lines = [];
  for (const slot of await slots()) {
    if (slot.status === 'entered-in-error') continue;
    const schedule = schedules.get(slot.schedule.reference ?? '');
    const role = schedule?.actor.find(({ reference }) => reference?.startsWith('PractitionerRole/'))?.reference ?? '';
    const { practitioner } = await world.store.read(tenant, 'PractitionerRole', role.slice('PractitionerRole/'.length));
    lines.push({
      slot: `Slot/${slot.id}`,
      practitioner: practitioner?.reference,
      start: new Date(slot.start).toISOString(),
      end: new Date(slot.end).toISOString(),
      published: slot.status === 'busy' && schedule?.extension !== undefined,
    });
  }
  return lines.sort((a, b) => a.slot.localeCompare(b.slot));
}

let runs = 0;
it('holds for any sequence of writes, refused ones included', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 10 }), async (steps) => {
      const run = runs++;
      month = months[run % months.length] ?? '';
      world.clock.set(new Date(Date.UTC(2026, 9 + (run % months.length), 1, 8)).toISOString());
      for (const one of steps) {
        const before = (await told(world, 'rota-change')).length;
        const changes = Number(valueGiven(await rota(), 'changes'));
        await Promise.resolve(take(one)).catch((error: { status?: number }) => {
          // A refusal is an answer of the rules; anything else is a fault.
          if (error.status === undefined || error.status >= 500) throw error;
        });
        const view = await rota();
        const rows = partsOf(view, 'shift').map(({ slot, practitioner, start, end, published }) => ({
          slot,
          practitioner,
          start,
          end,
          published,
        }));
        expect(rows.sort((a, b) => String(a.slot).localeCompare(String(b.slot)))).toEqual(await shown());
        // Each change of a published shift is counted once and told once.
        expect(Number(valueGiven(view, 'changes')) - changes).toBe((await told(world, 'rota-change')).length - before);
      }
    }),
    { numRuns: months.length },
  );
});

const rota = () => ask(world, 'coordinator', 'Organization/$rota', 'ch-exemple', { month });
