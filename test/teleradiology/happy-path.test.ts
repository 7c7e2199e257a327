import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  complete,
  exam,
  fresh,
  milestones,
  outputs,
  person,
  report,
  request,
  send,
  stateOf,
  study,
  uid,
} from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe('a request and its images become a signed report that the hospital acknowledged', () => {
  it('goes through every state of the nominal path, with its eight timestamps', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const studyUid = uid();
    const { task, created } = await send(world, request(who, {}, number));
    expect(created).toBe(true);
    expect(stateOf(task)).toBe('protocol-wanted');
    expect(task).toMatchObject({
      status: 'received',
      priority: 'urgent',
      requester: { reference: 'Organization/ch-exemple' },
    });
    expect(task.groupIdentifier?.value).toBe(number);
    expect(task.businessStatus?.text).toBe('Protocole à établir');

    world.clock.pass(60_000);
    const protocoled = await world.operate('radiologist', 'protocol', task.id, {
      text: ['TDM sans injection', 'Puis avec si doute'],
    });
    expect(stateOf(protocoled as never)).toBe('protocoled');
    expect(outputs(protocoled as never, 'protocol').map((each) => each.valueString)).toEqual([
      'TDM sans injection',
      'Puis avec si doute',
    ]);
    const answer = world.queued.at(-1);
    expect(answer).toMatchObject({ kind: 'request-answer', destination: 'ris:ch-exemple', focus: `Task/${task.id}` });

    world.clock.pass(60_000);
    const firstImageAt = world.clock.now().toISOString();
    await world.images(study(who, studyUid), { '1.1': 20 });
    expect(stateOf(await world.task(task.id))).toBe('acquiring');
    world.clock.pass(1_000);
    await complete(world, [exam(who, number, studyUid)]);
    world.clock.pass(1_000);
    await world.images(study(who, studyUid), { '1.1': 20, '1.2': 10 });
    const lastImageAt = world.clock.now();
    world.clock.pass(3_000);
    await world.room.sweep();
    const ready = await world.task(task.id);
    expect(stateOf(ready)).toBe('ready');
    expect(ready.extension?.find((each) => each.url.endsWith('/image-count'))?.valueInteger).toBe(30);
    expect(ready.extension?.find((each) => each.url.endsWith('/attachment-basis'))?.valueCode).toBe('study-uid');

    await world.operate('radiologist', 'claim', task.id);
    await world.operate('radiologist', 'displayed', task.id, { series: ['1.1'] });
    await world.operate('radiologist', 'displayed', task.id, { series: ['1.2', '1.1'] });
    await world.operate('radiologist', 'phone-exchange', task.id, { summary: 'Prévenu le demandeur', with: 'Dr ALIX' });
    const draft = await world.operate('radiologist', 'save-draft', task.id, {
      indication: 'Céphalée',
      conclusion: 'À finir',
    });
    expect(draft).toMatchObject({ resourceType: 'DiagnosticReport', status: 'partial', conclusion: 'À finir' });
    const signed = (await world.operate('radiologist', 'sign', task.id, report)) as never;
    expect(stateOf(signed)).toBe('delivering');
    expect(world.built.at(-1)?.text).toEqual(report);

    const reports = await world.store.search(tenant, 'DiagnosticReport', `_id=${draft.id}`);
    expect(reports[0]).toMatchObject({ status: 'final', conclusion: 'Normal', imagingStudy: [{}] });
    expect(outputs(signed, 'document')).toHaveLength(2);
    const documents = await world.store.search(tenant, 'DocumentReference', `related=Task/${task.id}`);
    expect(documents.map((each) => each.content[0]?.attachment.contentType).sort()).toEqual([
      'application/pdf',
      'text/xml',
    ]);
    for (const document of documents) {
      const binary = await world.store.read(
        tenant,
        'Binary',
        document.content[0]?.attachment.url?.slice('Binary/'.length) ?? '',
      );
      expect(Buffer.from(binary.data ?? '', 'base64')).toHaveLength(document.content[0]?.attachment.size ?? -1);
    }
    const proofs = await world.store.search(tenant, 'Provenance', `target=DiagnosticReport/${draft.id}`);
    expect(proofs[0]?.signature?.[0]?.data).toBe(Buffer.from('ab'.repeat(32), 'hex').toString('base64'));

    const item = world.queued.at(-1)!;
    expect(item).toMatchObject({ kind: 'report-mdm', destination: 'ris:ch-exemple' });
    await world.outcome(item, { status: 'retry', reason: 'injoignable' });
    expect(await world.task(item.task!.slice(5))).toMatchObject({
      status: 'in-progress',
      statusReason: { text: 'injoignable' },
    });
    expect(stateOf(await world.task(task.id))).toBe('delivering');
    world.clock.pass(60_000);
    await world.outcome(item, { status: 'delivered', evidence: 'MSA|AA|D2' });
    const delivered = await world.task(task.id);
    expect(stateOf(delivered)).toBe('delivered');
    expect(delivered.status).toBe('completed');
    const child = await world.task(item.task!.slice(5));
    expect(child).toMatchObject({
      status: 'completed',
      partOf: [{ reference: `Task/${task.id}` }],
      requester: { reference: 'Practitioner/radiologue' },
    });
    expect(outputs(child, 'evidence')[0]?.valueString).toBe('MSA|AA|D2');

    const times = milestones(delivered);
    for (const name of [
      'requested',
      'transmitted',
      'received',
      'protocol-requested',
      'protocoled',
      'images-received',
      'report-sent',
      'report-received',
    ])
      expect(times[name], name).toBeDefined();
    expect(times.requested).toBe('2026-05-12T06:09:00.000Z');
    expect(times['first-image']).toBe(firstImageAt);
    expect(times['images-received']).toBe(lastImageAt.toISOString());
    expect(delivered.restriction?.period?.end).toBe(new Date(lastImageAt.getTime() + 3_600_000).toISOString());
  });

  it('refers the images to the patient and the request of the case', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const studyUid = uid();
    const { task } = await send(world, request(who, {}, number));
    await complete(world, [exam(who, number, studyUid)]);
    await world.images(study(who, studyUid), { '1.1': 1 });
    const [stored] = await world.store.search(tenant, 'ImagingStudy', `identifier=urn:dicom:uid|urn:oid:${studyUid}`);
    expect(stored?.subject.reference).toBe(task.for?.reference);
    expect(stored?.basedOn?.[0]?.reference).toBe(task.focus?.reference);
  });
});
