import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSweep } from '../../../src/teleradiology/clock/index.ts';
import { clocksOf } from '../../../src/teleradiology/shell/case-clocks.ts';
import { person, readyCase, request, send } from '../support/requests.ts';
import { createWorld, tenant, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const minuteMs = 60_000;
const told = async (id: string) =>
  (await world.store.search(tenant, 'Communication', '_count=1000'))
    .filter((each) => each.about?.[0]?.reference === `Task/${id}`)
    .map((each) => `${each.category?.[0]?.coding?.[0]?.code} ${each.payload?.[0]?.contentString}`);

describe('after downtime', () => {
  it('every step that fell is raised once, at once, each saying how late it is, by ten servers that race', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) ids.push((await readyCase(world)).id);
    const servers = [world.room, ...(await Promise.all(Array.from({ length: 9 }, () => world.anotherRoom())))];
    world.clock.pass(80 * minuteMs);
    await Promise.all(servers.map((server) => server.sweep()));
    for (const id of ids) {
      const messages = await told(id);
      expect(messages.filter((each) => each.startsWith('deadline Délai dépassé de'))).toHaveLength(3);
      expect(messages.filter((each) => each.startsWith('escalation Interprétation : délai dépassé de'))).toHaveLength(
        1,
      );
      expect(clocksOf(await world.task(id)).find(({ name }) => name === 'interpretation')?.late).toBe(true);
    }
    world.clock.pass(60 * minuteMs);
    await Promise.all(servers.map((server) => server.sweep()));
    for (const id of ids) expect((await told(id)).filter((each) => each.startsWith('escalation'))).toHaveLength(2);
    expect(await world.room.sweep()).toBe(0);
  });

  it('a case whose every escalation was in vain is told again, once however long the silence was, by ten servers that race', async () => {
    const { id } = await readyCase(world);
    const servers = [world.room, ...(await Promise.all(Array.from({ length: 9 }, () => world.anotherRoom())))];
    const repeated = async (minutes: number) => {
      world.clock.pass(minutes * minuteMs);
      await Promise.all(servers.map((server) => server.sweep()));
      return (await told(id)).filter((each) => each.startsWith('escalation Rappel'));
    };
    // The reading of an emergency is due after 60 minutes; the establishment is told an hour after that, and all of them an hour later.
    expect(await repeated(121)).toEqual([]);
    expect(await repeated(59)).toEqual([]);
    expect(await repeated(2)).toEqual([
      expect.stringContaining('Rappel 1. Interprétation : délai dépassé de 2 h 2 min'),
    ]);
    expect(await repeated(118)).toHaveLength(1);
    expect(await repeated(2)).toHaveLength(2);
    // Three days nobody's server ran: one message, and the next a wait later.
    expect(await repeated(72 * 60)).toHaveLength(3);
    expect(await repeated(8 * 60 - 1)).toHaveLength(3);
    expect(await repeated(2)).toHaveLength(4);
    const [last] = (
      await world.store.search(tenant, 'Communication', 'category=escalation&_sort=-sent&_count=10')
    ).filter((each) => each.about?.[0]?.reference === `Task/${id}`);
    expect(last?.recipient?.map(({ reference }) => reference)).toEqual([
      'Organization/passerelle-exemple',
      'Organization/ch-exemple',
    ]);
    // The state changes, and with it what waits: the clock of the reading is told no more.
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'interrupt', id, { reason: 'Examen refait ailleurs' });
    expect(await repeated(48 * 60)).toHaveLength(4);
  });

  it('a step that was raised before the crash is not repeated when the rest is', async () => {
    const { id } = await readyCase(world);
    world.clock.pass(31 * minuteMs);
    await world.room.sweep();
    world.clock.pass(40 * minuteMs);
    await (await world.anotherRoom()).sweep();
    const deadlines = (await told(id)).filter((each) => each.startsWith('deadline'));
    expect(deadlines.filter((each) => each.includes('50 %'))).toHaveLength(1);
    expect(deadlines).toHaveLength(3);
  });
});

describe('a case from before there were several clocks', () => {
  it('gains those that should run when it is looked at for the first time', async () => {
    const { task } = await send(world, request(person()));
    const stored = await world.task(task.id);
    const { extension = [], ...rest } = stored;
    const old = { ...rest, extension: extension.filter(({ url }) => !url.endsWith('/clock')) };
    await world.database.transaction(tenant, async (sql) => {
      await sql.query('UPDATE fhir.task SET content = $3 WHERE tenant = $1 AND id = $2', [
        tenant,
        task.id,
        JSON.stringify(old),
      ]);
      await sql.query(
        `UPDATE due_time SET key = '', next_at = $3 WHERE tenant = $1 AND case_id = $2 AND kind = 'clock'`,
        [tenant, task.id, world.clock.now()],
      );
    });
    expect(clocksOf(await world.task(task.id))).toEqual([]);
    await world.room.sweep();
    expect(clocksOf(await world.task(task.id))).toMatchObject([{ name: 'protocol', started: world.clock.now() }]);
    world.clock.pass(31 * minuteMs);
    await world.room.sweep();
    expect((await told(task.id)).filter((each) => each.startsWith('waiting Aucun protocole'))).toHaveLength(1);
  });
});

describe('in the nights when the hour changes', () => {
  const reminders = async (id: string) => (await told(id)).filter((each) => each.startsWith('deadline'));

  it.each([
    ['2026-10-24T20:00:00Z', '2026-10-25T07:00:00.000Z', 11],
    ['2027-03-27T20:00:00Z', '2027-03-28T06:00:00.000Z', 10],
  ])('a routine exam of %s is due at 08:00 and reminded at parts of the real delay', async (evening, due, hours) => {
    world.clock.set(evening);
    const { id } = await readyCase(world, { encounterClass: 'O' });
    const clock = clocksOf(await world.task(id)).find(({ name }) => name === 'interpretation');
    expect(clock?.due.toISOString()).toBe(due);
    const half = clock!.started.getTime() + (Date.parse(due) - clock!.started.getTime()) / 2;
    expect(Math.round((Date.parse(due) - Date.parse(evening)) / 3_600_000)).toBe(hours);
    world.clock.set(new Date(half - 1_000).toISOString());
    await world.room.sweep();
    expect(await reminders(id)).toEqual([]);
    world.clock.set(new Date(half + 1_000).toISOString());
    await world.room.sweep();
    expect(await reminders(id)).toEqual([expect.stringContaining('50 % du délai écoulés')]);
  });
});

describe('the cost of a sweep', () => {
  it('is what is due: it reads one index entry for each, and none of ten thousand clocks that still run', async () => {
    await world.database.query(
      tenant,
      `INSERT INTO due_time (tenant, case_id, kind, key, due_at, next_at)
       SELECT $1, 'open-' || n, 'clock', 'interpretation', at, at
       FROM generate_series(1, 10000) AS n, LATERAL (SELECT $2::timestamptz + n * interval '1 minute' AS at) AS later`,
      [tenant, new Date(world.clock.now().getTime() + 24 * 60 * minuteMs)],
    );
    // Autovacuum may have counted the table before: then the planner would look at what is not there any more.
    const owner = new pg.Client({ connectionString: world.database.adminUrl });
    await owner.connect();
    await owner.query('ANALYZE due_time');
    await owner.end();
    await world.database.transaction(tenant, async (sql) => {
      const { rows } = await sql.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF)
         SELECT case_id, kind, key, due_at FROM due_time
         WHERE tenant = $1 AND fired_at IS NULL AND next_at <= $2 ORDER BY next_at LIMIT 200`,
        [tenant, world.clock.now()],
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('due_time_pending');
      expect(plan).not.toMatch(/Seq Scan|Rows Removed by Filter: [1-9]/);
    });
    const statements: unknown[] = [];
    const counted = createSweep(
      {
        store: world.store,
        clock: world.clock,
        log: { info: () => undefined, warn: () => undefined, error: () => undefined },
        database: {
          ...world.database,
          tenants: async () => [tenant],
          query: (...args: Parameters<typeof world.database.query>) => {
            statements.push(args[1]);
            return world.database.query(...args);
          },
        } as typeof world.database,
      },
      async () => undefined,
    );
    expect(await counted.sweep()).toBe(0);
    expect(statements).toHaveLength(1);
  });
});
