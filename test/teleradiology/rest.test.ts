import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fresh, milestones, patient, person, placer, readyCase, request, send, stateOf } from './support/requests.ts';
import { createWorld, tenant, type Who, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const caseCode = {
  coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }],
};

function posted(number: string, changes: { request?: Partial<ServiceRequest>; task?: Partial<Task> } = {}) {
  const id = `post-${fresh()}`;
  const order: ServiceRequest & { id: string } = {
    resourceType: 'ServiceRequest',
    id: `sr-${id}`,
    status: 'active',
    intent: 'order',
    identifier: [placer(number)],
    subject: { reference: `Patient/pat-${id}` },
    requester: { reference: 'Practitioner/demandeur' },
    authoredOn: '2026-05-12T08:00:00+02:00',
    priority: 'routine',
    code: { text: 'Scanner du crâne' },
    reasonCode: [{ text: 'Céphalée' }],
    ...changes.request,
  };
  const task: Task & { id: string } = {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: caseCode,
    focus: { reference: `ServiceRequest/${order.id}` },
    requester: { reference: 'Organization/ch-exemple' },
    ...changes.task,
  };
  return { order, task, subject: { ...patient(person()), id: `pat-${id}` } };
}

const post = (
  who: Who,
  resources: ReturnType<typeof posted>,
  order: ('subject' | 'order' | 'task')[] = ['subject', 'order', 'task'],
) =>
  world.store.transaction(world.as(who, 'transaction'), async (tx) => {
    for (const name of order) await tx.create(resources[name]);
  });
const put = (who: Who, task: Task) => world.store.transaction(world.as(who, 'update'), (tx) => tx.update(task));
const to = (task: Task, status: Task['status'], code: string): Task => ({
  ...task,
  status,
  businessStatus: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code }] },
});

describe('a request over FHIR REST', () => {
  it('becomes a case through the same machine, in whatever order the bundle has it', async () => {
    for (const order of [
      ['subject', 'order', 'task'],
      ['task', 'subject', 'order'],
      ['task', 'order', 'subject'],
    ] as const) {
      const resources = posted(`DEM-${fresh()}`);
      await post('requester', resources, [...order]);
      const task = await world.task(resources.task.id);
      expect(stateOf(task)).toBe('protocol-wanted');
      expect(task).toMatchObject({
        status: 'received',
        priority: 'routine',
        for: { reference: `Patient/${resources.subject.id}` },
      });
      expect(task.identifier?.[0]?.value).toMatch(/^TLR-/);
      expect(milestones(task).requested).toBe('2026-05-12T06:00:00.000Z');
      expect(await world.store.search(tenant, 'Consent', `patient=Patient/${resources.subject.id}`)).toHaveLength(1);
    }
  });

  it('may be a draft first, submitted by a plain update', async () => {
    const resources = posted(`DEM-${fresh()}`, { task: { status: 'draft' } });
    await post('requester', resources);
    const draft = await world.task(resources.task.id);
    expect(stateOf(draft)).toBe('draft');
    await put('requester', to(draft, 'requested', 'sent'));
    expect(stateOf(await world.task(resources.task.id))).toBe('protocol-wanted');
  });

  it('is refused by the element that is missing or wrong', async () => {
    const wrong: [Parameters<typeof posted>[1], number][] = [
      [{ request: { intent: 'plan' } }, 422],
      [{ request: { requester: undefined } }, 422],
      [{ request: { identifier: undefined } }, 422],
      [{ task: { requester: undefined } }, 422],
      [{ task: { status: 'completed' } }, 422],
      [
        {
          task: {
            businessStatus: {
              coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code: 'signed' }],
            },
          },
        },
        422,
      ],
      [{ task: { focus: undefined } }, 422],
    ];
    for (const [changes, status] of wrong)
      await expect(post('requester', posted(`DEM-${fresh()}`, changes))).rejects.toMatchObject({ status });
    await expect(post('requester', posted(`DEM-${fresh()}`), ['subject', 'task'])).rejects.toMatchObject({
      status: 422,
    });
    await expect(post('radiologist', posted(`DEM-${fresh()}`))).rejects.toMatchObject({ status: 403 });
  });

  it('with a placer number that has a case is a duplicate', async () => {
    const number = `DEM-${fresh()}`;
    await send(world, request(person(), {}, number));
    await expect(post('requester', posted(number))).rejects.toMatchObject({ status: 409 });
  });
});

describe('a plain update of a case', () => {
  it('that leaves the case alone is accepted', async () => {
    const { task } = await send(world, request(person()));
    await put('coordinator', { ...task, note: [{ text: 'Rappeler le service' }] });
    expect((await world.task(task.id)).note?.[0]?.text).toBe('Rappeler le service');
  });

  it('is refused for every element that belongs to the machine, with what is legal', async () => {
    const { task } = await send(world, request(person()));
    const forged: Task[] = [
      to(task, 'completed', 'delivered'),
      to(task, 'in-progress', 'reading'),
      { ...task, status: 'completed' },
      { ...task, owner: { reference: 'Practitioner/radiologue' } },
      { ...task, for: { reference: 'Patient/x' } },
      (({ extension: _extension, ...rest }) => rest)(task),
      { ...task, output: [{ type: { text: 'x' }, valueString: 'x' }] },
      { ...task, code: { text: 'autre' } },
      { ...task, restriction: { period: { end: '2030-01-01' } } },
    ];
    for (const each of forged) await expect(put('coordinator', each)).rejects.toMatchObject({ status: 422 });
    const error = await put('coordinator', forged[0]!).catch((each) => each);
    expect(error.message).toContain('$cancel');
    expect(await world.task(task.id)).toEqual(task);
  });

  it('holds for the platform itself, for deletion, and for deliveries', async () => {
    const { task } = await send(world, request(person()));
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
    const stored = await world.task(task.id);
    const forged = to(stored, 'completed', 'delivered');
    await expect(
      world.store.transaction(
        {
          ...world.as('ris'),
          actor: { reference: 'Device/passerelle', display: '', account: '', kind: 'system', roles: ['system'] },
        },
        (tx) => tx.update(forged),
      ),
    ).rejects.toMatchObject({ status: 422 });
    await expect(
      world.store.transaction(world.as('coordinator'), (tx) => tx.delete('Task', task.id)),
    ).rejects.toMatchObject({ status: 422 });
    const child = await world.task(world.queued.at(-1)!.task!.slice(5));
    await expect(put('coordinator', { ...child, status: 'completed' })).rejects.toMatchObject({ status: 422 });
  });

  it('that is exactly a legal transition by who may is one', async () => {
    const { task } = await send(world, request(person()));
    await expect(put('requester', to(task, 'rejected', 'refused'))).rejects.toMatchObject({ status: 403 });
    await expect(put('radiologist', to(task, 'rejected', 'refused'))).rejects.toMatchObject({ status: 422 });
    await put('radiologist', { ...to(task, 'rejected', 'refused'), statusReason: { text: 'Non justifié' } });
    const refused = await world.task(task.id);
    expect(stateOf(refused)).toBe('refused');
    expect(world.queued.at(-1)).toMatchObject({ kind: 'request-answer', focus: `Task/${task.id}` });
  });

  it('asks for information and goes on where it was when it is answered', async () => {
    const { id } = await readyCase(world);
    await put('coordinator', {
      ...to(await world.task(id), 'on-hold', 'information-wanted'),
      statusReason: { text: 'Créatinine ?' },
    });
    const asked = await world.task(id);
    expect(stateOf(asked)).toBe('information-wanted');
    const received = to(asked, 'received', 'received');
    await expect(put('technologist', { ...received, statusReason: undefined })).rejects.toMatchObject({ status: 422 });
    await put('technologist', { ...received, note: [...(asked.note ?? []), { text: 'Créatinine : 80 µmol/L.' }] });
    expect(stateOf(await world.task(id))).toBe('ready');
  });

  it('ends a case in hand that cannot be read', async () => {
    const { id } = await readyCase(world);
    await put('coordinator', {
      ...to(await world.task(id), 'failed', 'interrupted'),
      statusReason: { text: 'Images illisibles' },
    });
    expect(await world.task(id)).toMatchObject({ status: 'failed', statusReason: { text: 'Images illisibles' } });
    await expect(world.operate('radiologist', 'claim', id)).rejects.toMatchObject({ status: 422 });
  });
});

describe('a task of another kind', () => {
  it('is free, but cannot pretend to be a case or a delivery', async () => {
    const create = (task: Partial<Task>) =>
      world.store.transaction(world.as('coordinator'), (tx) =>
        tx.create<Task>({ resourceType: 'Task', status: 'requested', intent: 'order', ...task }),
      );
    const free = await create({});
    await put('coordinator', { ...free, status: 'completed' });
    await expect(put('coordinator', { ...free, code: caseCode })).rejects.toMatchObject({ status: 422 });
    await expect(
      create(to({ resourceType: 'Task', status: 'requested', intent: 'order' }, 'completed', 'delivered')),
    ).rejects.toMatchObject({ status: 422 });
    await expect(create({ code: { coding: [{ ...caseCode.coding[0], code: 'deliver' }] } })).rejects.toMatchObject({
      status: 422,
    });
  });
});
