/** What two establishments of one group share by mistake: each is told its own side, and neither holds or takes what is the other's (ID-2). */
import type { DetectedIssue, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelsOf } from '../../../src/fhir/index.ts';
import type { ExamComplement } from '../../../src/teleradiology/contract.ts';
import {
  bornOn,
  exam,
  fresh,
  issuesOf,
  mitigation,
  outputs,
  type Person,
  patient,
  person,
  placer,
  report,
  request,
  stateOf,
  study,
  uid,
} from '../support/requests.ts';
import { createWorld, hospital, tenant, type World } from '../support/world.ts';

const here = 'ch-exemple';
const there = 'ch-voisin';
type Where = typeof here | typeof there;
const accession = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'ACSN' }] };
const domain = { [here]: 'urn:oid:2.999.51', [there]: 'urn:oid:2.999.52' };

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const { identifier: _none, ...organization } = hospital([], there);
  await world.store.transaction(world.as('administrator'), (tx) => tx.update({ ...organization, name: 'CH-VOISIN' }));
});
afterAll(() => world.close());

const by = (where: Where, interaction: string) => ({ ...world.as('ris', interaction), establishments: [where] });

/** Whom an establishment knows, under a number of its own. */
function known(who: Person, where: Where) {
  const own = patient(who, { name: [{ family: `TEST-${where.toUpperCase()}`, given: [`P${who.ipp}`] }] });
  return {
    ...own,
    identifier: own.identifier?.map((each, index) => (index === 0 ? { ...each, system: domain[where] } : each)),
  };
}

async function asked(where: Where, who: Person, numbers: { system?: string; value: string; type?: object }[] = []) {
  const number = `DEM-${fresh()}`;
  const one = request(who, { patient: known(who, where) }, number);
  const own = { ...placer(number), system: `${domain[where]}.1` };
  const serviceRequest = { ...one.serviceRequest, identifier: [own, ...numbers] };
  const { task } = await world.store.transaction(by(where, 'hl7v2:ORM^O01'), (tx) =>
    world.room.receiveRequest(tx, { ...one, serviceRequest }, where),
  );
  if (stateOf(task) === 'protocol-wanted') await world.operate('radiologist', 'protocol', task.id!, { text: 'TDM' });
  return { id: task.id!, number: own, who, where };
}
type Asked = Awaited<ReturnType<typeof asked>>;

const complete = ({ number, who, where }: Asked, studyUid: string, changes: Partial<ExamComplement> = {}) =>
  world.store.transaction(by(where, 'hl7v2:OMI^O23'), (tx) =>
    world.room.completeExam(
      tx,
      [
        exam(who, '', studyUid, {
          ...{ placer: number, patient: known(who, where) },
          accessionNumber: { system: `${domain[where]}.2`, value: `ACN${fresh()}` },
          ...changes,
        }),
      ],
      where,
    ),
  );

const images = (where: Where, who: Person, studyUid: string, more: object = {}) =>
  world.images(
    study(who, studyUid, { patientName: `TEST-${where.toUpperCase()}^P${who.ipp}`, ...more }),
    { '1.1': 3 },
    { establishment: where },
  );

const studies = async (id: string) => outputs(await world.task(id), 'imaging-study');
const state = async ({ id }: Asked) => stateOf(await world.task(id));
const all = () => world.store.search(tenant, 'DetectedIssue', '_count=500');
const about = (issues: DetectedIssue[], one: Asked) =>
  issues.filter(
    (issue) => labelsOf(issue).includes(one.where) && !labelsOf(issue).includes(one.where === here ? there : here),
  );

/** What nobody of the other establishment may read of a case. */
async function secretsOf({ id, who }: Asked, studyUid?: string): Promise<string[]> {
  const task = await world.task(id);
  const images = studyUid === undefined ? [] : [`study-${studyUid.replaceAll('.', '-')}`];
  const bare = [task.for, task.focus].map((each) => each!.reference!.split('/')[1]!);
  return [id, ...bare, who.ipp, who.ins, bornOn(who), ...images];
}

/** The problems raised meanwhile, each of one establishment and without a word of the other. */
async function raised(act: () => Promise<unknown>, sides: Record<Where, string[]>): Promise<DetectedIssue[]> {
  const before = new Set((await all()).map(({ id }) => id));
  await act();
  const found = (await all()).filter(({ id }) => !before.has(id));
  for (const issue of found) {
    expect(labelsOf(issue), JSON.stringify(issue)).toHaveLength(1);
    const secrets = sides[labelsOf(issue)[0] === here ? there : here];
    expect(secrets.length).toBeGreaterThan(0);
    for (const each of secrets) expect(JSON.stringify(issue)).not.toContain(each);
  }
  return found;
}

async function decide(issue: DetectedIssue, code: string, to?: string): Promise<void> {
  const target = to
    ? {
        extension: [
          {
            url: 'https://fhir.passerelle.example/StructureDefinition/reattached-to',
            valueReference: { reference: `Task/${to}` },
          },
        ],
      }
    : {};
  const [entry] = mitigation(code);
  const decided = { ...issue, status: 'final', mitigation: [{ ...entry!, ...target }] } as DetectedIssue & Resource;
  await world.store.transaction(world.as('quality'), (tx) => tx.update(decided as DetectedIssue & { id: string }));
}

const told = (secrets: string[], other: string[]) => ({ [here]: secrets, [there]: other }) as Record<Where, string[]>;

/** A case of `where` with its images, which flow 4 announced. */
async function withImages(where: Where) {
  const one = await asked(where, person());
  const studyUid = uid();
  await complete(one, studyUid);
  await images(where, one.who, studyUid);
  world.clock.pass(4_000);
  await world.room.sweep();
  expect(await state(one)).toBe('ready');
  return { ...one, studyUid };
}

describe('an accession number of two establishments', () => {
  it('is a coincidence where nobody says whose it is: both cases go on, images find the one of their sender', async () => {
    const number = { type: accession, value: `SAME${fresh()}` };
    const one = await asked(here, person(), [number]);
    const found = await raised(
      async () => {
        const two = await asked(there, person(), [number]);
        expect(await state(two)).not.toBe('identity-hold');
        const studyUid = uid();
        await images(there, two.who, studyUid, { accessionNumber: number.value });
        expect(await studies(two.id)).toHaveLength(1);
      },
      told(['(nothing)'], ['(nothing)']),
    );
    expect(found).toEqual([]);
    expect(await state(one)).not.toBe('identity-hold');
    expect(await studies(one.id)).toHaveLength(0);
  });

  it('within one establishment is still a doubt about both', async () => {
    const number = { type: accession, value: `SAME${fresh()}` };
    const one = await asked(here, person(), [number]);
    const two = await asked(here, person(), [number]);
    expect([await state(one), await state(two)]).toEqual(['identity-hold', 'identity-hold']);
    expect(await issuesOf(world, one.id, 'accession-collision')).toHaveLength(1);
  });

  it.each([
    ['with the request', true],
    ['later', false],
  ])('of one authority, %s, is told to each its own side; each is decided about alone', async (_when, atOnce) => {
    const number = { type: accession, system: 'urn:oid:2.999.77', value: `SAME${fresh()}` };
    const one = await asked(here, person(), [number]);
    const other = person();
    let two!: Asked;
    const act = async () => {
      two = await asked(there, other, atOnce ? [number] : []);
      if (!atOnce) await complete(two, uid(), { accessionNumber: number });
    };
    const found = await raised(act, told(await secretsOf(one), [other.ipp, other.ins, bornOn(other)]));
    expect(found.map(({ code }) => code?.coding?.[0]?.code)).toEqual(['accession-collision', 'accession-collision']);
    for (const each of await secretsOf(two)) expect(JSON.stringify(about(found, one))).not.toContain(each);
    expect([await state(one), await state(two)]).toEqual(['identity-hold', 'identity-hold']);
    await decide(about(found, two)[0]!, 'verified');
    expect(await state(two)).not.toBe('identity-hold');
    expect(await state(one)).toBe('identity-hold');
    await decide(about(found, one)[0]!, 'verified');
    expect(await state(one)).not.toBe('identity-hold');
  });
});

describe('an exam of another establishment', () => {
  const claims = {
    'a request announces': (two: Person, studyUid: string) =>
      asked(there, two, [{ system: 'urn:dicom:uid', value: `urn:oid:${studyUid}` }]),
    'flow 4 announces': async (two: Person, studyUid: string) => {
      const one = await asked(there, two);
      await complete(one, studyUid);
      return one;
    },
  };

  it.each(Object.entries(claims))('that %s stays where it is, and each side is told its own', async (_how, claim) => {
    const one = await withImages(here);
    const other = person();
    let two!: Asked;
    const act = async () => {
      two = await claim(other, one.studyUid);
    };
    const found = await raised(act, told(await secretsOf(one, one.studyUid), [other.ipp, other.ins, bornOn(other)]));
    expect(found).toHaveLength(2);
    for (const each of await secretsOf(two)) expect(JSON.stringify(about(found, one))).not.toContain(each);
    expect(await state(one)).toBe('ready');
    expect(await studies(one.id)).toHaveLength(1);
    expect(await studies(two.id)).toHaveLength(0);
    expect(await issuesOf(world, two.id, 'study-claimed')).toHaveLength(1);
    await expect(decide(about(found, one)[0]!, 'verified')).rejects.toThrow('images-reattached');
    // The images may be the other's after all: identity vigilance, which sees both, gives them.
    await decide(about(found, one)[0]!, 'images-reattached', two.id);
    expect(await studies(two.id)).toHaveLength(1);
    expect(await studies(one.id)).toHaveLength(0);
    await expect(decide(about(found, two)[0]!, 'images-rejected')).rejects.toThrow("est l'une de : verified");
    await decide(about(found, two)[0]!, 'verified');
    expect(await state(two)).not.toBe('identity-hold');
  });

  it('that is signed is told as such', async () => {
    const one = await withImages(here);
    await world.operate('radiologist', 'claim', one.id);
    await world.operate('radiologist', 'displayed', one.id, { series: ['1.1'] });
    await world.operate('radiologist', 'phone-exchange', one.id, { summary: 'Prévenu', with: 'Dr ALIX' });
    await world.operate('radiologist', 'sign', one.id, report);
    const other = person();
    let two!: Asked;
    const act = async () => {
      two = await claims['flow 4 announces'](other, one.studyUid);
    };
    await raised(act, told(await secretsOf(one, one.studyUid), [other.ipp, other.ins, bornOn(other)]));
    expect(await issuesOf(world, two.id, 'study-reported')).toHaveLength(1);
  });

  it('does not leave a case it was guessed to belong to', async () => {
    const one = await asked(here, person());
    const studyUid = uid();
    await images(here, one.who, studyUid);
    expect(await studies(one.id)).toHaveLength(1);
    const other = person();
    await raised(
      () => claims['flow 4 announces'](other, studyUid),
      told(await secretsOf(one, studyUid), [other.ipp, other.ins, bornOn(other)]),
    );
    expect(await studies(one.id)).toHaveLength(1);
  });

  it('announced before it comes finds its own case; who announced it is told once', async () => {
    const studyUid = uid();
    const two = await claims['flow 4 announces'](person(), studyUid);
    const number = { type: accession, system: 'urn:oid:2.999.78', value: `ACN${fresh()}` };
    const one = await asked(here, person(), [number]);
    const found = await raised(
      async () => {
        for (const _each of [1, 2])
          await images(here, one.who, studyUid, { accessionNumber: number.value, accessionIssuer: '2.999.78' });
      },
      told(await secretsOf(one, studyUid), await secretsOf(two)),
    );
    expect(await studies(one.id)).toHaveLength(1);
    expect(await studies(two.id)).toHaveLength(0);
    expect(await state(two)).toBe('identity-hold');
    expect(found.filter((issue) => labelsOf(issue)[0] === there)).toHaveLength(1);
  });

  it('that waits for its case, or is in quarantine, is not held for whoever announces it', async () => {
    const waiting = uid();
    const stranger = person();
    await images(here, stranger, waiting);
    const secrets = [`study-${waiting.replaceAll('.', '-')}`, stranger.ipp, bornOn(stranger)];
    const other = person();
    let two!: Asked;
    const act = async () => {
      two = await claims['flow 4 announces'](other, waiting);
    };
    await raised(act, told(secrets, [other.ipp, other.ins, bornOn(other)]));
    expect(await issuesOf(world, two.id, 'study-claimed')).toHaveLength(1);

    const one = await asked(here, person());
    const held = uid();
    await complete(one, held);
    await images(here, person(), held);
    const [own] = await issuesOf(world, one.id);
    const third = person();
    await raised(
      async () => {
        two = await claims['flow 4 announces'](third, held);
      },
      told(await secretsOf(one, held), [third.ipp, third.ins, bornOn(third)]),
    );
    expect(await issuesOf(world, two.id, 'study-claimed')).toHaveLength(1);
    // What the first case waits for is still decided by its own problem.
    await decide(own!, 'identity-confirmed');
    expect(await studies(one.id)).toHaveLength(1);
  });

  it('of the same person is taken by the request that announces it', async () => {
    const who = person();
    const studyUid = uid();
    await images(here, who, studyUid, { patientName: `TEST-CH-VOISIN^P${who.ipp}` });
    const found = await raised(
      async () => {
        const two = await claims['flow 4 announces'](who, studyUid);
        expect(await studies(two.id)).toHaveLength(1);
      },
      told(['(nothing)'], ['(nothing)']),
    );
    expect(found).toEqual([]);
  });

  it('that follows its patient has its doubts told where it is read', async () => {
    const who = person();
    const two = await asked(there, who);
    const studyUid = uid();
    await complete(two, studyUid);
    const found = await raised(
      () =>
        world.images(
          study(who, studyUid, { patientName: `TEST-CH-VOISIN^P${who.ipp}` }),
          { '1.1': 3 },
          { establishment: here, started: '2024-11-03T10:00:00+01:00' },
        ),
      told(['(nothing)'], await secretsOf(two)),
    );
    expect(found.map((issue) => [issue.code?.coding?.[0]?.code, ...labelsOf(issue)])).toEqual([
      ['prior-as-current', there],
    ]);
  });
});
