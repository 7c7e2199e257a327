import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  complete,
  exam,
  fresh,
  patient,
  person,
  readyCase,
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

const minuteMs = 60_000;
const told = async (id: string, category: string) =>
  (await world.store.search(tenant, 'Communication', `category=${category}&_count=1000`)).filter(
    (each) => each.about?.[0]?.reference === `Task/${id}`,
  );
const texts = async (id: string, category = 'waiting') =>
  (await told(id, category)).map((each) => each.payload?.[0]?.contentString ?? '');
const later = async (minutes: number): Promise<void> => {
  world.clock.pass(minutes * minuteMs);
  await world.room.sweep();
};
const flags = async (id: string) =>
  world.store.search(tenant, 'Flag', `identifier=${(await world.task(id)).identifier?.[0]?.value}`);

async function requested(changes = {}) {
  const who = person();
  const number = `DEM-${fresh()}`;
  const { task } = await send(world, request(who, changes, number));
  return { who, number, id: task.id };
}
const put = async (who: 'coordinator' | 'radiologist', id: string, change: Partial<Task>) => {
  const task = await world.task(id);
  await world.store.transaction(world.as(who), (tx) => tx.update({ ...task, ...change, id }));
};
const to = (status: Task['status'], code: string): Partial<Task> => ({
  status,
  businessStatus: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code }] },
});

describe('a case that waits for somebody is told to the coordinators, once', () => {
  it('when no radiologist gives a protocol', async () => {
    const { id } = await requested();
    await later(29);
    expect(await texts(id)).toHaveLength(0);
    await later(2);
    await later(1000);
    const [only, another] = await told(id, 'waiting');
    expect(another).toBeUndefined();
    expect(only).toMatchObject({ priority: 'urgent', recipient: [{ reference: 'Organization/passerelle-exemple' }] });
    expect(only?.payload?.[0]?.contentString).toContain('protocole');
  });

  it('when identity vigilance does not decide', async () => {
    const who = person();
    await send(world, request(who));
    const { task } = await send(world, request(who, { patient: patient(who, { birthDate: '1990-01-01' }) }));
    expect(stateOf(task)).toBe('identity-hold');
    await later(31);
    expect(await texts(task.id)).toEqual([expect.stringContaining('identitovigilance')]);
  });

  it('when the requester does not complete the request, counted from when they were asked', async () => {
    const { id } = await requested();
    await later(20);
    await put('radiologist', id, { ...to('on-hold', 'information-wanted'), statusReason: { text: 'Créatinine ?' } });
    await later(59);
    expect(await texts(id)).toHaveLength(0);
    await later(2);
    expect(await texts(id)).toEqual([expect.stringContaining('relancez')]);
  });

  it('when an urgent exam brings no image, also one that became urgent; a routine exam has its day', async () => {
    const urgent = await requested();
    const routine = await requested({ encounterClass: 'O' });
    const raised = await requested({ encounterClass: 'O' });
    const lowered = await requested();
    for (const { id } of [urgent, routine, raised, lowered])
      await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    await put('coordinator', raised.id, { priority: 'urgent' });
    await put('coordinator', lowered.id, { priority: 'routine' });
    await later(121);
    for (const { id } of [urgent, raised]) expect(await texts(id)).toEqual([expect.stringContaining('aucune image')]);
    for (const { id } of [routine, lowered]) expect(await texts(id)).toHaveLength(0);
  });

  it('when images came but the complement of a routine exam does not', async () => {
    const { who, id } = await requested({ encounterClass: 'O' });
    await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    await world.images(study(who, uid()), { '1': 3 });
    await later(60);
    expect(stateOf(await world.task(id))).toBe('acquiring');
    expect((await world.task(id)).restriction).toBeUndefined();
    await later(61);
    expect(await texts(id)).toEqual([expect.stringContaining('incomplet')]);
  });

  it('after the time the establishment agreed', async () => {
    await world.store.transaction(world.as('administrator'), (tx) =>
      tx.update(hospital([{ url: 'protocolMinutes', valueInteger: 5 }], 'ch-presse')),
    );
    const { task } = await send(world, request(person()), 'ch-presse');
    await later(6);
    expect(await texts(task.id)).toHaveLength(1);
  });

  it('and not when it went on, or ended, in time', async () => {
    const gone = await requested();
    await world.operate('requester', 'cancel', gone.id, { reason: 'Annulé' });
    const { id } = await readyCase(world);
    await later(1000);
    expect(await texts(gone.id)).toHaveLength(0);
    expect(await texts(id)).toHaveLength(0);
  });
});

describe('what the establishment does not acknowledge', () => {
  it('is told once for the answer, also to a refusal, and for the report, while it is tried again', async () => {
    const refused = await requested();
    await world.operate('radiologist', 'refuse', refused.id, { reason: 'Non justifié' });
    const { id } = await readyCase(world);
    const answer = world.queued.at(-1)!;
    await world.outcome(answer, { status: 'delivered', evidence: 'MSA|AA|1' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'phone-exchange', id, { summary: 'Appelé', with: 'Dr ALIX' });
    await world.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
    const item = world.queued.at(-1)!;
    await world.outcome(item, { status: 'retry', reason: 'injoignable' });
    await later(14);
    expect(await texts(id, 'delivery-late')).toHaveLength(0);
    await later(2);
    await later(100);
    expect(await texts(id, 'delivery-late')).toEqual([expect.stringContaining('Compte rendu')]);
    expect(await texts(refused.id, 'delivery-late')).toEqual([expect.stringContaining('Réponse')]);
    await world.outcome(item, { status: 'failed', reason: 'AE' });
    await world.outcome(item, { status: 'retry', reason: 'injoignable' });
    await later(16);
    expect(await texts(id, 'delivery-late')).toHaveLength(2);
  });

  it('is not told when it was acknowledged', async () => {
    const refused = await requested();
    await world.operate('radiologist', 'refuse', refused.id, { reason: 'Non justifié' });
    await world.outcome(world.queued.at(-1)!, { status: 'delivered' });
    await later(100);
    expect(await texts(refused.id, 'delivery-late')).toHaveLength(0);
  });
});

describe('due times that fell once', () => {
  it('fall again for a longer delay: a late case triaged to routine is late again at its new deadline', async () => {
    const { id } = await readyCase(world, { encounterClass: 'N' });
    await later(61);
    expect(await told(id, 'deadline')).toHaveLength(3);
    await put('coordinator', id, { priority: 'routine' });
    expect((await flags(id)).map((each) => each.status)).toEqual(['inactive']);
    await later(48 * 60);
    expect(await told(id, 'deadline')).toHaveLength(6);
    expect((await flags(id)).filter((each) => each.status === 'active')).toHaveLength(1);
  });

  it('fall again for a case that was held while it expired', async () => {
    const { id } = await requested();
    await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    await put('coordinator', id, { ...to('on-hold', 'information-wanted'), statusReason: { text: 'Créatinine ?' } });
    await later(31 * 24 * 60);
    expect(stateOf(await world.task(id))).toBe('information-wanted');
    await put('coordinator', id, { ...to('received', 'received'), note: [{ text: 'Créatinine : 80 µmol/L.' }] });
    expect(stateOf(await world.task(id))).toBe('protocoled');
    await later(31 * 24 * 60);
    expect(stateOf(await world.task(id))).toBe('expired');
  });

  it('fall again for images that lose their case', async () => {
    const who = person();
    const studyUid = uid();
    await world.images(study(who, studyUid), { '1': 3 });
    await later(11);
    const number = `DEM-${fresh()}`;
    await send(world, request(who, {}, number));
    await complete(world, [exam(who, number, uid())]);
    await later(11);
    const about = `ImagingStudy/study-${studyUid.replaceAll('.', '-')}`;
    const all = await world.store.search(tenant, 'Communication', 'category=unattached-images&_count=100');
    expect(all.filter((each) => each.about?.[0]?.reference === about)).toHaveLength(2);
  });

  it('fall for images in quarantine that no case owns', async () => {
    const studyUid = uid();
    await world.images(study(person(), studyUid), { '1': 3 }, { quarantine: 'deux patients' });
    await later(11);
    const about = `ImagingStudy/study-${studyUid.replaceAll('.', '-')}`;
    const all = await world.store.search(tenant, 'Communication', 'category=unattached-images&_count=100');
    expect(
      all.filter((each) => each.about?.[0]?.reference === about).map((each) => each.payload?.[0]?.contentString),
    ).toEqual([expect.stringContaining('quarantaine')]);
  });
});

describe('images while the case is not told of each', () => {
  const countOf = async (id: string) =>
    (await world.task(id)).extension?.find((each) => each.url.endsWith('/image-count'))?.valueInteger;

  it('are counted when they fall quiet', async () => {
    const { who, id } = await requested();
    const studyUid = uid();
    await world.images(study(who, studyUid), { '1': 3 });
    world.clock.pass(200);
    await world.images(study(who, studyUid), { '1': 9 });
    await later(1);
    expect(await countOf(id)).toBe(9);
  });

  it('are told as late as soon as the report is signed, also those flow 4 brings then', async () => {
    const { who, number, studyUid, id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.images(study(who, studyUid), { '1.1': 20, '1.2': 11 });
    world.clock.pass(200);
    await world.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
    world.clock.pass(200);
    await world.images(study(who, studyUid), { '1.1': 20, '1.2': 12 });
    expect(await told(id, 'late-images')).toHaveLength(1);

    const other = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', other.id);
    await world.operate('radiologist', 'sign', other.id, { ...report, 'not-displayed-reason': 'Repérage' });
    const second = uid();
    await world.images(study(other.who, second), { '5': 3 });
    expect(await told(other.id, 'late-images')).toHaveLength(0);
    await complete(world, [exam(other.who, other.number, second)]);
    expect(await told(other.id, 'late-images')).toHaveLength(1);
    expect(number).not.toBe(other.number);
  });
});

describe('the day a hospital opens', () => {
  it('begins and ends at its own midnight', async () => {
    await world.store.transaction(world.as('administrator'), (tx) =>
      tx.update(
        hospital(
          [
            { url: 'liveFrom', valueDate: '2027-06-01' },
            { url: 'liveUntil', valueDate: '2027-07-01' },
          ],
          'ch-nuit',
        ),
      ),
    );
    world.clock.set('2027-05-31T21:59:59Z');
    await expect(send(world, request(person()), 'ch-nuit')).rejects.toMatchObject({ status: 422 });
    world.clock.set('2027-05-31T22:00:00Z');
    expect((await send(world, request(person()), 'ch-nuit')).created).toBe(true);
    world.clock.set('2027-06-30T22:00:00Z');
    await expect(send(world, request(person()), 'ch-nuit')).rejects.toMatchObject({ status: 422 });
  });
});
