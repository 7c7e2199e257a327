/** The register of readers on a real store: rows that claims look at, alerts once each, exclusion with immediate effect. */
import type { PractitionerRole } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readerStanding } from '../../../src/teleradiology/people/index.ts';
import { ask, asSystem, certify, partsOf, plan, publish, refusalOf, textsOf, told } from '../support/staff.ts';
import { createWorld, tenant, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld('2026-11-22T08:00:00Z');
});
afterAll(() => world.close());

const reader = 'Practitioner/radiologue';
const standing = (practitioner = reader, now = world.clock.now()) =>
  world.store.transaction(asSystem(world), (tx) => readerStanding(tx, practitioner, 'Organization/ch-exemple', now));

describe('qualifications', () => {
  it('are missing until they are recorded, and valid from then on', async () => {
    expect(await standing()).toEqual({ credentials: 'missing', excluded: false, onDuty: false });
    await certify(world, 'radiologue', { insurance: { start: '2026-01-01', end: '2026-12-31' } });
    expect((await standing()).credentials).toBe('valid');
    expect((await standing(reader, new Date('2026-12-31T22:59:59Z'))).credentials).toBe('valid');
    expect((await standing(reader, new Date('2026-12-31T23:00:00Z'))).credentials).toBe('expired');
  });

  it('are asked with one statement, that touches the rows of this reader by their index', async () => {
    await world.store.transaction(asSystem(world), async (tx) => {
      const asked: [string, readonly unknown[]][] = [];
      const query = (text: string, values: readonly unknown[]) => {
        asked.push([text, values]);
        return tx.sql.query(text, values as unknown[]);
      };
      const sql = { query } as unknown as typeof tx.sql;
      await readerStanding({ sql, context: tx.context }, reader, 'Organization/ch-exemple', world.clock.now());
      expect(asked).toHaveLength(1);
      await tx.sql.query(
        `INSERT INTO duty_shift (tenant, slot_id, schedule_id, establishment_id, practitioner_id, role_id, kind, starts_at, ends_at, published)
         SELECT $1, n, 's', 'ch-exemple', 'p' || n % 50, 'r', 'radiologist', t, t + interval '12 hours', true
         FROM generate_series(1, 5000) AS n, LATERAL (SELECT timestamptz '2020-01-01' + n * interval '12 hours' AS t) AS at`,
        [tenant],
      );
      const [text, values] = asked[0]!;
      const { rows } = await tx.sql.query<Record<string, string>>(`EXPLAIN ${text}`, values as unknown[]);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(/Index.* on duty_shift|duty_shift_/);
      expect(plan).not.toContain('Seq Scan on duty_shift');
      await tx.sql.query(`DELETE FROM duty_shift WHERE tenant = $1 AND schedule_id = 's'`, [tenant]);
    });
  });

  it('are not for the software of a hospital, nor for the reader, to record', async () => {
    for (const who of ['ris', 'radiologist'] as const)
      expect(await refusalOf(certify(world, 'radiologue', {}, who))).toEqual({
        status: 422,
        text: 'Les qualifications d’un radiologue sont enregistrées par un administrateur.',
      });
    await world.store.transaction(world.as('administrator', 'update'), async (tx) => {
      const known = await tx.read('Practitioner', 'radiologue');
      await tx.update({ ...known, telecom: [{ system: 'phone', value: '0600000001', use: 'mobile' }] });
    });
  });

  it('that end are told 60, 30 and 7 days before and at their end: once each, to the reader and the coordinators', async () => {
    const messages = async () => textsOf(await told(world, 'qualification-expiry'));
    await world.room.sweep();
    expect(await messages()).toHaveLength(1);
    expect((await told(world, 'qualification-expiry'))[0]?.recipient).toEqual([
      { reference: reader },
      { reference: 'Organization/passerelle-exemple' },
    ]);
    expect((await messages())[0]).toMatch(
      /^Attestation d’assurance de RADIOLOGUE|Attestation d’assurance de TEST-RADIOLOGUE/,
    );
    world.clock.set('2026-12-02T08:00:00Z');
    await world.room.sweep();
    await world.room.sweep();
    expect(await messages()).toHaveLength(2);
    world.clock.set('2027-01-02T08:00:00Z');
    await (await world.anotherRoom()).sweep();
    const last = (await messages()).slice(2);
    expect(last).toHaveLength(2);
    expect(last.join()).toContain('expirée depuis le 31/12/2026');
  });

  it('that were renewed are told no more', async () => {
    const before = (await told(world, 'qualification-expiry')).length;
    await certify(world, 'radiologue-2', { liability: { end: '2027-01-05' } });
    await certify(world, 'radiologue-2', { liability: { end: '2028-01-05' } });
    world.clock.set('2027-01-06T08:00:00Z');
    await world.room.sweep();
    expect((await told(world, 'qualification-expiry')).length).toBe(before);
    await certify(world, 'radiologue', {});
  });

  it('have documents that are about a professional, and nothing of a patient is among them', async () => {
    const document = {
      resourceType: 'DocumentReference',
      status: 'current',
      type: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/qualification', code: 'insurance' }] },
      category: [
        { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/document-category', code: 'professional' }] },
      ],
      subject: { reference: reader },
      content: [{ attachment: { contentType: 'application/pdf', data: 'JVBERi0xLjQ=', title: 'Attestation 2027' } }],
    } as const;
    const store = (changes: object) =>
      world.store.transaction(world.as('administrator', 'create'), async (tx) =>
        tx.create({ ...document, ...changes } as never),
      );
    await store({});
    const patient = await world.store.transaction(asSystem(world), (tx) => tx.create({ resourceType: 'Patient' }));
    const refused = { status: 422, text: expect.stringContaining('pièces d’un professionnel') };
    expect(await refusalOf(store({ subject: { reference: `Patient/${patient.id}` } }))).toEqual(refused);
    expect(await refusalOf(store({ type: { text: 'compte rendu' } }))).toEqual(refused);
    expect(await refusalOf(store({ context: { related: [{ reference: `Patient/${patient.id}` }] } }))).toEqual(refused);
  });
});

describe('an exclusion', () => {
  const exclude = (who: Parameters<typeof ask>[1] = 'coordinator') =>
    ask<PractitionerRole>(world, who, 'Organization/$exclude', 'ch-exemple', {
      practitioner: { reference: reader },
      reason: 'Retards répétés',
    });

  beforeEach(() => world.clock.set('2027-01-10T08:00:00Z'));

  it('holds from the instant it is decided, and is told and traced', async () => {
    const role = await exclude();
    expect(role).toMatchObject({ active: false, practitioner: { reference: reader } });
    expect((await standing()).excluded).toBe(true);
    const [message] = await told(world, 'reader-exclusion');
    expect(message?.recipient?.map((each) => each.reference)).toEqual([
      reader,
      'Organization/passerelle-exemple',
      'Organization/ch-exemple',
    ]);
    expect(textsOf([message!])[0]).toContain('Retards répétés');
    const traces = await world.store.search(tenant, 'Provenance', `target=PractitionerRole/${role.id}`);
    expect(traces).toMatchObject([{ agent: [{ who: { reference: 'Practitioner/coordonnateur' } }] }]);
    expect(await refusalOf(exclude())).toMatchObject({ status: 409 });
    // Everybody reads the directory, and everybody of an establishment what is labelled as its own.
    expect(JSON.stringify(role)).not.toContain('Retards');
    expect(message?.meta?.security).toBeUndefined();
  });

  it('keeps the reader off the rota', async () => {
    expect(await refusalOf(plan(world, '2027-02-03', '20:00', '08:00'))).toEqual({
      status: 422,
      text: 'L’établissement a exclu ce radiologue : il ne peut pas être planifié.',
    });
  });

  it('shows on the list of radiologists, and ends when they are reinstated', async () => {
    const list = async () =>
      partsOf(await ask(world, 'coordinator', 'Organization/$radiologists', 'ch-exemple'), 'radiologist');
    expect(await list()).toMatchObject([{ practitioner: reader, excluded: true, credentials: 'valid' }]);
    await ask(world, 'coordinator', 'Organization/$reinstate', 'ch-exemple', { practitioner: { reference: reader } });
    expect(await standing()).toMatchObject({ excluded: false });
    expect(await list()).toMatchObject([{ practitioner: reader, excluded: false, phone: '0600000001' }]);
    expect(
      await refusalOf(
        ask(world, 'coordinator', 'Organization/$reinstate', 'ch-exemple', { practitioner: { reference: reader } }),
      ),
    ).toMatchObject({ status: 409 });
  });

  it('written as a plain update has the same consequences, and is for those who keep the register', async () => {
    const [role] = await world.store.search(tenant, 'PractitionerRole', `practitioner=${reader}`);
    const extension = [
      {
        url: 'https://fhir.passerelle.example/StructureDefinition/reader-exclusion',
        extension: [{ url: 'since', valueInstant: '2027-01-10T08:00:00Z' }],
      },
    ];
    const put = (who: 'radiologist' | 'administrator', written = extension) =>
      world.store.transaction(world.as(who, 'update'), async (tx) =>
        tx.update({ ...role!, active: false, extension: written }),
      );
    expect(await refusalOf(put('radiologist'))).toMatchObject({ status: 422 });
    const later = structuredClone(extension);
    later[0]!.extension[0]!.valueInstant = '2027-01-11T08:00:00Z';
    expect(await refusalOf(put('administrator', later))).toMatchObject({ status: 422 });
    await put('administrator');
    expect(await standing()).toMatchObject({ excluded: true });
    const texts = textsOf(await told(world, 'reader-exclusion'));
    expect(texts.filter((text) => text.includes('avec effet immédiat. Aucun dossier'))).toHaveLength(1);
    await ask(world, 'coordinator', 'Organization/$reinstate', 'ch-exemple', { practitioner: { reference: reader } });
  });

  it('uncovers the shifts ahead, which is told', async () => {
    await plan(world, '2027-02-03', '20:00', '08:00');
    await publish(world, '2027-02');
    world.clock.set('2027-02-03T20:00:00Z');
    expect(await standing()).toMatchObject({ onDuty: true });
    await exclude();
    const onDuty = (at: string) => ask(world, 'coordinator', 'Organization/$on-duty', 'ch-exemple', { at });
    expect(partsOf(await onDuty('2027-02-03T20:00:00Z'), 'duty')).toEqual([]);
    // Until then they were on duty, and that stays so.
    expect(partsOf(await onDuty('2027-02-03T19:59:59Z'), 'duty')).toMatchObject([
      { until: '2027-02-03T20:00:00.000Z' },
    ]);
    const month = await ask(world, 'coordinator', 'Organization/$rota', 'ch-exemple', { month: '2027-02' });
    expect(partsOf(month, 'shift').map(({ void: isVoid }) => isVoid)).toEqual([undefined]);
    await world.room.sweep();
    expect(
      textsOf(await told(world, 'rota-gap')).some((text) => text.includes('aucun radiologue de garde depuis')),
    ).toBe(true);
  });
});
