import { createHash } from 'node:crypto';
import type { Binary, DocumentReference, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, establishmentSystem, systemContext } from '../../src/fhir/index.ts';
import { fileKindOf } from '../../src/teleradiology/request/file-kind.ts';
import { issuesOf, mitigation, patient, person, request, send } from './support/requests.ts';
import { createWorld, hospital, tenant, type Who, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.store.transaction(world.as('administrator'), async (tx) => {
    await tx.update({
      resourceType: 'Endpoint',
      id: 'ris',
      status: 'active',
      connectionType: { code: 'hl7v2-mllp' },
      payloadType: [{ text: 'HL7 v2' }],
      address: 'mllp://127.0.0.1:1',
    });
    const establishment = await tx.read('Organization', 'ch-exemple');
    await tx.update({ ...establishment, id: 'ch-exemple', endpoint: [{ reference: 'Endpoint/ris' }] });
    await tx.update({ ...hospital([], 'ch-sans-ris'), name: 'CH SANS RIS' });
  });
});
afterAll(() => world.close());

const pdf = Buffer.from('%PDF-1.7 ordonnance');
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe1, 9, 9]);
const kindSystem = 'https://fhir.passerelle.example/CodeSystem/attachment-kind';

async function attach(
  task: Task,
  changes: {
    octets?: Buffer;
    type?: string;
    kind?: string;
    document?: Partial<DocumentReference>;
    inline?: boolean;
  } = {},
  who: Who = 'technologist',
): Promise<DocumentReference & { id: string }> {
  const { octets = pdf, type = 'application/pdf', kind = 'prescription', inline = false } = changes;
  return world.store.transaction(world.as(who), async (tx) => {
    const data = octets.toString('base64');
    const binary = inline
      ? undefined
      : await tx.create<Binary>({
          resourceType: 'Binary',
          contentType: type,
          securityContext: { reference: `Task/${task.id}` },
          data,
        });
    return tx.create<DocumentReference>({
      resourceType: 'DocumentReference',
      status: 'current',
      type: { coding: [{ system: kindSystem, code: kind }] },
      subject: task.for as DocumentReference['subject'],
      content: [{ attachment: { contentType: type, ...(binary ? { url: `Binary/${binary.id}` } : { data }) } }],
      context: { related: [{ reference: `Task/${task.id}` }] },
      ...changes.document,
    });
  });
}

const openedCase = async (): Promise<Task & { id: string }> => (await send(world, request(person()))).task as never;

/** A file by itself, with what the server says of it. */
async function deposit(more: Partial<Binary>): Promise<string> {
  const system = systemContext(tenant, 'system:test', world.clock);
  const data = pdf.toString('base64');
  const stored = await world.store.transaction(system, (tx) =>
    tx.whole.create<Binary>({ resourceType: 'Binary', contentType: 'application/pdf', data, ...more }),
  );
  return stored.id;
}

const documentOf = (task: Task, binary: string): DocumentReference => ({
  resourceType: 'DocumentReference',
  status: 'current',
  type: { coding: [{ system: kindSystem, code: 'prescription' }] },
  subject: task.for as DocumentReference['subject'],
  content: [{ attachment: { contentType: 'application/pdf', url: `Binary/${binary}` } }],
  context: { related: [{ reference: `Task/${task.id}` }] },
});

const attachmentsOf = async (id: string) =>
  ((await world.task(id)).input ?? [])
    .filter((each) => each.type.coding?.[0]?.code === 'attachment')
    .map((each) => each.valueReference?.reference);

describe('a scanned prescription or consent', () => {
  it.each([
    ['a PDF as Binary', { octets: pdf }],
    ['a PDF in the document', { octets: pdf, inline: true }],
    ['a JPEG', { octets: jpeg, type: 'image/jpeg', kind: 'consent' }],
  ])('is attached to the case and queued for the archive of the establishment: %s', async (_name, changes) => {
    const { task } = await send(world, request(person()));
    const document = await attach(task, changes);
    expect(await attachmentsOf(task.id)).toEqual([`DocumentReference/${document.id}`]);
    const item = world.queued.at(-1)!;
    expect(item).toMatchObject({ kind: 'attachment-mdm', destination: 'ris:ch-exemple', focus: `Task/${task.id}` });
    const child = await world.task(item.task?.slice('Task/'.length) ?? '');
    expect(child).toMatchObject({ status: 'requested', partOf: [{ reference: `Task/${task.id}` }] });
    expect(child.input?.[0]?.valueReference?.reference).toBe(`DocumentReference/${document.id}`);
    await world.outcome(item, { status: 'delivered', evidence: 'MSA|AA|1' });
    expect((await world.task(child.id!)).status).toBe('completed');
  });

  it('finds the case by its request too', async () => {
    const { task } = await send(world, request(person()));
    await attach(task, { document: { context: { related: [{ reference: task.focus?.reference ?? '' }] } } });
    expect(await attachmentsOf(task.id)).toHaveLength(1);
  });

  it('stays on the case of an establishment without an address, which nothing is queued for', async () => {
    const { task } = await send(world, request(person()), 'ch-sans-ris');
    const before = world.queued.length;
    await attach(task);
    expect(await attachmentsOf(task.id)).toHaveLength(1);
    expect(world.queued).toHaveLength(before);
  });

  it('is told to the coordinators when the establishment refuses it, or says nothing', async () => {
    const { task } = await send(world, request(person()));
    await attach(task);
    const item = world.queued.at(-1)!;
    world.clock.pass(16 * 60_000);
    await world.room.sweep();
    await world.outcome(item, { status: 'failed', reason: 'AE' });
    const told = await world.store.search(tenant, 'Communication', `category=delivery-late,delivery-failed&_count=200`);
    const about = told.filter((each) => each.about?.[0]?.reference === `Task/${task.id}`);
    expect(about.map((each) => each.category?.[0]?.coding?.[0]?.code).sort()).toEqual([
      'delivery-failed',
      'delivery-late',
    ]);
    expect(about.some((each) => each.payload?.[0]?.contentString?.includes('pièce jointe'))).toBe(true);
  });

  it('is refused with its reason, and leaves nothing', async () => {
    const { task } = await send(world, request(person()));
    const { task: other } = await send(world, request(person()));
    const html = Buffer.from('<html><script>alert(1)</script>');
    const wrong: Parameters<typeof attach>[1][] = [
      { octets: html },
      { octets: html, type: 'text/html' },
      { octets: jpeg },
      { octets: Buffer.from('%PD'), type: 'application/pdf' },
      { octets: Buffer.concat([pdf, Buffer.alloc(20 * 1024 * 1024)]) },
      { kind: 'facture' },
      { document: { context: { related: [] } } },
      { document: { context: undefined } },
      { document: { subject: other.for as DocumentReference['subject'] } },
      { document: { subject: undefined } },
      {
        document: {
          content: [{ attachment: { contentType: 'application/pdf', url: 'https://ailleurs.example/a.pdf' } }],
        },
      },
      {
        document: {
          content: [
            {
              attachment: {
                contentType: 'application/pdf',
                data: pdf.toString('base64'),
                hash: createHash('sha1').update(jpeg).digest('base64'),
              },
            },
          ],
        },
      },
    ];
    const before = world.queued.length;
    for (const changes of wrong)
      await expect(attach(task, changes)).rejects.toSatisfy((error) => [400, 422].includes(error.status));
    expect(await attachmentsOf(task.id)).toEqual([]);
    expect(world.queued).toHaveLength(before);
  });

  it('names no file of another patient, of a report, or of another establishment', async () => {
    const [mine, others] = [await openedCase(), await openedCase()];
    const refused = async (
      binary: Partial<Binary>,
      by: Partial<Context> = {},
      before?: (id: string) => Promise<unknown>,
    ) => {
      const id = await deposit(binary);
      await before?.(id);
      const writing = { ...world.as('technologist'), ...by };
      await expect(world.store.transaction(writing, (tx) => tx.create(documentOf(mine, id)))).rejects.toMatchObject({
        status: 422,
        outcome: { issue: [{ diagnostics: expect.stringContaining('pour ce dossier') }] },
      });
    };
    await world.store.transaction(systemContext(tenant, 'system:test', world.clock), (tx) =>
      tx.update({ resourceType: 'DiagnosticReport', id: 'signed', status: 'final', code: { text: 'x' } }),
    );
    for (const reference of [`Task/${others.id}`, 'DiagnosticReport/signed', others.for?.reference ?? ''])
      await refused({ securityContext: { reference } });
    const ours = [{ system: establishmentSystem, code: 'ch-exemple' }];
    const theirs = [{ system: establishmentSystem, code: 'ch-sans-ris' }];
    await refused({ meta: { security: theirs } });
    await refused({ meta: { security: ours } }, { establishments: ['ch-sans-ris'] });
    await refused({}, { establishments: ['ch-exemple'] });
    // A plain document, without the kind of an attachment, is enough to make a file somebody’s.
    await refused({}, {}, (id) =>
      world.store.transaction(world.as('technologist'), (tx) =>
        tx.create({ ...documentOf(others, id), type: { text: 'Courrier' } }),
      ),
    );
    expect(await attachmentsOf(mine.id ?? '')).toEqual([]);
  });

  it('makes a deposited file the case’s: nobody changes it under the document, nor attaches it elsewhere', async () => {
    const [mine, others] = [await openedCase(), await openedCase()];
    const id = await deposit({ meta: { security: [{ system: establishmentSystem, code: 'ch-exemple' }] } });
    const by = { ...world.as('technologist', 'create'), establishments: ['ch-exemple'] };
    await world.store.transaction(by, (tx) => tx.create(documentOf(mine, id)));
    const stored = await world.store.read(tenant, 'Binary', id);
    expect(stored).toMatchObject({ securityContext: { reference: `Task/${mine.id}` }, data: pdf.toString('base64') });
    const change = world.store.transaction({ ...by, interaction: 'update' }, (tx) =>
      tx.update({ ...stored, id, data: jpeg.toString('base64') }),
    );
    await expect(change).rejects.toMatchObject({ status: 422 });
    await expect(world.store.transaction(by, (tx) => tx.create(documentOf(others, id)))).rejects.toMatchObject({
      status: 422,
    });
  });

  it('does not change and is not deleted once it was attached; it can be marked as an error', async () => {
    const { task } = await send(world, request(person()));
    const document = await attach(task);
    const write = (change: Partial<DocumentReference>) =>
      world.store.transaction(world.as('ris'), (tx) => tx.update({ ...document, ...change }));
    await expect(
      write({ content: [{ attachment: { contentType: 'image/jpeg', data: jpeg.toString('base64') } }] }),
    ).rejects.toMatchObject({
      status: 422,
    });
    await expect(write({ type: undefined })).rejects.toMatchObject({ status: 422 });
    await expect(
      world.store.transaction(world.as('ris'), (tx) => tx.delete('DocumentReference', document.id)),
    ).rejects.toMatchObject({ status: 422 });
    await write({ status: 'entered-in-error' });
  });

  it('of a case that is over is refused, and of a case whose identity is doubtful waits with it', async () => {
    const { task: over } = await send(world, request(person()));
    await world.operate('requester', 'cancel', over.id, { reason: 'Erreur' });
    await expect(attach(over)).rejects.toMatchObject({ status: 422 });
    const who = person();
    await send(world, request(who));
    const { task: doubtful } = await send(world, request(who, { patient: patient(who, { birthDate: '1990-01-01' }) }));
    await attach(doubtful);
    expect(world.held.has(`Task/${doubtful.id}`)).toBe(true);
    const [issue] = await issuesOf(world, doubtful.id);
    await world.store.transaction(world.as('quality', 'update'), (tx) =>
      tx.update({ ...issue!, status: 'final', mitigation: mitigation('identity-confirmed') }),
    );
    expect(world.held.has(`Task/${doubtful.id}`)).toBe(false);
  });
});

it('a file is what its first octets say', () => {
  expect(fileKindOf(pdf)).toBe('application/pdf');
  expect(fileKindOf(jpeg)).toBe('image/jpeg');
  expect(fileKindOf(Buffer.from('GIF89a'))).toBeUndefined();
  expect(fileKindOf(Buffer.alloc(0))).toBeUndefined();
});
