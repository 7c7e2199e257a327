import type { Bundle, BundleEntry, Observation, Organization, Parameters, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Context, RowScope } from '../../../src/fhir/index.ts';
import { person, readyCase, request, send, signedCase, stateOf } from '../support/requests.ts';
import { createWorld, hospital, settingsUrl, tenant, type Who, type World } from '../support/world.ts';

const placeUrl = 'https://fhir.passerelle.example/StructureDefinition/worklist-place';
const specialty = (code: string) => ({
  coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/sub-specialty', code }],
});

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** Asks as somebody, with a part of the tenant in sight where `sight` says so. */
async function ask(who: Who, values: Record<string, string> = {}, sight: Partial<Context> = {}): Promise<Bundle> {
  const operation = world.store.operations.find((each) => each.name === 'worklist');
  const parameter = Object.entries(values).map(([name, valueString]) => ({ name, valueString }));
  const parameters: Parameters = { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
  const context = { ...world.as(who, 'operation:Task/$worklist'), ...sight };
  return world.store.transaction(context, async (tx) => {
    const answer = await operation!.run({
      ...{ tx, parameters, base: 'http://localhost/fhir', query: '' },
      ...{ authorize: () => undefined, isAllowed: () => true },
    });
    return (answer as { resource: Bundle }).resource;
  });
}

const matches = (bundle: Bundle): BundleEntry<Task>[] =>
  (bundle.entry ?? []).filter((entry): entry is BundleEntry<Task> => entry.search?.mode === 'match');
const ids = (bundle: Bundle): string[] => matches(bundle).map(({ resource }) => resource?.id ?? '');
const next = (bundle: Bundle): string | undefined => {
  const url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  return url === undefined ? undefined : (new URL(url).searchParams.get('_cursor') ?? undefined);
};
/** What an entry says about its place. */
function why(bundle: Bundle, id: string) {
  const entry = matches(bundle).find(({ resource }) => resource?.id === id);
  const parts = entry?.search?.extension?.find(({ url }) => url === placeUrl)?.extension ?? [];
  const value = (url: string) => parts.find((part) => part.url === url);
  const terms = parts
    .filter(({ url }) => url === 'term')
    .map(({ extension }) => [extension?.[0]?.valueCode, extension?.[1]?.valueInteger]);
  return {
    class: value('class')?.valueCode,
    stage: value('stage')?.valueCode,
    due: value('due')?.valueInstant,
    running: value('running')?.valueBoolean,
    holder: value('holder')?.valueReference?.reference,
    terms: Object.fromEntries(terms) as Record<string, number>,
    text: value('why')?.valueString ?? '',
  };
}

const as = <T>(who: Who, work: Parameters_<World['store']['transaction']>) =>
  world.store.transaction(world.as(who), work) as Promise<T>;
type Parameters_<F extends (...args: never[]) => unknown> = globalThis.Parameters<F>[1];
const routine = { encounterClass: 'O' };
const headScan = { code: { coding: [{ system: 'http://loinc.org', code: '30799-1' }] } };
const chestScan = { code: { coding: [{ system: 'http://loinc.org', code: '24627-2' }] } };
/** A case that is ready, about this act; not urgent unless said. */
async function readyScan(act: object, changes: object = routine) {
  const { id } = await readyCase(world, changes);
  await correct(id, act);
  return { id };
}
async function correct(id: string, act: object) {
  const requestId = (await world.task(id)).focus?.reference?.split('/')[1] ?? '';
  const stored = await world.store.read(tenant, 'ServiceRequest', requestId);
  await as('ris', async (tx) => void (await tx.update({ ...stored, ...act })));
}

describe('the worklist', () => {
  it('has urgent cases first, then what is due first, whoever came first', async () => {
    const { id: laterRoutine } = await readyCase(world, routine);
    world.clock.pass(60_000);
    const { id: urgent } = await readyCase(world);
    const bundle = await ask('coordinator');
    const mine = ids(bundle).filter((id) => [laterRoutine, urgent].includes(id));
    expect(mine).toEqual([urgent, laterRoutine]);
    expect(why(bundle, urgent)).toMatchObject({ class: 'urgent', stage: 'to-read', running: true });
    expect(why(bundle, urgent).due).toBe((await world.task(urgent)).restriction?.period?.end);
    expect(why(bundle, urgent).text).toMatch(/^Urgent : passe avant tout dossier non urgent ; échéance 12\/05\/2026 /);
  });

  it('follows each transition in the same transaction: what waits, what is held, what is over', async () => {
    const { task } = await send(world, request(person()));
    expect(why(await ask('radiologist'), task.id)).toMatchObject({ stage: 'to-protocol', running: true });
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM sans injection' });
    expect(why(await ask('radiologist'), task.id)).toMatchObject({
      stage: 'waiting',
      terms: { 'waits-for-site': -180 },
    });
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const [own, other] = [await ask('radiologist'), await ask('other-radiologist')];
    expect(why(own, id)).toMatchObject({
      stage: 'in-hand',
      holder: 'Practitioner/radiologue',
      terms: { 'in-my-hands': 240 },
    });
    expect(why(other, id)).toMatchObject({
      stage: 'in-hand',
      holder: 'Practitioner/radiologue',
      terms: { 'in-other-hands': -240 },
    });
    await world.operate('coordinator', 'cancel', task.id, { reason: 'Doublon' });
    expect(ids(await ask('radiologist'))).not.toContain(task.id);
  });

  it('gives every case exactly once over its pages, in the order of one long page', async () => {
    for (let n = 0; n < 8; n++) await send(world, request(person(), n % 2 === 0 ? routine : {}));
    const whole = ids(await ask('radiologist', { _count: '300' }));
    expect(new Set(whole).size).toBe(whole.length);
    for (const count of ['1', '3', '7']) {
      const paged: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await ask('radiologist', { _count: count, ...(cursor ? { _cursor: cursor } : {}) });
        expect(ids(page).length).toBeLessThanOrEqual(Number(count));
        paged.push(...ids(page));
        cursor = next(page);
      } while (cursor);
      expect(paged).toEqual(whole);
    }
  });

  it('is narrowed by stage, establishment and to what is mine, and refuses what it does not know', async () => {
    const all = await ask('radiologist', { _count: '300' });
    const toRead = await ask('radiologist', { _count: '300', stage: 'to-read,in-hand' });
    expect(ids(toRead)).toEqual(ids(all).filter((id) => ['to-read', 'in-hand'].includes(why(all, id).stage ?? '')));
    const mine = await ask('radiologist', { mine: 'true' });
    expect(ids(mine).length).toBeGreaterThan(0);
    for (const id of ids(mine)) expect((await world.task(id)).owner?.reference).toBe('Practitioner/radiologue');
    expect(ids(await ask('radiologist', { establishment: 'Organization/elsewhere' }))).toEqual([]);
    for (const wrong of [
      { stage: 'other' },
      { mine: 'maybe' },
      { _count: '-1' },
      { _sort: 'due' },
      { establishment: "'" },
      { _cursor: 'x' },
    ])
      await expect(ask('radiologist', wrong as unknown as Record<string, string>)).rejects.toMatchObject({
        status: 400,
      });
  });

  it('brings the patient along, once for cases that share one', async () => {
    const bundle = await ask('coordinator', { _include: 'Task:patient', _count: '2' });
    const patients = new Set(matches(bundle).map(({ resource }) => resource?.for?.reference));
    const included = (bundle.entry ?? []).filter(({ search }) => search?.mode === 'include');
    expect(new Set(included.map(({ resource }) => `Patient/${resource?.id}`))).toEqual(patients);
    expect(included).toHaveLength(patients.size);
  });
});

describe('what a caller sees of a part of the tenant', () => {
  it('is listed and nothing else: an establishment, a case of another one, never the rest', async () => {
    await as('administrator', async (tx) => void (await tx.update(hospital([], 'ch-autre'))));
    const elsewhere = (await world.store.transaction({ ...world.as('ris'), establishments: ['ch-autre'] }, (tx) =>
      world.room.receiveRequest(
        tx,
        { ...request(person()), organization: { resourceType: 'Organization', id: 'ch-autre' } },
        'ch-autre',
      ),
    )) as { task: Task & { id: string } };
    const all = ids(await ask('radiologist', { _count: '300' }));
    expect(all).toContain(elsewhere.task.id);
    const label = (id: string) => ({
      parameter: '_security',
      value: `https://fhir.passerelle.example/sid/establishment|${id}`,
    });
    const rows = (...keys: RowScope['keys'][number][]): Partial<Context> => ({ rows: { keys, whole: [] } });
    const one = { ...rows(label('ch-autre')), establishments: ['ch-autre'] };
    expect(ids(await ask('radiologist', { _count: '300' }, one))).toEqual([elsewhere.task.id]);
    const named = all.find((id) => id !== elsewhere.task.id)!;
    const both = {
      ...rows(label('ch-autre'), { parameter: '_id', value: `Task/${named}` }),
      establishments: ['ch-autre'],
    };
    expect(new Set(ids(await ask('radiologist', { _count: '300' }, both)))).toEqual(
      new Set([elsewhere.task.id, named]),
    );
    expect(ids(await ask('radiologist', {}, { ...rows(), establishments: [] }))).toEqual([]);
  });
});

describe('routing', () => {
  it('puts a reader’s sub-specialty before what is due a little sooner, and says so', async () => {
    const { id: chest } = await readyScan(chestScan, {});
    world.clock.pass(5 * 60_000);
    const { id: head } = await readyScan(headScan, {});
    const order = async (who: Who) => ids(await ask(who, { _count: '300' })).filter((id) => [chest, head].includes(id));
    expect(await order('radiologist')).toEqual([chest, head]);
    await as('administrator', async (tx) => {
      const practitioner = { reference: 'Practitioner/radiologue-2' };
      const organization = { reference: 'Organization/ch-exemple' };
      await tx.create({
        resourceType: 'PractitionerRole',
        active: true,
        practitioner,
        organization,
        specialty: [specialty('neuro')],
      });
    });
    expect(await order('other-radiologist')).toEqual([head, chest]);
    const bundle = await ask('other-radiologist', { _count: '300' });
    expect(why(bundle, head).terms).toMatchObject({ 'sub-specialty': 30, 'works-here': 10 });
    expect(why(bundle, head).text).toContain('Votre sur-spécialité : Neuroradiologie : avancé de 30 min');
    expect(why(bundle, chest).terms).toMatchObject({ 'other-sub-specialty': -15 });
  });

  it('follows a request that is corrected', async () => {
    const { id } = await readyScan(chestScan);
    await correct(id, headScan);
    expect(why(await ask('other-radiologist', { _count: '300' }), id).terms).toMatchObject({ 'sub-specialty': 30 });
  });
});

describe('a signed case that is to be read again', () => {
  it('comes back for a second reader, behind everything for the first, until the opinion is given', async () => {
    const { id } = await signedCase(world);
    expect(ids(await ask('radiologist', { _count: '300' }))).not.toContain(id);
    await world.operate('coordinator', 'request-second-reading', id, { reason: 'Polytraumatisé' });
    const [first, second] = [
      why(await ask('radiologist', { _count: '300' }), id),
      why(await ask('other-radiologist', { _count: '300' }), id),
    ];
    expect(first).toMatchObject({ stage: 'to-second-read', running: true, terms: { 'first-reader': -480 } });
    expect(second.stage).toBe('to-second-read');
    expect(second.terms).not.toHaveProperty('first-reader');
    await world.operate('other-radiologist', 'claim-second-reading', id);
    const taken = why(await ask('other-radiologist', { _count: '300' }), id);
    expect(taken).toMatchObject({
      stage: 'in-hand',
      holder: 'Practitioner/radiologue-2',
      terms: { 'in-my-hands': 240 },
    });
  });
});

describe('a signed case that owes another version', () => {
  it('comes back until the addendum is signed or the report stands', async () => {
    const { id } = await signedCase(world);
    await world.operate('requester', 'request-rereading', id, { reason: 'Clinique discordante' });
    expect(why(await ask('radiologist', { _count: '300' }), id)).toMatchObject({ stage: 'to-amend', running: true });
    await world.operate('other-radiologist', 'claim-addendum', id);
    const held = why(await ask('other-radiologist', { _count: '300' }), id);
    expect(held).toMatchObject({ stage: 'in-hand', holder: 'Practitioner/radiologue-2' });
    await world.operate('other-radiologist', 'close-addendum', id, { reason: 'Relu : le compte rendu est maintenu.' });
    expect(ids(await ask('radiologist', { _count: '300' }))).not.toContain(id);
  });
});

describe('who is on duty', () => {
  it('is raised where they are, lowered where they have more in hand than the others, and stays away where excluded', async () => {
    const { id } = await readyCase(world);
    const held = await readyCase(world);
    await world.operate('radiologist', 'claim', held.id);
    const now = world.clock.now().getTime();
    const shift = `INSERT INTO duty_shift (tenant, slot_id, schedule_id, establishment_id, practitioner_id, role_id, kind, starts_at, ends_at, published)
      VALUES ($1, $2, 's', 'ch-exemple', $2, 'r', 'radiologist', $3, $4, true)`;
    for (const reader of ['radiologue', 'radiologue-2'])
      await world.database.query(tenant, shift, [tenant, reader, new Date(now - 3_600_000), new Date(now + 3_600_000)]);
    const mine = why(await ask('radiologist', { _count: '300' }), id).terms;
    const theirs = why(await ask('other-radiologist', { _count: '300' }), id).terms;
    expect(mine).toMatchObject({ 'on-duty-here': 20 });
    expect(mine.load).toBeLessThan(0);
    expect(theirs.load).toBe(-(mine.load ?? 0));
    await world.database.query(
      tenant,
      `INSERT INTO reader_exclusion (tenant, practitioner_id, establishment_id, role_id, since) VALUES ($1, 'radiologue-2', 'ch-exemple', 'r', $2)`,
      [tenant, new Date(now)],
    );
    expect(why(await ask('other-radiologist', { _count: '300' }), id).terms).toMatchObject({ 'may-not-read': -480 });
    await world.database.query(tenant, `DELETE FROM reader_exclusion WHERE tenant = $1`, [tenant]);
  });
});

describe('an AI priority', () => {
  const post = (studyId: string, changes: Partial<Observation> = {}) =>
    as<Observation>('ris', async (tx) =>
      tx.create({
        resourceType: 'Observation',
        status: 'preliminary',
        code: {
          coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/observation-code', code: 'ai-priority' }],
        },
        device: { reference: 'Device/ris-demo' },
        derivedFrom: [{ reference: `ImagingStudy/${studyId}` }],
        valueQuantity: { value: 90, unit: '%', system: 'http://unitsofmeasure.org', code: '%' },
        ...changes,
      } as Observation),
    );
  const studyOf = async (id: string) => {
    const outputs = (await world.task(id)).output ?? [];
    return outputs
      .find(({ valueReference }) => valueReference?.reference?.startsWith('ImagingStudy/'))!
      .valueReference!.reference!.split('/')[1]!;
  };
  const weigh = (minutes: number) =>
    as('administrator', async (tx) => {
      const stored = (await tx.read('Organization', 'ch-exemple')) as Organization;
      const settings = stored.extension?.find(({ url }) => url === settingsUrl)?.extension ?? [];
      const extension = [
        ...settings.filter(({ url }) => url !== 'aiPriorityMinutes'),
        { url: 'aiPriorityMinutes', valueInteger: minutes },
      ];
      await tx.update({ ...stored, extension: [{ url: settingsUrl, extension }] });
    });

  it('raises a case that is not urgent, within the weight of its establishment, in sight of everybody', async () => {
    const { id: first } = await readyScan(chestScan);
    const { id: second } = await readyScan(chestScan);
    const order = async () =>
      ids(await ask('coordinator', { _count: '300' })).filter((id) => [first, second].includes(id));
    const behind = (await order())[1]!;
    await post(await studyOf(behind));
    expect((await order())[0]).toBe(behind);
    const shown = why(await ask('coordinator', { _count: '300' }), behind);
    expect(shown.terms['ai-priority']).toBe(54);
    expect(shown.text).toContain('Priorité donnée par une intelligence artificielle (90 sur 100) : avancé de 54 min');
  });

  it('never lowers, and says nothing when it is no preliminary observation of a device', async () => {
    const { id } = await readyScan(chestScan);
    const study = await studyOf(id);
    const minutes = async () => why(await ask('coordinator', { _count: '300' }), id).terms['ai-priority'];
    for (const changes of [
      { status: 'final' },
      { device: undefined },
      { device: { display: 'IA' } },
      { valueQuantity: undefined, valueString: '100' },
    ] as Partial<Observation>[])
      await post(study, changes);
    expect(await minutes()).toBeUndefined();
    await post(study, { valueQuantity: undefined, valueInteger: 50 });
    await post(study, { valueQuantity: undefined, valueInteger: 10 });
    await post(study, { valueQuantity: undefined, valueInteger: -900 });
    expect(await minutes()).toBe(30);
  });

  it('does nothing to an urgent case, and is forgotten when it is withdrawn', async () => {
    const { id: urgent } = await readyCase(world);
    await post(await studyOf(urgent));
    expect(why(await ask('coordinator', { _count: '300' }), urgent).terms).not.toHaveProperty('ai-priority');
    const { id } = await readyScan(chestScan);
    const observation = await post(await studyOf(id));
    await as(
      'ris',
      async (tx) =>
        void (await tx.update({ ...observation, status: 'entered-in-error' } as Observation & { id: string })),
    );
    expect(why(await ask('coordinator', { _count: '300' }), id).terms).not.toHaveProperty('ai-priority');
  });

  it('is switched off by an establishment at once, and weighed anew when it is switched on', async () => {
    const { id } = await readyScan(chestScan);
    await post(await studyOf(id));
    const shown = async () => why(await ask('coordinator', { _count: '300' }), id).terms['ai-priority'];
    await weigh(0);
    expect(await shown()).toBeUndefined();
    // A transition meanwhile brings nothing back.
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'release', id);
    expect(await shown()).toBeUndefined();
    await weigh(500);
    expect(await shown()).toBe(108);
    await weigh(60);
    expect(await shown()).toBe(54);
  });
});

describe('fifty radiologists after one case', () => {
  it('are told one yes and forty-nine conflicts, and see who has it', async () => {
    const { id } = await readyCase(world);
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    await as('administrator', async (tx) => {
      for (const n of numbers) await tx.update({ resourceType: 'Practitioner', id: `reader-${n}` });
    });
    const claim = world.store.operations.find(({ name, type }) => name === 'claim' && type === 'Task')!;
    const statuses = await Promise.all(
      numbers.map((n) => {
        const actor = {
          ...world.as('radiologist').actor,
          reference: `Practitioner/reader-${n}`,
          account: `reader-${n}`,
        };
        return world.store
          .transaction({ ...world.as('radiologist', 'operation:Task/$claim'), actor }, (tx) =>
            claim.run({
              ...{ tx, id, parameters: { resourceType: 'Parameters' }, base: '', query: '' },
              ...{ authorize: () => undefined, isAllowed: () => true },
            }),
          )
          .then(() => 200)
          .catch((error: { status: number }) => error.status);
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(49);
    const task = await world.task(id);
    expect(stateOf(task)).toBe('reading');
    expect(why(await ask('radiologist', { _count: '300' }), id).holder).toBe(task.owner?.reference);
  });
});

describe('the rows behind the list', () => {
  it('are made anew where they are missing, as they were', async () => {
    const columns = 'case_id, urgency_class, pool, place_at, holder, ai_score, ai_minutes';
    const rows = async () =>
      (
        await world.database.query(
          tenant,
          `SELECT ${columns} FROM worklist WHERE tenant = '${tenant}' ORDER BY case_id`,
        )
      ).rows;
    const before = await rows();
    expect(before.length).toBeGreaterThan(10);
    await world.database.query(tenant, `DELETE FROM worklist WHERE tenant = '${tenant}'`);
    await world.database.query(tenant, `DELETE FROM worklist_made WHERE tenant = '${tenant}'`);
    const warned = (await ask('coordinator')).entry?.at(-1);
    expect(warned?.search?.mode).toBe('outcome');
    await world.room.start();
    await world.room.stop();
    await world.room.start();
    await expect.poll(rows).toEqual(before);
    await world.room.stop();
    expect((await ask('coordinator')).entry?.at(-1)?.search?.mode).toBe('match');
  });
});
