import type { Communication, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationAnswer } from '../../../src/fhir/index.ts';
import { fresh, person, request, send } from '../support/requests.ts';
import { createWorld, tenant, type Who, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const category = 'https://fhir.passerelle.example/CodeSystem/communication-category';
const readByUrl = 'https://fhir.passerelle.example/StructureDefinition/read-by';

const openCase = async () => (await send(world, request(person(), {}, `DEM-${fresh()}`))).task;

function said(task: Task, text: string, more: Partial<Communication> = {}): Communication {
  return {
    resourceType: 'Communication',
    status: 'completed',
    category: [{ coding: [{ system: category, code: 'message' }] }],
    about: [{ reference: `Task/${task.id}` }],
    payload: [{ contentString: text }],
    ...more,
  };
}

const post = (who: Who, message: Communication, interaction = 'create') =>
  world.store.transaction(world.as(who, interaction), (tx) => tx.create(message));

async function run(who: Who, name: string, type: 'Task' | 'Communication', id: string, part?: number) {
  const operation = world.store.operations.find((each) => each.name === name && each.type === type);
  return world.store.transaction(world.as(who, `operation:${type}/$${name}`), (tx) =>
    operation!.run({
      ...{ tx, id, base: 'http://localhost/fhir', query: '', authorize: () => undefined, isAllowed: () => true },
      parameters: {
        resourceType: 'Parameters',
        ...(part === undefined ? {} : { parameter: [{ name: 'part', valueString: String(part) }] }),
      },
    }),
  );
}

const readers = (message: Communication) =>
  (message.extension ?? [])
    .filter(({ url }) => url === readByUrl)
    .map(({ extension }) => extension?.find(({ url }) => url === 'reader')?.valueReference?.reference);

const stored = (id: string) => world.store.read(tenant, 'Communication', id);
const pdf = (size = 64) => Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(size, 0x20)]).toString('base64');

describe('a message on a case', () => {
  it('is sent by whoever is signed in, when the server says, to the parties of the case', async () => {
    const task = await openCase();
    const message = await post(
      'technologist',
      said(task, 'Le patient bouge beaucoup.', { sent: '2020-01-01T00:00:00Z' }),
    );
    expect(message.meta?.versionId).toBe('1');
    expect(message).toMatchObject({
      sender: { reference: 'Practitioner/manipulateur' },
      sent: world.clock.now().toISOString(),
      subject: task.for,
      basedOn: [task.focus],
      recipient: [{ reference: 'Organization/ch-exemple' }, { reference: 'Organization/passerelle-exemple' }],
    });
    expect(readers(message)).toEqual(['Practitioner/manipulateur']);
    expect(message.received).toBeUndefined();
  });

  it('is found by the request of the case, and by who has not read it', async () => {
    const task = await openCase();
    const message = await post('technologist', said(task, 'Un mot'));
    const unread = (who: string) =>
      world.store.search(
        tenant,
        'Communication',
        `based-on=${task.focus?.reference}&category=${encodeURIComponent(`${category}|message`)}&_filter=${encodeURIComponent(`not(read-by eq Practitioner/${who})`)}`,
      );
    expect(await unread('radiologue')).toHaveLength(1);
    expect(await unread('manipulateur')).toHaveLength(0);
    await run('radiologist', 'read', 'Communication', message.id);
    expect(await unread('radiologue')).toHaveLength(0);
    expect(await unread('demandeur')).toHaveLength(1);
  });

  it('is refused to whoever has no part in the case, and in the name of another', async () => {
    const task = await openCase();
    for (const who of ['quality', 'administrator', 'ris'] as const)
      await expect(post(who, said(task, 'Bonjour'))).rejects.toMatchObject({ status: 403 });
    const elsewhere = { ...world.as('radiologist', 'create'), establishments: ['another-hospital'] };
    await expect(world.store.transaction(elsewhere, (tx) => tx.create(said(task, 'Bonjour')))).rejects.toMatchObject({
      status: 403,
    });
    await expect(
      post('requester', said(task, 'Bonjour', { sender: { reference: 'Practitioner/radiologue' } })),
    ).rejects.toMatchObject({ status: 422 });
  });

  it('names nobody outside the case: naming somebody would show it to them', async () => {
    const task = await openCase();
    const to = (reference: string) =>
      said(task, 'Pour vous', { recipient: [{ reference }] as Communication['recipient'] });
    await expect(post('technologist', to('Practitioner/radiologue-2'))).rejects.toMatchObject({ status: 422 });
    const first = await post('technologist', to('Practitioner/demandeur'));
    expect(first.recipient).toEqual([{ reference: 'Practitioner/demandeur' }]);
    const answer = await post('requester', {
      ...to('Practitioner/manipulateur'),
      inResponseTo: [{ reference: `Communication/${first.id}` }],
    });
    expect(answer.recipient).toEqual([{ reference: 'Practitioner/manipulateur' }]);
  });

  it('answers a message of the same case, and stays in its thread', async () => {
    const task = await openCase();
    const other = await openCase();
    const answer = (of: Communication, about = task) =>
      said(about, 'Réponse', { inResponseTo: [{ reference: `Communication/${of.id}` }] });
    const first = await post('technologist', said(task, 'Question ?'));
    const second = await post('radiologist', answer(first));
    const third = await post('requester', answer(second));
    const root = [{ reference: `Communication/${first.id}` }];
    expect([first.partOf, second.partOf, third.partOf]).toEqual([undefined, root, root]);
    await expect(post('radiologist', answer(first, other))).rejects.toMatchObject({ status: 422 });
  });

  it('is refused when it says nothing, too much, or what only the server says', async () => {
    const task = await openCase();
    const wrong: Partial<Communication>[] = [
      { payload: undefined },
      { payload: [{ contentString: '  ' }] },
      { payload: [{ contentString: 'x'.repeat(4_001) }] },
      { payload: Array.from({ length: 7 }, () => ({ contentString: 'x' })) },
      { payload: [{ contentReference: { reference: `Task/${task.id}` } }] },
      { status: 'preparation' },
      { received: '2026-05-12T06:10:00Z' },
      { extension: [{ url: readByUrl, extension: [] }] },
      { about: undefined },
      { about: [{ reference: `Task/${task.id}` }, { reference: `Task/${task.id}` }] },
      { about: [{ reference: 'Patient/x' }] },
      { subject: { reference: 'Patient/somebody-else' } },
    ];
    for (const change of wrong)
      await expect(post('requester', said(task, 'Bonjour', change)), JSON.stringify(change)).rejects.toMatchObject({
        status: 422,
      });
  });

  it('is never changed nor deleted, by its sender either', async () => {
    const task = await openCase();
    const message = await post('requester', said(task, 'Il est à jeun.'));
    const plain = (
      who: Who,
      interaction: string,
      work: (tx: Parameters<Parameters<typeof world.store.transaction>[1]>[0]) => Promise<unknown>,
    ) => world.store.transaction(world.as(who, interaction), work);
    for (const who of ['requester', 'technologist', 'radiologist'] as const) {
      await expect(
        plain(who, 'update', (tx) => tx.update({ ...message, payload: [{ contentString: 'Il a mangé.' }] })),
      ).rejects.toMatchObject({ status: 422 });
      await expect(plain(who, 'patch', (tx) => tx.update({ ...message, extension: undefined }))).rejects.toMatchObject({
        status: 422,
      });
      await expect(plain(who, 'delete', (tx) => tx.delete('Communication', message.id))).rejects.toMatchObject({
        status: 422,
      });
    }
    expect((await stored(message.id)).meta?.versionId).toBe('1');
  });

  it('of the platform cannot be written by anybody else, nor in one bundle with what the platform does', async () => {
    const task = await openCase();
    for (const code of ['question', 'answer', 'deadline', 'phone-exchange', 'critical-result', 'case-ended'])
      for (const interaction of ['create', 'transaction', 'operation:$import'])
        await expect(
          post('requester', said(task, 'Faux', { category: [{ coding: [{ system: category, code }] }] }), interaction),
        ).rejects.toMatchObject({ status: 422 });
  });
});

describe('reading', () => {
  it('is kept for each reader, once; the instant of the resource is the first other reader’s', async () => {
    const task = await openCase();
    const message = await post('technologist', said(task, 'Un mot'));
    await run('technologist', 'read', 'Communication', message.id);
    expect((await stored(message.id)).meta?.versionId).toBe('1');
    world.clock.pass(60_000);
    const first = world.clock.now().toISOString();
    await run('radiologist', 'read', 'Communication', message.id);
    world.clock.pass(60_000);
    await run('requester', 'read', 'Communication', message.id);
    await run('radiologist', 'read', 'Communication', message.id);
    const read = await stored(message.id);
    expect(readers(read)).toEqual(['Practitioner/manipulateur', 'Practitioner/radiologue', 'Practitioner/demandeur']);
    expect(read.received).toBe(first);
    expect(read.meta?.versionId).toBe('3');
  });

  it('of two people at once keeps both', async () => {
    const task = await openCase();
    const message = await post('technologist', said(task, 'Un mot'));
    await Promise.all([
      run('radiologist', 'read', 'Communication', message.id),
      run('requester', 'read', 'Communication', message.id),
      run('coordinator', 'read', 'Communication', message.id),
    ]);
    expect(readers(await stored(message.id))).toHaveLength(4);
  });

  it('of a whole case marks every message of it, and nothing else', async () => {
    const task = await openCase();
    const other = await openCase();
    const messages = [];
    for (const text of ['un', 'deux', 'trois']) messages.push(await post('technologist', said(task, text)));
    const elsewhere = await post('technologist', said(other, 'ailleurs'));
    await run('radiologist', 'read', 'Communication', messages[0]!.id);
    const answer = await run('radiologist', 'read-messages', 'Task', task.id);
    expect(answer).toMatchObject({ parameter: [{ name: 'count', valueInteger: 2 }] });
    for (const { id } of messages) expect(readers(await stored(id))).toContain('Practitioner/radiologue');
    expect(readers(await stored(elsewhere.id))).not.toContain('Practitioner/radiologue');
  });

  it('is not kept for whoever has no part in the case', async () => {
    const task = await openCase();
    const message = await post('technologist', said(task, 'Un mot'));
    await expect(run('quality', 'read', 'Communication', message.id)).rejects.toMatchObject({ status: 403 });
    await expect(run('quality', 'read-messages', 'Task', task.id)).rejects.toMatchObject({ status: 403 });
  });
});

describe('a file in a message', () => {
  const file = (data = pdf(), contentType = 'application/pdf', more = {}) => ({
    contentAttachment: { contentType, data, title: 'ordonnance.pdf', ...more },
  });

  it('is kept apart from the message, with the case, and fetched through the message', async () => {
    const task = await openCase();
    const data = pdf();
    const message = await post('requester', said(task, '', { payload: [{ contentString: 'Voir :' }, file(data)] }));
    const attachment = message.payload?.[1]?.contentAttachment;
    expect(attachment).toMatchObject({ title: 'ordonnance.pdf', contentType: 'application/pdf', size: 73 });
    expect(attachment?.data).toBeUndefined();
    const binary = await world.store.read(tenant, 'Binary', attachment!.url!.split('/')[1]!);
    expect(binary).toMatchObject({ data, securityContext: { reference: `Task/${task.id}` } });
    const answer = (await run('technologist', 'attachment', 'Communication', message.id, 1)) as OperationAnswer;
    expect(answer.content).toEqual({ type: 'application/pdf', body: Buffer.from(data, 'base64') });
    for (const none of [0, 2])
      await expect(run('technologist', 'attachment', 'Communication', message.id, none)).rejects.toMatchObject({
        status: 404,
      });
  });

  it('is refused when it is no document, another one than it says, too large, or only an address', async () => {
    const task = await openCase();
    const before = (await world.store.search(tenant, 'Binary', '_count=1000')).length;
    const wrong = [
      file(Buffer.from('<svg onload="x()"/>').toString('base64'), 'image/svg+xml'),
      file(Buffer.from('<html>').toString('base64')),
      file(pdf(), 'image/png'),
      file(pdf(10 * 1024 * 1024)),
      { contentAttachment: { contentType: 'application/pdf', url: 'Binary/other' } },
      file(pdf(), 'application/pdf', { url: 'https://elsewhere.example/x.pdf' }),
      file(pdf(), 'application/pdf', { title: 'x'.repeat(201) }),
    ];
    for (const bad of wrong)
      await expect(post('requester', said(task, '', { payload: [file(), bad] }))).rejects.toMatchObject({
        status: 422,
      });
    expect(await world.store.search(tenant, 'Binary', '_count=1000')).toHaveLength(before);
  });
});
