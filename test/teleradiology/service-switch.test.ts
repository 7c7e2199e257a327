import type { Binary, DocumentReference, ServiceRequest, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  complete,
  exam,
  fresh,
  outputs,
  patient,
  person,
  placer,
  report,
  request,
  send,
  stateOf,
  study,
  uid,
} from './support/requests.ts';
import { createWorld, hospital, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

type Settings = NonNullable<Parameters<typeof hospital>[0]>;
const switchTo = (settings: Settings) =>
  world.store.transaction(world.as('administrator'), (tx) => tx.update(hospital(settings)));
const on: Settings = [];
const off: Settings = [{ url: 'live', valueBoolean: false }];
const closed = /n'est pas ouvert/;

beforeEach(() => switchTo(on));

/** A request as a FHIR client posts it; its Task with this status. */
async function post(status: 'requested' | 'draft'): Promise<string> {
  return world.store.transaction(world.as('requester'), async (tx) => {
    const subject = await tx.create(patient(person()));
    const order = await tx.create<ServiceRequest>({
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      identifier: [placer(`DEM-${fresh()}`)],
      subject: { reference: `Patient/${subject.id}` },
      requester: { reference: 'Practitioner/demandeur' },
      code: { text: 'Scanner' },
      reasonCode: [{ text: 'Céphalée' }],
    });
    const task = await tx.create<Task>({
      resourceType: 'Task',
      status,
      intent: 'order',
      code: {
        coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }],
      },
      focus: { reference: `ServiceRequest/${order.id}` },
      requester: { reference: 'Organization/ch-exemple' },
    });
    return task.id;
  });
}

const submit = async (id: string) => {
  const draft = await world.task(id);
  const businessStatus = {
    coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code: 'sent' }],
  };
  return world.store.transaction(world.as('requester'), (tx) =>
    tx.update({ ...draft, id, status: 'requested', businessStatus }),
  );
};

const attach = (task: Task) =>
  world.store.transaction(world.as('technologist'), async (tx) => {
    const data = Buffer.from('%PDF-1.7 x').toString('base64');
    const binary = await tx.create<Binary>({ resourceType: 'Binary', contentType: 'application/pdf', data });
    return tx.create<DocumentReference>({
      resourceType: 'DocumentReference',
      status: 'current',
      type: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/attachment-kind', code: 'other' }] },
      subject: task.for as DocumentReference['subject'],
      content: [{ attachment: { contentType: 'application/pdf', url: `Binary/${binary.id}` } }],
      context: { related: [{ reference: `Task/${task.id}` }] },
    });
  });

describe('an establishment that is switched off', () => {
  it('has its HL7 v2 requests refused clearly, and the same message is taken once it is on', async () => {
    const incoming = request(person());
    await switchTo(off);
    await expect(send(world, incoming)).rejects.toMatchObject({ status: 422, message: expect.stringMatching(closed) });
    await switchTo(on);
    expect((await send(world, incoming)).created).toBe(true);
  });

  it('has its FHIR requests refused by name; a draft is kept, and sent when it is on', async () => {
    await switchTo(off);
    const refused = await post('requested').catch((error: unknown) => error);
    expect(refused).toMatchObject({
      status: 422,
      outcome: { issue: [{ details: { coding: [{ code: 'site-live' }], text: expect.stringMatching(closed) } }] },
    });
    const draft = await post('draft');
    await expect(submit(draft)).rejects.toMatchObject({ status: 422 });
    expect(stateOf(await world.task(draft))).toBe('draft');
    await switchTo(on);
    await submit(draft);
    expect(stateOf(await world.task(draft))).toBe('protocol-wanted');
  });

  it('loses no image: they are stored, told to the coordinators, and found by the request that comes later', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    await switchTo(off);
    await world.images(study(who, uid(), { placerOrderNumber: number }), { '1': 3 });
    world.clock.pass(11 * 60_000);
    await world.room.sweep();
    const told = await world.store.search(tenant, 'Communication', 'category=unattached-images');
    expect(told.length).toBeGreaterThan(0);
    await switchTo(on);
    const { task } = await send(world, request(who, {}, number));
    expect(outputs(await world.task(task.id), 'imaging-study')).toHaveLength(1);
  });

  it('has the cases in hand finished: complement, images, attachments, signature and delivery', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const studyUid = uid();
    const { task } = await send(world, request(who, {}, number));
    await switchTo(off);
    await expect(send(world, request(who, {}, number))).resolves.toMatchObject({ created: false });
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
    await complete(world, [exam(who, number, studyUid)]);
    await world.images(study(who, studyUid), { '1.1': 3 });
    await attach(await world.task(task.id));
    world.clock.pass(3_000);
    await world.room.sweep();
    await world.operate('radiologist', 'claim', task.id);
    await world.operate('radiologist', 'displayed', task.id, { series: ['1.1'] });
    await world.operate('radiologist', 'phone-exchange', task.id, { summary: 'Prévenu', with: 'Dr ALIX' });
    expect(stateOf((await world.operate('radiologist', 'sign', task.id, report)) as Task)).toBe('delivering');
    expect(
      world.queued
        .slice(-2)
        .map(({ kind }) => kind)
        .sort(),
    ).toContain('report-mdm');
  });

  it('can still cancel, and is not closed for what another establishment sends', async () => {
    const { task } = await send(world, request(person()));
    await world.store.transaction(world.as('administrator'), (tx) => tx.update(hospital([], 'ch-autre')));
    await switchTo(off);
    await world.operate('requester', 'cancel', task.id, { reason: 'Sortie du patient' });
    expect((await send(world, request(person()), 'ch-autre')).created).toBe(true);
  });
});

describe('a service with dates', () => {
  it.each([
    ['before its first day', [{ url: 'liveFrom', valueDate: '2026-05-13' }], false],
    ['on its first day, from midnight at the establishment', [{ url: 'liveFrom', valueDate: '2026-05-12' }], true],
    ['after its end', [{ url: 'liveUntil', valueDateTime: '2026-05-12T06:00:00+02:00' }], false],
    ['before its end', [{ url: 'liveUntil', valueDate: '2026-05-13' }], true],
    ['switched off within its dates', [...off, { url: 'liveFrom', valueDate: '2020-01-01' }], false],
  ] as [string, Settings, boolean][])('%s', async (_name, settings, open) => {
    world.clock.set('2026-05-11T22:00:00.000Z');
    if (!settings.some(({ url }) => url === 'liveFrom')) world.clock.set('2026-05-12T12:00:00Z');
    await switchTo(settings);
    const sent = send(world, request(person())).then(
      () => true,
      (error: { message: string }) => {
        expect(error.message).toMatch(closed);
        return false;
      },
    );
    expect(await sent).toBe(open);
  });
});
