/** From its exclusion on, a reader sees nothing of the establishment's cases and says nothing in them, save what they signed (CM-5). */
import type { Bundle, Communication, Resource, ResourceType, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSights, type Seen } from '../../../src/access/policies/sight.ts';
import { type Context, limitedTypes, relabel, systemContext } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { readyCase } from '../../teleradiology/support/requests.ts';
import { ask } from '../../teleradiology/support/staff.ts';
import { createWorld, tenant, type Who, type World } from '../../teleradiology/support/world.ts';

let world: World;
const here = 'ch-exemple';
const full = { indication: 'i', technique: 't', results: 'r', conclusion: 'c' };
/** Cases: nobody's, wanted from the reader, in their hands until the exclusion, signed by them, signed by a colleague. */
const cases = { open: '', wanted: '', begun: '', signed: '', theirs: '' };
const every = Object.keys(cases) as (keyof typeof cases)[];
const types = [
  ...(['Task', 'ServiceRequest', 'Patient', 'ImagingStudy', 'Observation', 'DiagnosticReport'] as const),
  ...(['DocumentReference', 'Binary', 'Communication', 'Provenance', 'Encounter'] as const),
];

interface SeenAs {
  roles?: string[];
  establishments?: string[];
}

/** What somebody sees now, with nothing believed from before. */
async function seenBy(who: Who, { roles, establishments = [here] }: SeenAs = {}): Promise<Context & Seen> {
  const context = world.as(who, 'create');
  const seer = { ...context, actor: { ...context.actor, ...(roles ? { roles } : {}) }, establishments };
  const sights = createSights({ database: world.database, store: world.store, now: () => new Date() });
  return { ...seer, ...(await sights.of(seer)) };
}

/** `Type/id` of what is found by search, of every type of a case. */
async function found(sight: Seen): Promise<Set<string>> {
  const reads = (world.store as RestStore).reads(tenant, sight);
  const list = new Set<string>();
  for (const type of types) {
    const page = await reads.searchBundle(type, '_count=1000');
    for (const { id } of page.matches) list.add(`${type}/${id}`);
  }
  return list;
}

/** What belongs to a case, as the platform sees it. */
async function partsOf(id: string): Promise<string[]> {
  const task = await world.task(id);
  const request = task.focus!.reference!;
  const outputs = (task.output ?? []).flatMap(({ valueReference }) => valueReference?.reference ?? []);
  const based = async (type: ResourceType, parameter: string, value: string) =>
    ((await world.store.search(tenant, type as 'Task', `${parameter}=${value}`)) as Resource[]).map(
      (each) => `${type}/${each.id}`,
    );
  const list = [
    ...[`Task/${id}`, request, task.for!.reference!, ...outputs],
    ...(await based('Task', 'part-of', `Task/${id}`)),
    ...(await based('Communication', 'based-on', request)),
    ...(await based('Observation', 'based-on', request)),
    ...(await based('DiagnosticReport', 'based-on', request)),
  ];
  return [...new Set(list)].filter((reference) => types.some((type) => reference.startsWith(`${type}/`)));
}

const message = (id: string): Communication => ({
  resourceType: 'Communication',
  status: 'completed',
  category: [
    { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/communication-category', code: 'message' }] },
  ],
  about: [{ reference: `Task/${id}` }],
  payload: [{ contentString: 'Un mot.' }],
});

/** Status with which a message about a case is refused; undefined when it is sent. */
async function refusalOfMessage(context: Context, id: string): Promise<number | undefined> {
  try {
    await world.store.transaction(context, (tx) => tx.create(message(id)));
    return undefined;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

/** Ids of the cases the worklist shows. */
async function offered(context: Context): Promise<(string | undefined)[]> {
  const operation = world.store.operations.find(({ name }) => name === 'worklist')!;
  return world.store.transaction(context, async (tx) => {
    const answer = await operation.run({
      ...{ tx, parameters: { resourceType: 'Parameters' }, base: 'http://localhost/fhir', query: '' },
      ...{ authorize: () => undefined, isAllowed: () => true },
    });
    if (!('resource' in answer)) throw new Error('the worklist answered no resource');
    return ((answer.resource as Bundle).entry ?? []).flatMap(({ resource }) =>
      resource?.resourceType === 'Task' ? [resource.id] : [],
    );
  });
}

beforeAll(async () => {
  world = await createWorld();
  for (const name of every) cases[name] = (await readyCase(world)).id;
  await world.store.transaction(world.as('requester', 'create'), (tx) => tx.create(message(cases.open)));
  await world.operate('coordinator', 'assign', cases.wanted, { reader: 'Practitioner/radiologue' });
  await world.operate('radiologist', 'claim', cases.begun);
  await world.operate('radiologist', 'save-draft', cases.begun, full);
  for (const [who, id] of [
    ['radiologist', cases.signed],
    ['other-radiologist', cases.theirs],
  ] as const) {
    await world.operate(who, 'claim', id);
    await world.operate(who, 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate(who, 'phone-exchange', id, { with: 'Dr Test', summary: 'Résultat dit.' });
    await world.operate(who, 'sign', id, full);
  }
  // The requests of this world come from nobody's establishment; those of a hospital carry it from the beginning.
  const system = systemContext(tenant, 'system:relabel', world.clock);
  await relabel(world.store as RestStore, system, limitedTypes());
});
afterAll(() => world.close());

describe('before', () => {
  it('a reader sees every case of the establishment, and talks in it', async () => {
    const reader = await seenBy('radiologist');
    const seen = await found(reader);
    for (const name of every)
      for (const part of await partsOf(cases[name])) expect(seen, `${name} ${part}`).toContain(part);
    expect(await refusalOfMessage(reader, cases.open)).toBeUndefined();
    expect((await offered(reader)).sort()).toEqual([cases.open, cases.wanted, cases.begun].sort());
  });
});

describe('once excluded', () => {
  beforeAll(async () => {
    await ask(world, 'coordinator', 'Organization/$exclude', here, {
      practitioner: { reference: 'Practitioner/radiologue' },
      reason: 'Décision de la direction',
    });
  });

  it('they find nothing of the open cases, nor of those a colleague signed', async () => {
    const seen = await found(await seenBy('radiologist'));
    for (const name of ['open', 'wanted', 'theirs'] as const) {
      const parts = (await partsOf(cases[name])).filter((part) => !part.startsWith('Communication/'));
      expect(parts.length).toBeGreaterThan(3);
      expect(parts.filter((part) => seen.has(part))).toEqual([]);
    }
  });

  it.each([
    ['here alone', [here]],
    ['also elsewhere', [here, 'ailleurs']],
    ['of no establishment in particular', []],
  ])(
    'a reader %s keeps nothing of the case they had begun, the draft they dictated included',
    async (_what, establishments) => {
      const seen = await found(await seenBy('radiologist', { establishments }));
      const parts = await partsOf(cases.begun);
      expect(parts.some((part) => part.startsWith('DiagnosticReport/'))).toBe(true);
      expect(parts.filter((part) => seen.has(part))).toEqual([]);
    },
  );

  it('they keep no message of an open case, not even their own', async () => {
    const seen = await found(await seenBy('radiologist'));
    const messages = await world.store.search(
      tenant,
      'Communication',
      `based-on=${(await world.task(cases.open)).focus!.reference}`,
    );
    const names = ({ sender, recipient = [] }: Communication) =>
      [sender, ...recipient].some((each) => each?.reference === 'Practitioner/radiologue');
    expect(messages.some(names)).toBe(true);
    expect(messages.filter(({ id }) => seen.has(`Communication/${id}`))).toEqual([]);
  });

  it('a draft of another establishment of theirs they go on with', async () => {
    const write = (establishment: string) =>
      world.store.transaction({ ...world.as('radiologist', 'create'), establishments: [establishment] }, (tx) =>
        tx.create({
          ...{ resourceType: 'DiagnosticReport', status: 'partial', code: { text: 'TDM' } },
          resultsInterpreter: [{ reference: 'Practitioner/radiologue' }],
        } as Resource),
      );
    const [theirs, ours] = [await write('ailleurs'), await write(here)];
    const seen = await found(await seenBy('radiologist', { establishments: [here, 'ailleurs'] }));
    expect(seen).toContain(`DiagnosticReport/${theirs.id}`);
    expect(seen).not.toContain(`DiagnosticReport/${ours.id}`);
  });

  it('reads, versions, histories and counts answer what they answer for what is not there', async () => {
    const reader = await seenBy('radiologist');
    const reads = (world.store as RestStore).reads(tenant, reader);
    for (const part of await partsOf(cases.theirs)) {
      const [type, id] = part.split('/') as [ResourceType, string];
      if (type === 'Communication') continue;
      expect(await reads.readStored(type, id), part).toBeUndefined();
      expect(await reads.readVersion(type, id, 1), part).toBeUndefined();
      expect((await reads.history({ type, id })).entries, part).toEqual([]);
    }
    expect((await reads.searchBundle('ImagingStudy', '_summary=count')).total).toBe(1);
  });

  it('the images of those cases are out of sight in the database', async () => {
    const uids = async (context: Seen) => {
      const studies = (
        await (world.store as RestStore).reads(tenant, context).searchBundle('ImagingStudy', '_count=100')
      ).matches;
      return studies.map(({ id }) => id).sort();
    };
    const signed = await partsOf(cases.signed);
    expect(await uids(await seenBy('radiologist'))).toEqual(
      signed.flatMap((part) => (part.startsWith('ImagingStudy/') ? [part.split('/')[1]] : [])),
    );
  });

  it('they keep the whole of the case they signed', async () => {
    const seen = await found(await seenBy('radiologist'));
    for (const part of await partsOf(cases.signed)) expect(seen, part).toContain(part);
  });

  it('they say nothing in an open case, also one they can still name, and may in the one they signed', async () => {
    const reader = await seenBy('radiologist');
    for (const name of ['open', 'begun', 'theirs'] as const)
      expect(await refusalOfMessage(reader, cases[name]), name).toBeGreaterThanOrEqual(403);
    expect(await refusalOfMessage(reader, cases.signed)).toBeUndefined();
    // A sight worked out just before, or opened in an emergency.
    const whole = world.as('radiologist', 'create');
    expect(await refusalOfMessage(whole, cases.open)).toBe(403);
    expect(await refusalOfMessage(whole, cases.signed)).toBeUndefined();
  });

  it('what is said since does not name them, so that they do not see it, and nobody can address them', async () => {
    const said = async (id: string, more: Partial<Communication> = {}) =>
      world.store.transaction(world.as('requester', 'create'), (tx) => tx.create({ ...message(id), ...more }));
    const reader = { reference: 'Practitioner/radiologue' };
    expect((await world.task(cases.wanted)).restriction?.recipient?.[0]?.reference).toBe(reader.reference);
    const { id, recipient } = await said(cases.wanted);
    expect(recipient).not.toContainEqual(reader);
    expect((await found(await seenBy('radiologist'))).has(`Communication/${id}`)).toBe(false);
    await expect(said(cases.wanted, { recipient: [reader] })).rejects.toMatchObject({ status: 422 });
    const [theirs] = await world.store.search(
      tenant,
      'Communication',
      'category=message&sender=Practitioner/radiologue',
    );
    const answer = { inResponseTo: [{ reference: `Communication/${theirs!.id}` }], recipient: [reader] };
    await expect(said(cases.open, answer)).rejects.toMatchObject({ status: 422 });
    expect((await said(cases.signed)).recipient).toContainEqual(reader);
  });

  it('a reader of two establishments keeps the other', async () => {
    const elsewhere = await seenBy('radiologist', { establishments: [here, 'ailleurs'] });
    const values = elsewhere.rows!.keys.map(({ value }) => value);
    expect(values.filter((value) => value.includes('sid/establishment'))).toEqual([
      'https://fhir.passerelle.example/sid/establishment|ailleurs',
    ]);
    expect(elsewhere.establishments).toEqual([here, 'ailleurs']);
  });

  it('a colleague sees and talks as before, and so does who has another task there', async () => {
    expect((await found(await seenBy('other-radiologist'))).has(`Task/${cases.open}`)).toBe(true);
    for (const roles of [
      ['radiologist', 'technologist'],
      ['coordinator', 'radiologist'],
    ]) {
      const both = await seenBy('radiologist', { roles });
      expect((await found(both)).has(`Task/${cases.open}`), roles.join()).toBe(true);
      expect(await refusalOfMessage(both, cases.open), roles.join()).toBeUndefined();
    }
  });

  it('a second reading that was agreed to is answered for once the report is signed', async () => {
    // The child of a case of a colleague, as a second reader leaves it.
    const child = (partOf: string): Task => ({
      resourceType: 'Task',
      status: 'completed',
      intent: 'order',
      partOf: [{ reference: `Task/${partOf}` }],
      owner: { reference: 'Practitioner/radiologue' },
    });
    const made = await world.store.transaction(world.as('administrator', 'system:test'), async (tx) => [
      await tx.create({ ...child(cases.theirs), focus: (await tx.read('Task', cases.theirs)).focus! }),
      await tx.create({ ...child(cases.open), focus: (await tx.read('Task', cases.open)).focus! }),
    ]);
    const seen = await found(await seenBy('radiologist'));
    expect(seen).toContain((await world.task(cases.theirs)).focus!.reference);
    expect(seen).not.toContain((await world.task(cases.open)).focus!.reference);
    expect(made).toHaveLength(2);
  });

  it('the worklist offers them nothing of it', async () => {
    expect(await offered(await seenBy('radiologist'))).toEqual([]);
  });

  it('reinstated, they see it all again', async () => {
    await ask(world, 'coordinator', 'Organization/$reinstate', here, {
      practitioner: { reference: 'Practitioner/radiologue' },
    });
    const reader = await seenBy('radiologist');
    expect((await found(reader)).has(`Task/${cases.open}`)).toBe(true);
    expect(await refusalOfMessage(reader, cases.open)).toBeUndefined();
  });
});
