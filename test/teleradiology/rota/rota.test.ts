/** Rotas on a real store: planning, publication, changes, swaps, and whom to call, by operations and by plain writes. */
import type { ContractTerm, ParametersParameter, Schedule, Slot } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FhirTransaction } from '../../../src/fhir/index.ts';
import { penaltiesCsv, penaltiesOf } from '../../../src/teleradiology/index.ts';
import { shiftOn } from '../../../src/teleradiology/rota/calendar.ts';
import { contractOf } from '../contract-terms/contracts.ts';
import {
  ask,
  asSystem,
  certify,
  paris,
  partsOf,
  plan,
  publish,
  refusalOf,
  textsOf,
  told,
  valueGiven,
} from '../support/staff.ts';
import { createWorld, tenant, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld('2026-10-10T08:00:00Z', [{ url: 'credentialsRequired', valueBoolean: true }]);
  await certify(world, 'radiologue');
  await certify(world, 'radiologue-2', { insurance: { end: '2026-11-14' } });
  await world.store.transaction(asSystem(world), async (tx) => {
    for (const [id, phone] of [
      ['radiologue', '0600000001'],
      ['radiologue-2', '0600000002'],
      ['coordonnateur', '0600000003'],
    ] as const) {
      const known = await tx.read('Practitioner', id);
      await tx.update({
        ...known,
        telecom: [
          { system: 'phone', value: phone, use: 'mobile' },
          { system: 'email', value: `${id}@exemple.fr` },
        ],
      });
    }
  });
});
afterAll(() => world.close());

const onDuty = (at: string) => ask(world, 'coordinator', 'Organization/$on-duty', 'ch-exemple', { at });
const rota = (month: string) => ask(world, 'coordinator', 'Organization/$rota', 'ch-exemple', { month });
const penalties = (month: string) => ask(world, 'coordinator', 'Organization/$penalties', 'ch-exemple', { month });
const slots = (): Promise<Slot[]> => world.store.search(tenant, 'Slot', '_sort=start');
const write = (slot: Slot, who: 'coordinator' | 'administrator' = 'coordinator') =>
  world.store.transaction(world.as(who, 'update'), async (tx) => (slot.id ? tx.update(slot) : tx.create(slot)));

describe('a month being planned', () => {
  it('has provisional shifts under a Schedule of the person and the service of the establishment', async () => {
    const night = await plan(world, '2026-11-02', '20:00', '08:00');
    expect(night).toMatchObject({
      status: 'busy-tentative',
      start: '2026-11-02T19:00:00.000Z',
      end: '2026-11-03T07:00:00.000Z',
    });
    const schedule = await world.store.read(tenant, 'Schedule', night.schedule.reference!.slice('Schedule/'.length));
    expect(schedule.planningHorizon).toEqual({ start: '2026-10-31T23:00:00.000Z', end: '2026-11-30T23:00:00.000Z' });
    expect(schedule.actor.map(({ reference }) => reference?.split('/')[0])).toEqual([
      'PractitionerRole',
      'HealthcareService',
    ]);
    await plan(world, '2026-11-03', '20:00', '08:00');
    expect(await world.store.search(tenant, 'Schedule', '')).toHaveLength(1);
  });

  it('is nobody’s duty yet', async () => {
    expect(valueGiven(await onDuty('2026-11-02T22:00:00Z'), 'covered')).toBe(false);
  });

  it('takes nobody whose certificates do not last through the shift, and says which', async () => {
    await plan(world, '2026-11-13', '20:00', '08:00', 'radiologue-2');
    expect(await refusalOf(plan(world, '2026-11-14', '20:00', '08:00', 'radiologue-2'))).toEqual({
      status: 422,
      text: 'Non planifiable du 14/11/2026 20:00 au 15/11/2026 08:00, faute de pièce valable jusqu’au bout : Attestation d’assurance.',
    });
    expect(await refusalOf(plan(world, '2026-11-05', '20:00', '08:00', 'demandeur'))).toMatchObject({ status: 422 });
    // Who coordinates reads nothing.
    await plan(world, '2026-11-02', '00:00', '24:00', 'coordonnateur', 'coordinator');
  });

  it('is held to the same rules by plain writes', async () => {
    const [schedule] = (await world.store.search(
      tenant,
      'Schedule',
      'actor:PractitionerRole.practitioner=Practitioner/radiologue',
    )) as Schedule[];
    const slot: Slot = {
      resourceType: 'Slot',
      schedule: { reference: `Schedule/${schedule!.id}` },
      status: 'busy-tentative',
      start: '2026-11-10T19:00:00Z',
      end: '2026-11-11T07:00:00Z',
    };
    const stored = await write(slot);
    expect(await refusalOf(write({ ...slot, status: 'busy' }))).toMatchObject({
      status: 422,
      text: expect.stringContaining('provisoire'),
    });
    expect(
      await refusalOf(write({ ...slot, start: '2026-12-10T19:00:00Z', end: '2026-12-11T07:00:00Z' })),
    ).toMatchObject({
      text: 'Une garde commence dans le mois de son tableau.',
    });
    expect(await refusalOf(write({ ...slot, end: '2026-11-15T07:00:00Z' }))).toMatchObject({
      text: expect.stringContaining('72 heures'),
    });
    expect(await refusalOf(write({ ...slot, end: '2026-11-10T10:00:00Z' }))).toMatchObject({ status: 422 });
    const published = [
      {
        url: 'https://fhir.passerelle.example/StructureDefinition/rota-publication',
        extension: [
          { url: 'published', valueInstant: '2026-10-10T08:00:00Z' },
          { url: 'late', valueBoolean: false },
        ],
      },
    ];
    const schedules = (changes: Partial<Schedule>) =>
      world.store.transaction(world.as('coordinator', 'update'), async (tx) => tx.update({ ...schedule!, ...changes }));
    expect(await refusalOf(schedules({ extension: published }))).toMatchObject({
      text: expect.stringContaining('$publish'),
    });
    expect(
      await refusalOf(schedules({ planningHorizon: { start: '2026-12-01T00:00:00Z', end: '2026-12-31T00:00:00Z' } })),
    ).toMatchObject({
      text: expect.stringContaining('porte des gardes'),
    });
    await write({ ...stored, status: 'entered-in-error' });
    expect(partsOf(await rota('2026-11'), 'shift')).toHaveLength(4);
  });

  it('stays with its person and its establishment, whatever is written of the directory', async () => {
    const rewrite = (work: (tx: FhirTransaction) => Promise<unknown>) =>
      refusalOf(world.store.transaction(world.as('administrator', 'update'), work));
    const [service] = await world.store.search(tenant, 'HealthcareService', '');
    const elsewhere = { reference: 'Organization/passerelle-exemple' };
    expect(await rewrite((tx) => tx.update({ ...service!, providedBy: elsewhere }))).toMatchObject({ status: 422 });
    const [role] = await world.store.search(tenant, 'PractitionerRole', 'practitioner=Practitioner/radiologue');
    const another = { reference: 'Practitioner/radiologue-2' };
    expect(await rewrite((tx) => tx.update({ ...role!, practitioner: another }))).toMatchObject({ status: 422 });
    expect(await rewrite((tx) => tx.delete('PractitionerRole', role!.id!))).toMatchObject({ status: 422 });
  });

  it('leaves other calendars alone', async () => {
    await world.store.transaction(world.as('coordinator', 'create'), async (tx) => {
      const calendar = await tx.create<Schedule>({
        resourceType: 'Schedule',
        actor: [{ reference: 'Practitioner/demandeur' }],
      });
      await tx.create<Slot>({
        resourceType: 'Slot',
        schedule: { reference: `Schedule/${calendar.id}` },
        status: 'free',
        start: '2026-11-10T19:00:00Z',
        end: '2026-11-10T20:00:00Z',
      });
    });
  });

  it('shows its holes and who will be tired, and is not refused for it', async () => {
    await plan(world, '2026-11-03', '12:00', '20:00');
    const warnings = partsOf(await rota('2026-11'), 'warning');
    expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['gap', 'short-rest']));
    expect(warnings.find(({ code }) => code === 'short-rest')).toMatchObject({
      start: '2026-11-03T07:00:00.000Z',
      end: '2026-11-03T11:00:00.000Z',
      text: expect.stringContaining('4 h de repos'),
    });
  });
});

describe('a month published', () => {
  it('becomes firm at once, is told to everybody on it, and is not late more than seven days before', async () => {
    const answer = await publish(world, '2026-11');
    expect(valueGiven(answer, 'late')).toBe(false);
    expect(valueGiven(answer, 'shifts')).toBe(5);
    const month = await rota('2026-11');
    expect(partsOf(month, 'shift').every(({ published }) => published === true)).toBe(true);
    const [message, ...others] = await told(world, 'rota-published');
    expect(others).toEqual([]);
    expect(new Set(message?.recipient?.map(({ reference }) => reference))).toEqual(
      new Set([
        'Practitioner/radiologue',
        'Practitioner/radiologue-2',
        'Practitioner/coordonnateur',
        'Organization/ch-exemple',
        'Organization/passerelle-exemple',
      ]),
    );
    expect(await refusalOf(publish(world, '2026-11'))).toMatchObject({
      status: 422,
      text: expect.stringContaining('Rien à publier'),
    });
  });

  it('says whom to call: the radiologist, then who coordinates, with their telephone and until when', async () => {
    const night = await onDuty('2026-11-02T22:00:00Z');
    expect(valueGiven(night, 'covered')).toBe(true);
    expect(partsOf(night, 'duty')).toEqual([
      {
        kind: 'radiologist',
        practitioner: 'Practitioner/radiologue',
        phone: '0600000001',
        email: 'radiologue@exemple.fr',
        since: '2026-11-02T19:00:00.000Z',
        until: '2026-11-03T07:00:00.000Z',
      },
      expect.objectContaining({ kind: 'coordinator', phone: '0600000003' }),
    ]);
  });

  it('names the coordinator and the next radiologist when nobody reads', async () => {
    const morning = await onDuty('2026-11-02T10:00:00Z');
    expect(valueGiven(morning, 'covered')).toBe(false);
    expect(partsOf(morning, 'duty')).toMatchObject([{ kind: 'coordinator' }]);
    expect(partsOf(morning, 'next')).toMatchObject([
      { practitioner: 'Practitioner/radiologue', since: '2026-11-02T19:00:00.000Z' },
    ]);
  });

  it('tells one shift after the other as one', async () => {
    expect(partsOf(await onDuty('2026-11-03T15:00:00Z'), 'duty')).toMatchObject([
      { since: '2026-11-03T11:00:00.000Z', until: '2026-11-04T07:00:00.000Z' },
    ]);
  });

  it('is changed with notice, told by name to everybody concerned', async () => {
    const [slot] = await slots();
    await ask(
      world,
      'coordinator',
      'Slot/$swap',
      partsOf(await rota('2026-11'), 'shift')
        .find(({ start }) => start === '2026-11-02T19:00:00.000Z')!
        .slot!.toString()
        .slice(5),
      {
        to: { reference: 'Practitioner/radiologue-2' },
      },
    );
    expect(slot).toBeDefined();
    const [message] = await told(world, 'rota-change');
    expect(textsOf([message!])[0]).toBe(
      'CH-EXEMPLE IMAGERIE : garde (Radiologue) du 02/11/2026 20:00 au 03/11/2026 08:00 : TEST-RADIOLOGUE-2 à la place de TEST-RADIOLOGUE.',
    );
    expect(message?.recipient?.map(({ reference }) => reference)).toEqual([
      'Practitioner/radiologue',
      'Practitioner/radiologue-2',
      'Organization/ch-exemple',
      'Organization/passerelle-exemple',
    ]);
    expect(partsOf(await onDuty('2026-11-02T22:00:00Z'), 'duty')).toMatchObject([
      { practitioner: 'Practitioner/radiologue-2' },
      {},
    ]);
    const month = await rota('2026-11');
    expect([valueGiven(month, 'changes'), valueGiven(month, 'lateChanges')]).toEqual([1, 0]);
  });

  it('is changed late less than seven days before the shift, which counts for the penalties', async () => {
    world.clock.set('2026-10-28T08:00:00Z');
    const [first, second] = partsOf(await rota('2026-11'), 'shift').filter(({ kind }) => kind === 'radiologist');
    await ask(world, 'coordinator', 'Slot/$swap', String(first!.slot).slice(5), {
      with: { reference: String(second!.slot) },
    });
    const month = await rota('2026-11');
    expect([valueGiven(month, 'changes'), valueGiven(month, 'lateChanges')]).toEqual([3, 2]);
    const counted = await penalties('2026-11');
    expect([valueGiven(counted, 'rotaPublishedLate'), valueGiven(counted, 'lateRotaChanges')]).toEqual([false, 2]);
    expect(textsOf(await told(world, 'rota-change')).filter((text) => text.includes('Changement tardif'))).toHaveLength(
      2,
    );
    const withdrawn = await world.store.read(tenant, 'Slot', String(second!.slot).slice(5));
    await write({ ...withdrawn, status: 'entered-in-error' });
    const texts = textsOf(await told(world, 'rota-change')).filter((text) => text.includes('retirée'));
    expect(texts[0]).toContain('Sans radiologue : du ');
  });

  it('keeps what is over as evidence', async () => {
    world.clock.set('2026-11-20T08:00:00Z');
    const [shift] = partsOf(await rota('2026-11'), 'shift');
    const over = await world.store.read(tenant, 'Slot', String(shift!.slot).slice(5));
    expect(await refusalOf(write({ ...over, status: 'entered-in-error' }))).toEqual({
      status: 422,
      text: 'Une garde terminée ne se modifie plus.',
    });
  });

  it('takes further shifts as changes of it', async () => {
    const added = await plan(world, '2026-11-29', '20:00', '08:00');
    expect(added.status).toBe('busy');
    expect(textsOf(await told(world, 'rota-change')).some((text) => text.includes('ajoutée'))).toBe(true);
  });
});

describe('who is on the rota', () => {
  it('asks to be relieved of a shift ahead of theirs, and the coordinators are told', async () => {
    const slot = partsOf(await rota('2026-11'), 'shift').find(({ start }) => String(start) > '2026-11-29')!.slot;
    const asks = (who: 'radiologist' | 'other-radiologist') =>
      ask(world, who, 'Slot/$ask-swap', String(slot).slice('Slot/'.length), {
        to: { reference: 'Practitioner/radiologue-2' },
        reason: 'Congrès',
      });
    expect(await refusalOf(asks('other-radiologist'))).toMatchObject({ status: 403 });
    await asks('radiologist');
    const [message, ...others] = await told(world, 'rota-swap');
    expect(others).toEqual([]);
    expect(textsOf([message!])[0]).toBe(
      'CH-EXEMPLE IMAGERIE : TEST-RADIOLOGUE demande l’échange de sa garde (Radiologue) du 29/11/2026 20:00 au 30/11/2026 08:00 avec TEST-RADIOLOGUE-2. Motif : Congrès',
    );
    expect(message?.recipient?.map(({ reference }) => reference)).toEqual([
      'Organization/passerelle-exemple',
      'Practitioner/radiologue-2',
      'Practitioner/radiologue',
    ]);
    // Nothing has changed until somebody decides.
    expect(partsOf(await rota('2026-11'), 'shift').find((each) => each.slot === slot)).toMatchObject({
      practitioner: 'Practitioner/radiologue',
    });
  });
});

describe('a month that comes late', () => {
  it('is asked for seven days before, and flagged when it is published after that', async () => {
    await plan(world, '2026-12-01', '20:00', '08:00');
    world.clock.set('2026-11-24T08:00:00Z');
    await world.room.sweep();
    await world.room.sweep();
    expect(textsOf(await told(world, 'rota-late'))).toEqual([
      'CH-EXEMPLE IMAGERIE : le tableau de garde de décembre 2026 n’est pas publié, moins de sept jours avant le mois.',
    ]);
    expect(valueGiven(await publish(world, '2026-12'), 'late')).toBe(true);
    expect(valueGiven(await penalties('2026-12'), 'rotaPublishedLate')).toBe(true);
    expect(textsOf(await told(world, 'rota-published')).some((text) => text.includes('Publication tardive'))).toBe(
      true,
    );
  });

  it('is watched for the month after as well, without anybody planning it', async () => {
    world.clock.set('2026-12-26T08:00:00Z');
    await world.room.sweep();
    expect(textsOf(await told(world, 'rota-late')).some((text) => text.includes('de janvier 2027'))).toBe(true);
  });

  it('tells a gap a day before it begins, unless it was filled', async () => {
    const gaps = async () => textsOf(await told(world, 'rota-gap'));
    expect((await gaps()).some((text) => text.includes('du 02/12/2026 08:00'))).toBe(true);
  });
});

describe('an establishment', () => {
  it('is planned by its own coordinators only', async () => {
    const bound = { ...world.as('coordinator', 'operation:Organization/$plan-duty'), establishments: ['ch-autre'] };
    const { start, end } = shiftOn('2026-12-28', '20:00', '08:00', paris);
    const operation = world.store.operations.find(({ name }) => name === 'plan-duty')!;
    const work = world.store.transaction(
      bound,
      (tx) =>
        operation.run({
          tx,
          id: 'ch-exemple',
          parameters: {
            resourceType: 'Parameters',
            parameter: [
              { name: 'practitioner', valueReference: { reference: 'Practitioner/radiologue' } },
              { name: 'start', valueInstant: start.toISOString() },
              { name: 'end', valueInstant: end.toISOString() },
            ],
          },
          base: '',
          query: '',
          authorize: () => undefined,
          isAllowed: () => true,
        }) as Promise<unknown>,
    );
    expect(await refusalOf(work)).toEqual({ status: 403, text: 'Cet établissement n’est pas l’un des vôtres.' });
  });
});

describe('what a late rota costs', () => {
  const named = async (month: string, name: string) =>
    ((await penalties(month)) as { parameter?: ParametersParameter[] }).parameter?.filter(
      (each) => each.name === name,
    ) ?? [];
  const lapses = async (month: string) =>
    (await named(month, 'rota')).map(({ part }) => {
      const of = (name: string) => part?.find((each) => each.name === name);
      return [of('lapse')?.valueCode, of('rule')?.valueCode, of('amount')?.valueMoney?.value];
    });
  const clause = (rule: string, lapse: string, unit: string, value: number): ContractTerm => ({
    identifier: { value: rule },
    type: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/rota-clause', code: lapse }] },
    offer: { text: rule },
    asset: [
      {
        valuedItem: [
          {
            entityCodeableConcept: {
              coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/penalty-unit', code: unit }],
            },
            unitPrice: { value, currency: 'EUR' },
          },
        ],
      },
    ],
  });
  const agree = (term: ContractTerm[], id?: string) =>
    world.store.transaction(world.as('administrator'), (tx) => {
      const contract = contractOf([], { term });
      return id === undefined ? tx.create(contract) : tx.update({ ...contract, id });
    });

  it('is nothing where no clause says so, and what was agreed when it happened, whatever is agreed since', async () => {
    // The month is published, and a shift is added to it three days before.
    world.clock.set('2026-12-26T12:00:00Z');
    await plan(world, '2026-12-29', '20:00', '08:00');
    const before = await lapses('2026-12');
    expect(before).toContainEqual(['rota-changed-late', undefined, undefined]);
    expect(await named('2026-12', 'total')).toEqual([]);
    world.clock.pass(60_000);
    const { id } = await agree([clause('garde-changee', 'rota-changed-late', 'late-case', 80)]);
    expect(await lapses('2026-12')).toEqual(before);
    world.clock.pass(60_000);
    await plan(world, '2026-12-30', '20:00', '08:00');
    const total = [{ name: 'total', valueMoney: { value: 80, currency: 'EUR' } }];
    expect(await lapses('2026-12')).toEqual([...before, ['rota-changed-late', 'garde-changee', 80]]);
    expect(await named('2026-12', 'total')).toEqual(total);
    world.clock.pass(60_000);
    await agree([clause('garde-tardive', 'rota-published-late', 'started-day', 150.5)], id);
    expect(await named('2026-12', 'total')).toEqual(total);
    // Due at the midnight that begins the 25th of January at the latest; published two days and some hours after.
    await plan(world, '2027-02-01', '20:00', '08:00');
    world.clock.set('2027-01-27T08:00:00Z');
    await publish(world, '2027-02');
    expect(await lapses('2027-02')).toEqual([['rota-published-late', 'garde-tardive', 3 * 150.5]]);
    const found = await world.store.transaction(world.as('coordinator'), (tx) =>
      penaltiesOf(tx, 'ch-exemple', '2027-02'),
    );
    expect(penaltiesCsv(found)).toMatch(/"Garde : publication tardive";"garde-tardive";.*"451,50";"EUR"/);
  });

  it('is refused as a clause that cannot be counted: a change so many days late, a lapse there is not, no amount', async () => {
    const wrong = [
      clause('a', 'rota-changed-late', 'started-day', 10),
      clause('b', 'rota-forgotten', 'late-case', 10),
      { ...clause('c', 'rota-published-late', 'late-case', 10), asset: undefined },
    ];
    for (const term of wrong)
      await expect(agree([term])).rejects.toMatchObject({
        status: expect.toSatisfy((code) => code === 422 || code === 400),
      });
  });
});
