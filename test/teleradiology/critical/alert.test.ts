import type { Communication, Organization, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDelivery, type DeliveryRoom } from '../../../src/delivery/index.ts';
import { systemContext } from '../../../src/fhir/index.ts';
import { outputs, readyCase, report, stateOf } from '../support/requests.ts';
import { createWorld, hospital, tenant, type World } from '../support/world.ts';

let world: World;
let delivery: DeliveryRoom;
const minuteMs = 60_000;
const finding = 'Hématome sous-dural aigu gauche';

beforeAll(async () => {
  world = await createWorld('2026-05-12T06:10:00Z', [], async ({ database, store, clock }) => {
    delivery = createDelivery({ database, store, clock, sweepEveryMs: 0 });
    // What the hospital and the mail server take.
    for (const prefix of ['ris:', 'mail:'])
      delivery.registerDestination({ prefix, deliver: async () => ({ status: 'delivered' }) });
    return { delivery, mail: true };
  });
  await delivery.start((name, interaction) => systemContext(name, interaction, world.clock));
  await world.store.transaction(world.as('coordinator', 'system:test'), async (tx) => {
    const mail = (id: string) => [{ system: 'email' as const, value: `${id}@example.fr` }];
    await tx.update({ resourceType: 'Organization', id: 'urgences', name: 'Urgences', telecom: mail('urgences') });
    await tx.update({ resourceType: 'Practitioner', id: 'directrice', name: [{ family: 'TEST' }] });
    const site = hospital([
      { url: 'criticalRecipient', valueReference: { reference: 'Organization/urgences' } },
      { url: 'criticalSupervisor', valueReference: { reference: 'Practitioner/directrice' } },
      { url: 'criticalHours', valueInteger: 4 },
    ]);
    await tx.update<Organization & { id: string }>({ ...site, telecom: mail('ch') });
    for (const id of ['demandeur', 'radiologue'])
      await tx.update({ ...(await tx.read('Practitioner', id)), telecom: mail(id) });
  });
});
afterAll(async () => {
  await delivery.stop();
  await world.close();
});

const inHand = async (): Promise<string> => {
  const { id } = await readyCase(world);
  await world.operate('radiologist', 'claim', id);
  return id;
};
const declare = (id: string, parameters: Record<string, string> = {}) =>
  world.operate('radiologist', 'declare-critical', id, { finding, ...parameters });

async function alertTask(id: string): Promise<Task> {
  const reference = outputs(await world.task(id), 'alert').at(-1)?.valueReference?.reference ?? '';
  return world.store.read(tenant, 'Task', reference.split('/')[1] ?? '');
}

/** Rounds of the alert, oldest first. */
async function rounds(id: string): Promise<Communication[]> {
  const { focus } = await world.task(id);
  const found = await world.store.search(tenant, 'Communication', `based-on=${focus?.reference}&_sort=sent`);
  return found.filter(({ category }) => category?.[0]?.coding?.[0]?.code === 'critical-result');
}
const toldTo = ({ recipient }: Communication) => recipient?.map(({ reference }) => reference);
const pass = async (minutes: number) => {
  world.clock.pass(minutes * minuteMs);
  await world.room.sweep();
};

describe('a critical result', () => {
  it('is told at once to who asked for the exam, then to one more each time nobody says it back', async () => {
    const id = await inHand();
    await declare(id);
    expect((await rounds(id)).map(toldTo)).toEqual([['Practitioner/demandeur']]);
    expect(await alertTask(id)).toMatchObject({
      status: 'in-progress',
      priority: 'stat',
      partOf: [{ reference: `Task/${id}` }],
      restriction: { period: { end: new Date(world.clock.now().getTime() + 15 * minuteMs).toISOString() } },
    });
    await pass(14);
    expect(await rounds(id)).toHaveLength(1);
    await pass(1);
    await pass(15);
    const [first, second, third] = await rounds(id);
    expect(toldTo(second!)).toEqual(['Practitioner/demandeur', 'Organization/urgences']);
    expect(toldTo(third!)).toEqual(['Practitioner/demandeur', 'Organization/urgences', 'Organization/ch-exemple']);
    for (const round of [first, second, third])
      expect(round).toMatchObject({ status: 'in-progress', priority: 'stat' });
  });

  it('is telephoned when the list is over, with the number, again and again, and the supervisor is told', async () => {
    const id = await inHand();
    await declare(id);
    for (let round = 0; round < 5; round++) await pass(15);
    const calls = (await rounds(id)).slice(3);
    expect(calls.map(toldTo)).toEqual([
      ['Organization/passerelle-exemple', 'Practitioner/radiologue'],
      ['Organization/passerelle-exemple', 'Practitioner/radiologue', 'Practitioner/directrice'],
      ['Organization/passerelle-exemple', 'Practitioner/radiologue', 'Practitioner/directrice'],
    ]);
    expect(calls[0]?.payload?.[0]?.contentString).toContain('téléphonez à l’établissement au 0556000000');
  });

  it('calls by e-mail each time, without a word of the result', async () => {
    const id = await inHand();
    await declare(id);
    await pass(15);
    const items = (await delivery.list(tenant, ['queued', 'delivered'])).filter(({ focus }) => focus === `Task/${id}`);
    const mails = items.filter(({ destination }) => destination.startsWith('mail:'));
    expect(mails.filter(({ kind }) => kind === 'critical-result').map(({ destination }) => destination)).toEqual([
      'mail:Practitioner/demandeur',
      'mail:Practitioner/demandeur',
      'mail:Organization/urgences',
    ]);
    const { rows } = await world.database.query(tenant, 'SELECT * FROM mail_notice WHERE tenant = $1 AND about = $2', [
      tenant,
      `Task/${id}`,
    ]);
    expect(JSON.stringify(rows)).not.toMatch(/hématome/i);
  });

  it('leaves hours or days where its category does', async () => {
    const id = await inHand();
    await declare(id, { category: 'hours' });
    const due = async () =>
      (Date.parse((await alertTask(id)).restriction?.period?.end ?? '') - world.clock.now().getTime()) / minuteMs;
    expect(await due()).toBe(4 * 60);
    expect(await alertTask(id)).toMatchObject({ priority: 'urgent' });
    const other = await inHand();
    await declare(other, { category: 'days' });
    expect((await alertTask(other)).restriction?.period?.end).toBe(
      new Date(world.clock.now().getTime() + 3 * 24 * 60 * minuteMs).toISOString(),
    );
    await expect(declare(other, { category: 'someday' })).rejects.toMatchObject({ status: 422 });
  });

  it('that a second finding joins is told anew to everybody in turn, as the more pressing of the two', async () => {
    const id = await inHand();
    await declare(id, { category: 'hours' });
    await pass(5);
    await declare(id, { finding: 'Engagement temporal' });
    expect(outputs(await world.task(id), 'alert')).toHaveLength(1);
    const all = await rounds(id);
    expect(all.map(({ status }) => status)).toEqual(['stopped', 'in-progress']);
    expect(toldTo(all[1]!)).toEqual(['Practitioner/demandeur']);
    expect(all[1]?.payload?.[0]?.contentString).toContain(`${finding} ; Engagement temporal`);
    expect(await alertTask(id)).toMatchObject({ priority: 'stat', status: 'in-progress' });
    await pass(15);
    expect((await rounds(id)).map(toldTo).at(-1)).toEqual(['Practitioner/demandeur', 'Organization/urgences']);
  });
});

describe('its acknowledgement', () => {
  const acknowledge = (
    who: 'requester' | 'technologist' | 'coordinator' | 'radiologist',
    id: string,
    parameters: Record<string, string>,
  ) => world.operate(who, 'acknowledge-critical', id, parameters);

  it('is somebody of the site saying it back under their own login; then nobody is told any more', async () => {
    const id = await inHand();
    await declare(id);
    await expect(acknowledge('requester', id, { 'read-back': 'Vu' })).rejects.toMatchObject({ status: 422 });
    await expect(acknowledge('requester', id, {})).rejects.toMatchObject({ status: 422 });
    expect((await alertTask(id)).status).toBe('in-progress');
    world.clock.pass(minuteMs);
    await acknowledge('requester', id, { 'read-back': 'Hématome sous-dural à gauche, je préviens le neurochirurgien' });
    const alert = await alertTask(id);
    expect(alert).toMatchObject({ status: 'completed', executionPeriod: { end: world.clock.now().toISOString() } });
    const [round] = await rounds(id);
    expect(round).toMatchObject({ status: 'completed', received: world.clock.now().toISOString() });
    const reference = outputs(alert, 'acknowledgement')[0]?.valueReference?.reference ?? '';
    expect(await world.store.read(tenant, 'Communication', reference.split('/')[1] ?? '')).toMatchObject({
      sender: { reference: 'Practitioner/demandeur' },
      inResponseTo: [{ reference: `Communication/${round?.id}` }],
    });
    for (let passed = 0; passed < 6; passed++) await pass(15);
    expect(await rounds(id)).toHaveLength(1);
    await expect(acknowledge('requester', id, { 'read-back': finding })).rejects.toMatchObject({ status: 422 });
  });

  it('on the telephone is recorded by the reader or a coordinator, with who answered at which number', async () => {
    for (const who of ['radiologist', 'coordinator'] as const) {
      const id = await inHand();
      await declare(id);
      await expect(acknowledge(who, id, { 'read-back': finding })).rejects.toMatchObject({ status: 422 });
      await acknowledge(who, id, {
        'read-back': finding,
        with: 'Mme Test, IDE des urgences',
        number: '05 56 00 00 09',
      });
      const reference = outputs(await alertTask(id), 'acknowledgement')[0]?.valueReference?.reference ?? '';
      const answer = await world.store.read(tenant, 'Communication', reference.split('/')[1] ?? '');
      expect(answer).toMatchObject({
        medium: [{ coding: [{ code: 'PHONE' }] }],
        extension: [{ extension: [{ valueString: 'Mme Test, IDE des urgences' }, { valueString: '05 56 00 00 09' }] }],
      });
    }
  });

  it('is not for people of another establishment, nor for a machine, nor without a critical result', async () => {
    const id = await inHand();
    await expect(acknowledge('requester', id, { 'read-back': finding })).rejects.toMatchObject({ status: 422 });
    await declare(id);
    await expect(world.operate('ris', 'acknowledge-critical', id, { 'read-back': finding })).rejects.toMatchObject({
      status: 403,
    });
    await expect(world.operate('quality', 'acknowledge-critical', id, { 'read-back': finding })).rejects.toMatchObject({
      status: 403,
    });
    await expect(world.operate('requester', 'declare-critical', id, { finding })).rejects.toMatchObject({
      status: 403,
    });
  });

  it('cannot be written around: neither the alert nor what it says is changed by a plain write', async () => {
    const id = await inHand();
    await declare(id);
    const alert = await alertTask(id);
    const [round] = await rounds(id);
    for (const who of ['requester', 'radiologist', 'coordinator'] as const) {
      await expect(
        world.store.transaction(world.as(who, 'update'), (tx) => tx.update({ ...alert, status: 'completed' })),
      ).rejects.toMatchObject({ status: 422 });
      await expect(
        world.store.transaction(world.as(who, 'update'), (tx) => tx.update({ ...round!, status: 'completed' })),
      ).rejects.toMatchObject({ status: 422 });
    }
  });
});

describe('a case', () => {
  it('is not closed while its critical result is open, whatever the hospital acknowledges; then it is', async () => {
    const id = await inHand();
    await declare(id);
    await world.operate('radiologist', 'phone-exchange', id, { summary: 'Appelé', with: 'Dr ALIX' });
    await world.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
    expect(world.built.at(-1)?.text.conclusion).toMatch(
      /^Normal\nRésultat critique signalé le .*Accusé de prise en compte attendu\.$/,
    );
    await delivery.sweep();
    expect(stateOf(await world.task(id))).toBe('delivering');
    expect(outputs(await world.task(id), 'acknowledgement')).toHaveLength(1);
    await pass(15);
    expect(await rounds(id)).toHaveLength(2);
    await world.operate('technologist', 'acknowledge-critical', id, { 'read-back': finding });
    expect(stateOf(await world.task(id))).toBe('delivered');
  });

  it('says who was told, when and how, in words', async () => {
    const { criticalStatements } = await import('../../../src/teleradiology/critical/index.ts');
    const id = await inHand();
    const statements = async () =>
      world.store.transaction(world.as('radiologist', 'system:test'), async (tx) =>
        criticalStatements(tx, (await tx.read('Task', id)) as Task & { id: string }),
      );
    expect(await statements()).toEqual([]);
    await declare(id);
    expect((await statements())[0]).toMatch(
      /^Résultat critique signalé le .* : Hématome sous-dural aigu gauche\. Accusé de prise en compte attendu\.$/,
    );
    await world.operate('radiologist', 'acknowledge-critical', id, {
      'read-back': finding,
      with: 'Dr ALIX',
      number: '0556000001',
    });
    expect((await statements())[0]).toContain(
      'résultat critique redit par Dr ALIX (par téléphone, 0556000001) : Hématome',
    );
  });
});
