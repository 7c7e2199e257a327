import type { Contract, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clocksOf, pausedMsOf, readingClockOf, runningOf } from '../../../src/teleradiology/shell/case-clocks.ts';
import { person, readyCase, report, request, send, stateOf } from '../support/requests.ts';
import { createWorld, tenant, type World } from '../support/world.ts';
import { band, type Clause, contractOf, escalation, minutes, reminder, setting, urgency } from './contracts.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const minuteMs = 60_000;
const later = async (by: number): Promise<void> => {
  world.clock.pass(by * minuteMs);
  await world.room.sweep();
};
const messages = async (id: string, category: string) =>
  (await world.store.search(tenant, 'Communication', `category=${category}&_count=1000`)).filter(
    (each) => each.about?.[0]?.reference === `Task/${id}`,
  );
const agree = (contract: Contract) => world.store.transaction(world.as('coordinator'), (tx) => tx.create(contract));
const retire = (contract: Contract & { id: string }) =>
  world.store.transaction(world.as('coordinator'), (tx) => tx.update({ ...contract, status: 'terminated' }));
const names = (task: Task) => runningOf(task).map(({ name }) => name);

describe("a coordinator's contract", () => {
  it('decides the delay of the cases whose clock starts from then on, and the case shows the clause and why', async () => {
    const before = await readyCase(world);
    const contract = await agree(
      contractOf([
        { rule: 'night', clock: 'interpretation', parts: [band('night'), minutes(20)], text: 'Nuit' },
        {
          rule: 'day',
          clock: 'interpretation',
          parts: [urgency('urgent'), band('day'), minutes(40)],
          text: 'Urgence de jour',
        },
      ]),
    );
    const { id } = await readyCase(world);
    const task = await world.task(id);
    const clock = readingClockOf(task);
    expect(clock).toMatchObject({ rule: 'day', why: 'Urgence de jour (urgent, jour de semaine) : 40 min, contrat.' });
    expect(clock?.contract).toBe(`Contract/${contract.id}/_history/1`);
    expect(task.restriction?.period?.end).toBe(new Date(clock!.started.getTime() + 40 * minuteMs).toISOString());
    expect(readingClockOf(await world.task(before.id))).toMatchObject({ rule: 'urgent-1h' });
    const amendment = await agree(
      contractOf([{ rule: 'amended', clock: 'interpretation', parts: [setting('emergency'), minutes(15)] }]),
    );
    expect(readingClockOf(await world.task((await readyCase(world)).id))).toMatchObject({ rule: 'amended' });
    await retire(amendment);
    await retire(contract);
    expect(readingClockOf(await world.task((await readyCase(world)).id))).toMatchObject({ rule: 'urgent-1h' });
  });

  it('with a clause that cannot be applied is refused, each mistake at its element', async () => {
    const wrong: Clause = { rule: 'x', clock: 'interpretation', parts: [minutes(5), setting('garage')] };
    await expect(agree(contractOf([wrong]))).rejects.toMatchObject({
      status: 422,
      outcome: {
        issue: [{ expression: ['Contract.term[0]'], details: { text: expect.stringContaining('inpatient') } }],
      },
    });
    await expect(
      agree(contractOf([{ ...wrong, parts: [minutes(5)] }], { subject: [{ reference: 'Practitioner/radiologue' }] })),
    ).rejects.toMatchObject({ status: 400 });
    const { meta: _profile, subject: _subject, ...undeclared } = contractOf([{ ...wrong, parts: [minutes(5)] }]);
    await expect(agree(undeclared)).rejects.toMatchObject({
      status: 422,
      outcome: { issue: [{ expression: ['Contract.subject'] }] },
    });
  });

  it('says who is reminded when, and to whom it escalates: each once, to owner, coordinators and establishment', async () => {
    const contract = await agree(
      contractOf([
        {
          rule: 'strict',
          clock: 'interpretation',
          parts: [
            minutes(100),
            reminder(90),
            escalation('owner', 5),
            escalation('coordinator', 10),
            escalation('site', 20),
          ],
        },
      ]),
    );
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    for (let passed = 0; passed < 120; passed += 4) {
      await world.operate('radiologist', 'save-draft', id, { results: `à ${passed} min` });
      await later(4);
    }
    await later(2);
    expect((await messages(id, 'deadline')).map(({ payload }) => payload?.[0]?.contentString)).toEqual([
      expect.stringContaining('90 %'),
    ]);
    const steps = (await messages(id, 'escalation')).sort((a, b) => ((a.sent ?? '') < (b.sent ?? '') ? -1 : 1));
    expect(steps.map(({ recipient }) => recipient?.[0]?.reference)).toEqual([
      'Practitioner/radiologue',
      'Organization/passerelle-exemple',
      'Organization/ch-exemple',
    ]);
    await retire(contract);
  });
});

describe('the clocks of a case', () => {
  it('follow its course: each runs while its state lasts, and stays on the case when it stopped', async () => {
    const { task } = await send(world, request(person()));
    expect(names(task)).toEqual(['protocol']);
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
    const protocoled = await world.task(task.id);
    expect(names(protocoled)).toEqual(['images', 'expiry']);
    expect(clocksOf(protocoled).find(({ name }) => name === 'protocol')).toMatchObject({ late: false });
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    expect(names(await world.task(id))).toEqual(['interpretation', 'lease']);
    await world.operate('radiologist', 'phone-exchange', id, { summary: 'Appelé', with: 'Dr ALIX' });
    await world.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
    const signed = await world.task(id);
    expect(names(signed)).toEqual(['delivery']);
    expect(clocksOf(signed).map(({ name }) => name)).not.toContain('lease');
    expect(readingClockOf(signed)).toMatchObject({ late: false, stopped: world.clock.now() });
    await world.outcome(world.queued.at(-1)!, { status: 'delivered', evidence: 'MSA|AA|1' });
    expect(names(await world.task(id))).toEqual([]);
    const { rows } = await world.database.query(tenant, `SELECT FROM due_time WHERE case_id = $1 AND kind = 'clock'`, [
      id,
    ]);
    expect(rows).toHaveLength(0);
  });

  it('are late when they stop after their deadline, also if no sweep saw it', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    world.clock.pass(48 * 60 * minuteMs);
    await world.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
    expect(readingClockOf(await world.task(id))).toMatchObject({ late: true });
  });
});

describe('the clock of a critical result', () => {
  it('is as long as its category says, shorter once a graver one joins it, and stops when it is said back', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const declare = (category: string) =>
      world.operate('radiologist', 'declare-critical', id, { finding: 'Pneumothorax', category });
    const clock = async () => clocksOf(await world.task(id)).findLast(({ name }) => name === 'critical');
    await declare('hours');
    const hours = await clock();
    expect(hours).toMatchObject({
      rule: 'critical-hours',
      due: new Date(world.clock.now().getTime() + 360 * minuteMs),
    });
    world.clock.pass(minuteMs);
    await declare('immediate');
    const immediate = await clock();
    expect(immediate).toMatchObject({ rule: 'critical-15min', started: hours!.started });
    expect(immediate!.due.getTime() - hours!.started.getTime()).toBe(15 * minuteMs);
    await later(16);
    expect(await clock()).toMatchObject({ late: true });
    await world.operate('requester', 'acknowledge-critical', id, { 'read-back': 'Pneumothorax' });
    expect(await clock()).toMatchObject({ stopped: world.clock.now() });
  });
});

describe('while the establishment owes an answer', () => {
  it('the net clock rests and the legal one does not; both are on the case, and every pause is counted', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    const legal = (await world.task(id)).restriction?.period?.end;
    for (const wait of [10, 25]) {
      await world.operate('radiologist', 'ask', id, { question: 'Créatinine ?' });
      const asked = readingClockOf(await world.task(id));
      expect(asked?.pausedSince).toEqual(world.clock.now());
      world.clock.pass(wait * minuteMs);
      expect(pausedMsOf(asked!, world.clock.now()) - asked!.pausedMs).toBe(wait * minuteMs);
      await world.operate('requester', 'answer', id, { answer: '80 µmol/L' });
    }
    const task = await world.task(id);
    expect(readingClockOf(task)).toMatchObject({ pausedMs: 35 * minuteMs });
    expect(readingClockOf(task)?.pausedSince).toBeUndefined();
    expect(task.restriction?.period?.end).toBe(legal);
  });
});

describe('a case in hand on which nobody works any more', () => {
  it('is released: its reader is warned, then told with the coordinators, and another may claim it', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await later(25);
    expect(await messages(id, 'waiting')).toMatchObject([{ recipient: [{ reference: 'Practitioner/radiologue' }] }]);
    await later(6);
    expect(stateOf(await world.task(id))).toBe('ready');
    expect((await world.task(id)).owner).toBeUndefined();
    expect(await messages(id, 'lease-ended')).toMatchObject([
      { recipient: [{ reference: 'Practitioner/radiologue' }, { reference: 'Organization/passerelle-exemple' }] },
    ]);
    await world.operate('other-radiologist', 'claim', id);
    expect((await world.task(id)).owner?.reference).toBe('Practitioner/radiologue-2');
  });

  it('is kept for the whole lease again when the platform was away: its reader could not give a sign of life', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await later(90);
    expect(stateOf(await world.task(id))).toBe('reading');
    expect(await messages(id, 'waiting')).toEqual([]);
    await later(25);
    expect(await messages(id, 'waiting')).toMatchObject([{ recipient: [{ reference: 'Practitioner/radiologue' }] }]);
    await later(6);
    expect(stateOf(await world.task(id))).toBe('ready');
  });

  it('is kept by every sign of life of its reader, and by nobody else', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    for (let visit = 0; visit < 4; visit++) {
      await later(20);
      await world.operate('radiologist', 'displayed', id, { series: ['1.1'] });
    }
    expect(stateOf(await world.task(id))).toBe('reading');
    await later(20);
    await world.operate('other-radiologist', 'phone-exchange', id, { summary: 'Appelé', with: 'Dr ALIX' });
    await later(11);
    expect(stateOf(await world.task(id))).toBe('ready');
  });
});
