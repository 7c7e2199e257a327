import type { ServiceRequest } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  issuesOf as allIssuesOf,
  complete,
  exam,
  fresh,
  ippSystem,
  mitigation,
  outputs,
  patient,
  person,
  placer,
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

const reliability = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability';
const status = (code: string) => ({ url: reliability, extension: [{ url: 'identityStatus', valueCoding: { code } }] });
const decided = async (issueId: string, action: string, changes = {}): Promise<void> => {
  const issue = await world.store.read(tenant, 'DetectedIssue', issueId);
  const after = { ...issue, status: 'final' as const, mitigation: mitigation(action), ...changes };
  await world.store.transaction(world.as('quality'), (tx) => tx.update(after));
};
const issuesOf = (id: string) => allIssuesOf(world, id);

async function requested(who = person(), changes = {}) {
  const number = `DEM-${fresh()}`;
  const { task } = await send(world, request(who, changes, number));
  return { who, number, id: task.id };
}

async function protocoled(who = person(), changes = {}) {
  const one = await requested(who, changes);
  await world.operate('radiologist', 'protocol', one.id, { text: 'TDM' });
  return one;
}

describe('the identity status of a patient', () => {
  it('that a message repeats is kept with every repetition', async () => {
    const who = person();
    await requested(who);
    const stated = patient(who, { extension: [status('PROV'), status('DOUB')] });
    const { id } = await requested(who, { patient: stated });
    const reference = (await world.task(id)).for?.reference?.split('/')[1] ?? '';
    const known = await world.store.read(tenant, 'Patient', reference);
    expect(known.extension).toEqual([status('PROV'), status('DOUB')]);
    const { id: last } = await requested(who, { patient: patient(who, { extension: [status('VALI')] }) });
    expect(stateOf(await world.task(last))).toBe('protocol-wanted');
    expect((await world.store.read(tenant, 'Patient', reference)).extension).toEqual([status('VALI')]);
  });
});

describe('the request of a case', () => {
  const put = async (id: string, change: (request: ServiceRequest) => ServiceRequest) => {
    const focus = (await world.task(id)).focus?.reference?.split('/')[1] ?? '';
    const stored = await world.store.read(tenant, 'ServiceRequest', focus);
    return world.store.transaction(world.as('requester'), (tx) =>
      tx.update(change(stored) as ServiceRequest & { id: string }),
    );
  };

  it('cannot be put on another patient', async () => {
    const { id } = await requested();
    const other = (await world.task((await requested()).id)).for as ServiceRequest['subject'];
    await expect(put(id, (request) => ({ ...request, subject: other }))).rejects.toMatchObject({ status: 422 });
  });

  it('keeps the number it was sent with', async () => {
    const { id } = await requested();
    const stolen = [placer(`DEM-${fresh()}`)];
    await expect(put(id, (request) => ({ ...request, identifier: stolen }))).rejects.toMatchObject({ status: 422 });
  });

  it('can be completed otherwise, and is not deleted', async () => {
    const { id } = await requested();
    await put(id, (request) => ({ ...request, note: [{ text: 'Allergie connue' }] }));
    const focus = (await world.task(id)).focus?.reference?.split('/')[1] ?? '';
    await expect(
      world.store.transaction(world.as('requester'), (tx) => tx.delete('ServiceRequest', focus)),
    ).rejects.toMatchObject({ status: 422 });
  });
});

describe('a decision of identity vigilance', () => {
  it('about a request is not that images are rejected: the case stays held', async () => {
    const who = person();
    await requested(who);
    const { id } = await requested(who, { patient: patient(who, { birthDate: '1990-01-01' }) });
    const [issue] = await issuesOf(id);
    await expect(decided(issue!.id!, 'images-rejected')).rejects.toMatchObject({ status: 422 });
    expect(stateOf(await world.task(id))).toBe('identity-hold');
    await decided(issue!.id!, 'identity-confirmed');
    expect(stateOf(await world.task(id))).toBe('protocol-wanted');
  });

  it('reaches the images also when the client leaves their number out', async () => {
    const { who, number, id } = await protocoled();
    const studyUid = uid();
    await complete(world, [exam(who, number, studyUid)]);
    await world.images(study(who, studyUid, { birthDate: '1990-01-01' }), { '1': 3 });
    const [issue] = await issuesOf(id);
    await decided(issue!.id!, 'identity-confirmed', { identifier: undefined });
    expect(world.quarantined.has(studyUid)).toBe(false);
    expect(outputs(await world.task(id), 'imaging-study')).toHaveLength(1);
  });

  it('against one request leaves the images to the request whose complement announces them, once confirmed', async () => {
    const wrong = await protocoled();
    const studyUid = uid();
    const who = person();
    await world.images(study(who, studyUid, { placerOrderNumber: wrong.number }), { '1': 3 });
    const [against] = await issuesOf(wrong.id);
    await decided(against!.id!, 'images-rejected');
    const right = await protocoled(who);
    await complete(world, [exam(who, right.number, studyUid)]);
    const [issue] = await issuesOf(right.id);
    expect(issue?.detail).toContain('quarantaine');
    await decided(issue!.id!, 'identity-confirmed');
    expect(world.quarantined.has(studyUid)).toBe(false);
    expect(outputs(await world.task(right.id), 'imaging-study')).toHaveLength(1);
    expect(outputs(await world.task(wrong.id), 'imaging-study')).toHaveLength(0);
  });

  it.each(['before', 'after'])(
    'on the first case, %s the announcing one is decided, does not give it the images',
    async (order) => {
      const wrong = await protocoled();
      const studyUid = uid();
      const who = person();
      await world.images(study(who, studyUid, { placerOrderNumber: wrong.number }), { '1': 3 });
      const right = await protocoled(who);
      await complete(world, [exam(who, right.number, studyUid)]);
      const [against] = await issuesOf(wrong.id);
      const [issue] = await issuesOf(right.id);
      const inTurn = order === 'before' ? [against, issue] : [issue, against];
      for (const each of inTurn) await decided(each!.id!, 'identity-confirmed');
      expect(outputs(await world.task(wrong.id), 'imaging-study')).toHaveLength(0);
      expect(outputs(await world.task(right.id), 'imaging-study')).toHaveLength(1);
    },
  );
});

describe('images', () => {
  it('whose patient number another hospital gave are no guess for this one', async () => {
    const { who, id } = await requested();
    const studyUid = uid();
    const foreign = study(who, studyUid, { issuerOfPatientId: '2.999.77', birthDate: '1950-01-01' });
    await world.images(foreign, { '1': 3 });
    expect(world.quarantined.has(studyUid)).toBe(false);
    expect(await issuesOf(id)).toHaveLength(0);
    const own = uid();
    await world.images(study(who, own, { issuerOfPatientId: ippSystem.split('/').at(-1) }), { '1': 3 });
    expect(outputs(await world.task(id), 'imaging-study')).toHaveLength(1);
  });

  it('of another hospital that counts alike hold nobody’s case, wait for their own request, and find it', async () => {
    const neighbour = 'ch-voisin';
    await world.store.transaction(world.as('administrator'), (tx) => tx.update(hospital([], neighbour)));
    const value = fresh();
    const ask = (who: ReturnType<typeof person>, authority: string, establishment?: string) =>
      send(
        world,
        request(who, {
          serviceRequest: {
            ...request(who).serviceRequest,
            identifier: [
              placer(`DEM-${fresh()}`),
              { type: { coding: [{ code: 'ACSN' }] }, system: `urn:oid:2.999.${authority}`, value },
            ],
          },
        }),
        establishment,
      );
    const [who, other] = [person(), person()];
    const { task } = await ask(who, '1');
    const images = study(other, uid(), { accessionNumber: value });
    await world.images(images, { '1': 3 }, { establishment: neighbour });
    expect(world.quarantined.size).toBe(0);
    expect(await issuesOf(task.id)).toHaveLength(0);
    const { task: own } = await ask(other, '2', neighbour);
    expect(outputs(await world.task(own.id), 'imaging-study')).toHaveLength(1);
    await world.images(study(who, uid(), { accessionNumber: value }), { '1': 3 }, { establishment: 'ch-exemple' });
    expect(outputs(await world.task(task.id), 'imaging-study')).toHaveLength(1);
  });

  it('for a request that is still a draft wait for it, and find it when it is submitted', async () => {
    const number = `DEM-${fresh()}`;
    const who = person();
    const known = await requested(who);
    const subject = (await world.task(known.id)).for as ServiceRequest['subject'];
    await world.operate('requester', 'cancel', known.id, { reason: 'Erreur de saisie' });
    const ids = await world.store.transaction(world.as('requester'), async (tx) => {
      const order = await tx.create<ServiceRequest>({
        resourceType: 'ServiceRequest',
        status: 'draft',
        intent: 'order',
        identifier: [placer(number)],
        subject,
        requester: { reference: 'Organization/ch-exemple' },
      });
      const task = await tx.create({
        resourceType: 'Task',
        status: 'draft',
        intent: 'order',
        code: {
          coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }],
        },
        focus: { reference: `ServiceRequest/${order.id}` },
      });
      return { task: task.id };
    });
    await world.images(study(who, uid(), { placerOrderNumber: number }), { '1': 3 });
    const draft = await world.task(ids.task);
    expect(stateOf(draft)).toBe('draft');
    const businessStatus = {
      coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code: 'sent' }],
    };
    await world.store.transaction(world.as('requester'), (tx) =>
      tx.update({ ...draft, id: ids.task, status: 'requested', businessStatus }),
    );
    expect(outputs(await world.task(ids.task), 'imaging-study')).toHaveLength(1);
  });

  it('of a cancelled request are not swallowed by it: more of them look for a case, and a new order gets them', async () => {
    const first = await protocoled();
    const studyUid = uid();
    const identity = study(first.who, studyUid, { placerOrderNumber: first.number });
    await world.images(identity, { '1': 3 });
    await world.operate('requester', 'cancel', first.id, { reason: 'Mauvaise prescription' });
    const second = await protocoled(first.who);
    await complete(world, [exam(first.who, second.number, studyUid)]);
    expect(outputs(await world.task(second.id), 'imaging-study')).toHaveLength(1);

    const third = await protocoled();
    const other = uid();
    const images = study(third.who, other, { placerOrderNumber: third.number });
    await world.images(images, { '1': 3 });
    await world.operate('requester', 'cancel', third.id, { reason: 'Mauvaise prescription' });
    await world.images(images, { '1': 4 });
    world.clock.pass(11 * 60_000);
    await world.room.sweep();
    const told = await world.store.search(tenant, 'Communication', 'category=unattached-images&_count=100');
    const about = `ImagingStudy/study-${other.replaceAll('.', '-')}`;
    expect(told.filter((each) => each.about?.[0]?.reference === about)).toHaveLength(1);
  });
});

describe('an exam announced for one request and attached to another', () => {
  const collide = async () => {
    const who = person();
    const first = await protocoled(who);
    const second = await protocoled(who);
    const studyUid = uid();
    await world.images(study(who, studyUid, { placerOrderNumber: first.number }), { '1': 3 });
    await complete(world, [exam(who, second.number, studyUid)]);
    const [issue] = await issuesOf(second.id);
    return { first, second, issue: issue!.id! };
  };

  it('moves to the request that announced it when identity vigilance confirms', async () => {
    const { first, second, issue } = await collide();
    await decided(issue, 'identity-confirmed');
    expect(outputs(await world.task(second.id), 'imaging-study')).toHaveLength(1);
    expect(outputs(await world.task(first.id), 'imaging-study')).toHaveLength(0);
  });

  it('stays where it was when they say the images are not of that request', async () => {
    const { first, second, issue } = await collide();
    await decided(issue, 'images-rejected');
    expect(outputs(await world.task(second.id), 'imaging-study')).toHaveLength(0);
    expect(outputs(await world.task(first.id), 'imaging-study')).toHaveLength(1);
  });
});

describe('images a person confirmed by hand', () => {
  it('and that the complement does not announce are brought to identity vigilance, which can take them off', async () => {
    const { who, number, id } = await protocoled();
    const studyUid = uid();
    await world.images(study(who, studyUid), { '1': 3 });
    await world.operate('technologist', 'confirm-images', id);
    const announced = exam(who, number, uid());
    await complete(world, [announced]);
    await complete(world, [announced]);
    const issues = await issuesOf(id);
    expect(issues.map((each) => each.detail)).toEqual([expect.stringContaining('complément')]);
    await decided(issues[0]!.id!, 'images-rejected');
    expect(outputs(await world.task(id), 'imaging-study')).toHaveLength(0);
    expect(stateOf(await world.task(id))).toBe('acquiring');
  });
});
