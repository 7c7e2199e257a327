import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readingClockOf } from '../../src/teleradiology/shell/case-clocks.ts';
import { person, readyCase, report, request, send, stateOf } from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const minuteMs = 60_000;
const told = async (id: string) =>
  (await world.store.search(tenant, 'Communication', 'category=deadline&_count=1000')).filter(
    (each) => each.about?.[0]?.reference === `Task/${id}`,
  );
const flags = async (id: string) => {
  const number = (await world.task(id)).identifier?.[0]?.value;
  return world.store.search(tenant, 'Flag', `identifier=${number}`);
};

describe('the deadline of a case', () => {
  it('is told at 50, 75 and 100 %, each once, however often the sweep runs', async () => {
    const { id } = await readyCase(world);
    const counts: number[] = [];
    for (const minutes of [28, 3, 0, 13, 3, 12, 10]) {
      world.clock.pass(minutes * minuteMs);
      await world.room.sweep();
      counts.push((await told(id)).length);
    }
    expect(counts).toEqual([0, 1, 1, 1, 2, 2, 3]);
    expect(await flags(id)).toMatchObject([{ status: 'active', code: { coding: [{ code: 'late' }] } }]);
    const late = await world.task(id);
    expect(readingClockOf(late)).toMatchObject({ late: true, rule: 'urgent-1h' });
    expect((await told(id)).every((each) => each.recipient?.[0]?.reference === 'Organization/passerelle-exemple')).toBe(
      true,
    );
  });

  it('is told once per threshold after downtime, by two servers that sweep at once', async () => {
    const cases = [];
    for (let index = 0; index < 4; index++) cases.push((await readyCase(world)).id);
    world.clock.pass(3 * 60 * minuteMs);
    const other = await world.anotherRoom();
    await Promise.all([world.room.sweep(), other.sweep(), world.room.sweep(), other.sweep()]);
    for (const id of cases) {
      expect(await told(id)).toHaveLength(3);
      expect(await flags(id)).toHaveLength(1);
    }
    expect(await world.room.sweep()).toBe(0);
  });

  it('is raised at start for the time the server was down', async () => {
    const { id } = await readyCase(world);
    world.clock.pass(2 * 60 * minuteMs);
    const restarted = await world.anotherRoom();
    await restarted.start();
    await restarted.stop();
    expect(await told(id)).toHaveLength(3);
  });

  it('is told to the radiologist who has the case', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    world.clock.pass(20 * minuteMs);
    await world.operate('radiologist', 'save-draft', id, { results: 'En cours' });
    world.clock.pass(11 * minuteMs);
    await world.room.sweep();
    expect(await told(id)).toMatchObject([
      {
        recipient: [{ reference: 'Practitioner/radiologue' }],
        payload: [{ contentString: expect.stringContaining('50 %') }],
      },
    ]);
  });

  it('is over with the signature: nothing more is told, and the flag comes down', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'phone-exchange', id, { summary: 'Appelé', with: 'Dr ALIX' });
    for (let passed = 0; passed < 60; passed += 20) {
      world.clock.pass(20 * minuteMs + 20_000);
      await world.operate('radiologist', 'save-draft', id, { results: `Lu depuis ${passed} min` });
    }
    await world.room.sweep();
    await world.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
    expect(await flags(id)).toMatchObject([{ status: 'inactive' }]);
    const inTime = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', inTime.id);
    await world.operate('radiologist', 'sign', inTime.id, { ...report, 'not-displayed-reason': 'Repérage' });
    world.clock.pass(48 * 60 * minuteMs);
    await world.room.sweep();
    expect(await told(inTime.id)).toHaveLength(0);
    expect(await told(id)).toHaveLength(3);
  });

  it('moves when the urgency is changed by the coordinator, and only theirs to change', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    const task = await world.task(id);
    expect(task.restriction?.period?.end).toMatch(/T06:00:00.000Z$/);
    const urgent = { ...task, priority: 'urgent' as const };
    await expect(world.store.transaction(world.as('requester'), (tx) => tx.update(urgent))).rejects.toMatchObject({
      status: 403,
    });
    await world.store.transaction(world.as('coordinator'), (tx) => tx.update(urgent));
    const period = (await world.task(id)).restriction?.period;
    expect(Date.parse(period?.end ?? '') - Date.parse(period?.start ?? '')).toBe(60 * minuteMs);
  });
});

describe('images that never come', () => {
  it('end the case after the days agreed, and the establishment is told', async () => {
    const { task } = await send(world, request(person()));
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
    world.clock.pass(30 * 24 * 60 * minuteMs + 1);
    await world.room.sweep();
    expect(stateOf(await world.task(task.id))).toBe('expired');
    const ended = await world.store.search(tenant, 'Communication', 'category=case-ended');
    expect(ended.filter((each) => each.about?.[0]?.reference === `Task/${task.id}`)).toMatchObject([
      { recipient: [{ reference: 'Organization/ch-exemple' }] },
    ]);
  });
});

describe('a due time that cannot be raised', () => {
  it('does not hold back the others, and is tried again later', async () => {
    const { id } = await readyCase(world);
    await world.database.query(
      tenant,
      `INSERT INTO due_time (tenant, case_id, kind, key, due_at, next_at)
       VALUES ($1, 'gone', 'clock', 'interpretation', $2, $2)`,
      [tenant, new Date(0)],
    );
    world.clock.pass(31 * minuteMs);
    await world.room.sweep();
    expect(await told(id)).toHaveLength(1);
    const { rows } = await world.database.query<{ failures: number; next_at: Date }>(
      tenant,
      `SELECT failures, next_at FROM due_time WHERE case_id = 'gone'`,
    );
    expect(rows[0]?.failures).toBe(1);
    expect(rows[0]?.next_at.getTime()).toBe(world.clock.now().getTime() + 2_000);
  });
});
