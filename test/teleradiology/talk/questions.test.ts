import type { Communication, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDelivery, type DeliveryRoom } from '../../../src/delivery/index.ts';
import { fresh, outputs, person, request, send, stateOf } from '../support/requests.ts';
import { createWorld, tenant, type World } from '../support/world.ts';

let world: World;
let delivery: DeliveryRoom;
beforeAll(async () => {
  world = await createWorld('2026-05-12T06:10:00Z', [], async ({ database, store, clock }) => {
    delivery = createDelivery({ database, store, clock, sweepEveryMs: 0 });
    return { delivery, mail: true };
  });
  await world.store.transaction(world.as('coordinator', 'system:test'), async (tx) => {
    for (const [type, id] of [
      ['Practitioner', 'demandeur'],
      ['Practitioner', 'radiologue'],
      ['Organization', 'ch-exemple'],
    ] as const) {
      const party = await tx.read(type, id);
      await tx.update({ ...party, telecom: [{ system: 'email', value: `${id}@example.fr` }] });
    }
  });
});
afterAll(() => world.close());

const openCase = async () => (await send(world, request(person(), {}, `DEM-${fresh()}`))).task;
/** E-mails that wait for the mail server, of one case. */
const mails = async (task: Task) =>
  (await delivery.list(tenant, ['queued']))
    .filter(({ destination, focus }) => destination.startsWith('mail:') && focus === `Task/${task.id}`)
    .map(({ destination, kind }) => `${kind} ${destination}`);

async function talk(task: Task): Promise<Communication[]> {
  const found = await world.store.search(tenant, 'Communication', `based-on=${task.focus?.reference}&_sort=sent,_id`);
  return found.filter(({ category }) => ['question', 'answer'].includes(category?.[0]?.coding?.[0]?.code ?? ''));
}

describe('a question to the site', () => {
  it('is a message of the chat that the case waits for, and calls who can answer by e-mail', async () => {
    const task = await openCase();
    await world.operate('radiologist', 'ask', task.id, { question: 'Quelle est la créatinine ?' });
    const asked = await world.task(task.id);
    expect(stateOf(asked)).toBe('information-wanted');
    const [question] = await talk(task);
    expect(outputs(asked, 'question')[0]?.valueReference?.reference).toBe(`Communication/${question?.id}`);
    expect(question).toMatchObject({
      sender: { reference: 'Practitioner/radiologue' },
      payload: [{ contentString: 'Quelle est la créatinine ?' }],
      priority: 'urgent',
    });
    expect(await mails(task)).toEqual([
      'question mail:Organization/ch-exemple',
      'question mail:Practitioner/demandeur',
    ]);
  });

  it('is answered in its thread; who asked is called', async () => {
    const task = await openCase();
    await world.operate('radiologist', 'ask', task.id, { question: 'Poids ?' });
    world.clock.pass(60_000);
    await world.operate('radiologist', 'ask', task.id, { question: 'Allergie ?' });
    world.clock.pass(60_000);
    await world.operate('technologist', 'answer', task.id, { answer: '70 kg, aucune.' });
    const [first, second, answer] = await talk(task);
    expect(answer).toMatchObject({
      sender: { reference: 'Practitioner/manipulateur' },
      inResponseTo: [{ reference: `Communication/${first?.id}` }],
      partOf: [{ reference: `Communication/${first?.id}` }],
    });
    expect(second?.partOf).toBeUndefined();
    const answered = await world.task(task.id);
    expect(outputs(answered, 'question')).toEqual([]);
    expect(stateOf(answered)).toBe('protocol-wanted');
    expect((await mails(task)).slice(4)).toEqual(['answer mail:Practitioner/radiologue']);
  });

  it('can be asked and answered by plain updates of the case too', async () => {
    const task = await openCase();
    const status = (state: string) => ({
      coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code: state }],
    });
    const put = (who: 'radiologist' | 'requester', change: (task: Task) => Task) =>
      world.store.transaction(world.as(who, 'update'), async (tx) => tx.update(change(await tx.read('Task', task.id))));
    await put('radiologist', (now) => ({
      ...now,
      status: 'on-hold',
      businessStatus: status('information-wanted'),
      statusReason: { text: 'Poids ?' },
    }));
    world.clock.pass(60_000);
    await put('requester', (now) => ({
      ...now,
      status: 'received',
      businessStatus: status('received'),
      note: [{ text: '70 kg' }],
    }));
    expect((await talk(task)).map(({ payload }) => payload?.[0]?.contentString)).toEqual(['Poids ?', '70 kg']);
  });
});

describe('a telephone call', () => {
  it('is recorded with who called whom, when, at which number, and what was said', async () => {
    const task = await openCase();
    const at = new Date(world.clock.now().getTime() - 600_000).toISOString();
    const called = (await world.operate('radiologist', 'phone-exchange', task.id, {
      with: 'Dr ALIX',
      number: '+33 5 56 00 00 01',
      summary: 'Prévenu du délai.',
      at,
    })) as Task;
    const id = outputs(called, 'phone-exchange')[0]?.valueReference?.reference?.split('/')[1] ?? '';
    const call = await world.store.read(tenant, 'Communication', id);
    expect(call).toMatchObject({
      sender: { reference: 'Practitioner/radiologue' },
      sent: at,
      received: at,
      medium: [{ coding: [{ code: 'PHONE' }] }],
      extension: [{ extension: [{ valueString: 'Dr ALIX' }, { valueString: '+33 5 56 00 00 01' }] }],
      payload: [{ contentString: 'Interlocuteur : Dr ALIX (+33 5 56 00 00 01). Prévenu du délai.' }],
    });
  });

  it('is at the call-back number of the request unless another is said', async () => {
    const task = await openCase();
    const called = (await world.operate('radiologist', 'phone-exchange', task.id, {
      with: 'Dr ALIX',
      summary: 'Vu.',
    })) as Task;
    const id = outputs(called, 'phone-exchange')[0]?.valueReference?.reference?.split('/')[1] ?? '';
    expect((await world.store.read(tenant, 'Communication', id)).payload?.[0]?.contentString).toContain('(0556000000)');
  });

  it('without a name, at a time to come or long past, or at no number, is refused', async () => {
    const task = await openCase();
    const wrong: Record<string, string>[] = [
      { summary: 'x' },
      { summary: 'x', with: '  ' },
      { summary: 'x', with: 'x'.repeat(201) },
      { summary: 'x', with: 'Dr ALIX', number: 'au standard' },
      { summary: 'x', with: 'Dr ALIX', at: new Date(world.clock.now().getTime() + 1_000).toISOString() },
      { summary: 'x', with: 'Dr ALIX', at: new Date(world.clock.now().getTime() - 25 * 3_600_000).toISOString() },
    ];
    for (const parameters of wrong)
      await expect(world.operate('radiologist', 'phone-exchange', task.id, parameters)).rejects.toMatchObject({
        status: 422,
      });
    await expect(
      world.operate('radiologist', 'phone-exchange', task.id, { summary: 'x', with: 'Dr ALIX', at: '2026-05-12' }),
    ).rejects.toMatchObject({ status: 400 });
  });
});
