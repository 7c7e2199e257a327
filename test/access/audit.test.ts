import type { AuditEvent, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noa, openRig, type Rig, ris } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const patient = (family: string): Patient => ({
  resourceType: 'Patient',
  name: [{ family, given: ['CAMILLE'] }],
  birthDate: '1980-05-02',
});

const references = (event: AuditEvent | undefined) =>
  event?.entity?.map((entity) => entity.what?.reference ?? entity.role?.code);

test('a transaction that writes leaves one event in itself: what, whose, who, from where, in which request', async () => {
  const made = await rig.store.transaction(rig.context(ris, 'transaction', 'req-write'), async (tx) => {
    const who = await tx.create(patient('TEST-ECRIT'));
    const order = await tx.create({
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: `Patient/${who.id}` },
    });
    return { who, order };
  });
  const [event, ...others] = await rig.trail(`patient=Patient/${made.who.id}`);
  expect(others).toEqual([]);
  expect(event).toMatchObject({
    action: 'C',
    outcome: '0',
    type: { code: 'rest' },
    subtype: [{ code: 'transaction' }],
    meta: { tag: [{ code: 'platform' }] },
    source: { observer: { reference: 'Device/passerelle' } },
  });
  expect(references(event)).toEqual([
    `Patient/${made.who.id}/_history/1`,
    `ServiceRequest/${made.order.id}/_history/1`,
    `Patient/${made.who.id}`,
    undefined,
  ]);
  expect(event?.entity?.at(-1)?.what?.identifier?.value).toBe('req-write');
  const [client, server] = event?.agent ?? [];
  expect(client).toMatchObject({
    who: { reference: 'Device/ris' },
    altId: 'ris',
    network: { address: '192.0.2.7', type: '2' },
  });
  expect(server).toMatchObject({
    who: { reference: 'Device/passerelle' },
    network: { address: 'http://passerelle.test' },
  });
});

test('a transaction that fails leaves neither resource nor event', async () => {
  const before = (await rig.trail()).length;
  const failing = rig.store.transaction(rig.context(noa, 'create'), async (tx) => {
    await tx.create(patient('TEST-ANNULE'));
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await rig.trail()).toHaveLength(before);
});

test('a read is in the trail when its audit resolves, found by patient, agent, entity, type and date, without clinical content', async () => {
  const stored = await rig.store.transaction(rig.context(ris, 'create'), (tx) => tx.create(patient('TEST-LU')));
  const report = {
    resourceType: 'DiagnosticReport' as const,
    id: 'r1',
    meta: { versionId: '3' },
    status: 'final' as const,
    code: { text: 'Scanner' },
    subject: { reference: `Patient/${stored.id}` },
    conclusion: 'Fracture du rocher',
  };
  rig.clock.advance(60_000);
  await rig.access.auditRead(rig.context(noa, 'read', 'req-read'), { resources: [report], outcome: 'success' });
  for (const query of [
    `patient=Patient/${stored.id}&action=R`,
    'agent=Practitioner/noa',
    'entity=DiagnosticReport/r1',
    `type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest&date=${rig.clock.now().toISOString()}&subtype=read`,
  ]) {
    const found = await rig.trail(query);
    expect(
      found.map((event) => event.entity?.[0]?.what?.reference),
      query,
    ).toEqual(['DiagnosticReport/r1/_history/3']);
  }
  const [event] = await rig.trail('entity=DiagnosticReport/r1');
  expect(event?.meta?.profile).toEqual([
    'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead',
  ]);
  expect(event?.agent?.map((agent) => [agent.type?.coding?.[0]?.code, agent.requestor, agent.who?.reference])).toEqual([
    ['110152', false, undefined],
    ['110153', false, 'Device/passerelle'],
    ['IRCP', true, 'Practitioner/noa'],
  ]);
  expect(event?.agent?.[2]?.network).toBeUndefined();
  expect(JSON.stringify(event)).not.toMatch(/Fracture|TEST-LU|CAMILLE|1980/);
});

test('a search keeps its query in base 64 and names every patient it showed', async () => {
  const two = await rig.store.transaction(rig.context(ris, 'transaction'), async (tx) => [
    await tx.create(patient('TEST-UN')),
    await tx.create(patient('TEST-DEUX')),
  ]);
  await rig.access.auditRead(rig.context(noa, 'search-type', 'req-search'), {
    resources: two,
    query: 'Patient?family=TEST',
    outcome: 'success',
  });
  for (const one of two) {
    const [event] = await rig.trail(`patient=Patient/${one.id}&action=E`);
    expect(event?.subtype?.[0]?.code).toBe('search-type');
    const query = event?.entity?.find((entity) => entity.role?.code === '24')?.query ?? '';
    expect(Buffer.from(query, 'base64').toString()).toBe('Patient?family=TEST');
    expect(event?.meta?.profile).toEqual([
      'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.Query',
    ]);
  }
});

test('a search without parameters is in the trail as a query too', async () => {
  await rig.access.auditRead(rig.context(noa, 'search-type', 'req-empty'), {
    resources: [],
    query: '',
    outcome: 'success',
  });
  const events = (await rig.trail('action=E')).filter((event) => JSON.stringify(event).includes('req-empty'));
  const queries = events.map((event) => event.entity?.find((entity) => entity.role?.code === '24')?.query ?? '');
  expect(queries.map((query) => Buffer.from(query, 'base64').toString())).toEqual(['?']);
});

test('a signature is attested, and messages in and out are an import and an export', async () => {
  const act = (interaction: string) =>
    rig.store.transaction(
      rig.context(interaction.startsWith('operation') ? noa : ris, interaction, interaction),
      (tx) => tx.create({ resourceType: 'Basic', code: { text: interaction } }),
    );
  for (const interaction of ['operation:Task/$sign', 'hl7v2:ORM^O01', 'delivery:report-mdm', 'hl7v2:report-mdm']) {
    await act(interaction);
    rig.clock.advance(1_000);
  }
  const codes = async (query: string) =>
    (await rig.trail(query)).map((event) => [event.type.code, ...event.subtype!.map((s) => s.code)]);
  expect(await codes('subtype=attest')).toEqual([['rest', 'operation', 'operation:Task/$sign', 'attest']]);
  expect(await codes('type=110107')).toEqual([['110107', 'hl7v2:ORM^O01']]);
  expect(await codes('type=110106')).toEqual([
    ['110106', 'delivery:report-mdm'],
    ['110106', 'hl7v2:report-mdm'],
  ]);
});

test('looking at the images of one study is one event per person in five minutes, committed before the first answer', async () => {
  const study = {
    resourceType: 'ImagingStudy' as const,
    id: 's1',
    status: 'available' as const,
    subject: { reference: 'Patient/p1' },
  };
  const look = (id = 's1') =>
    rig.access.auditRead(rig.context(noa, 'dicomweb:wado'), { resources: [{ ...study, id }], outcome: 'success' });
  await Promise.all([look(), look(), look()]);
  await look();
  expect(await rig.trail('entity=ImagingStudy/s1')).toHaveLength(1);
  await look('s2');
  expect(await rig.trail('entity=ImagingStudy/s2')).toHaveLength(1);
  rig.clock.advance(5 * 60_000);
  await look();
  expect(await rig.trail('entity=ImagingStudy/s1')).toHaveLength(2);
});

test('over DICOMweb the right to images is asked, not the right to know that a study exists', () => {
  const ask = (role: string, interaction: string, demand: string) => () =>
    rig.access.authorize(rig.context({ ...noa, roles: [role] }, interaction), {
      interaction: demand,
      type: 'ImagingStudy',
    });
  expect(ask('coordinator', 'search-type', 'search-type')).not.toThrow();
  expect(ask('coordinator', 'dicomweb:qido', 'search-type')).toThrow('not allowed');
  expect(ask('coordinator', 'dicomweb:wado', 'read')).toThrow('not allowed');
  expect(ask('radiologist', 'dicomweb:wado', 'read')).not.toThrow();
  expect(ask('radiologist', 'dicomweb:stow', 'create')).toThrow('not allowed');
  expect(ask('ris', 'dicomweb:stow', 'create')).not.toThrow();
});

test('a refusal by the policy is in the trail once, with what was asked', async () => {
  const context = rig.context({ ...noa, roles: ['administrator'] }, 'read', 'req-refused');
  expect(() => rig.access.authorize(context, { interaction: 'read', type: 'Patient', id: 'p9' })).toThrow(
    'read of Patient is not allowed to administrator',
  );
  await rig.access.auditRead(context, { resources: [], target: { type: 'Patient', id: 'p9' }, outcome: 'refused' });
  const events = await rig.trail('entity=Patient/p9');
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ outcome: '8', outcomeDesc: 'read Patient' });
});

test('the trail is append-only, and nobody else writes in the name of the platform', async () => {
  const [event] = await rig.trail();
  const as = (actor = ris) => rig.context(actor, 'update');
  await expect(
    rig.store.transaction(as(), (tx) => tx.update({ ...event!, id: event!.id!, outcome: '0' })),
  ).rejects.toMatchObject({ status: 405 });
  await expect(rig.store.transaction(as(), (tx) => tx.delete('AuditEvent', event!.id!))).rejects.toMatchObject({
    status: 405,
  });
  const { id: _id, ...forged } = event!;
  await expect(rig.store.transaction(as(), (tx) => tx.create(forged as AuditEvent))).rejects.toMatchObject({
    status: 422,
  });
  await expect(
    rig.store.transaction(as(), (tx) => tx.create({ ...forged, meta: undefined } as AuditEvent)),
  ).rejects.toMatchObject({ status: 422 });
  const observers = ['http://passerelle.test/fhir/Device/passerelle', 'Device/passerelle/_history/1'];
  for (const reference of observers) {
    const { meta: _meta, ...untagged } = forged;
    const posing = { ...untagged, source: { observer: { reference } } } as AuditEvent;
    await expect(rig.store.transaction(as(), (tx) => tx.create(posing))).rejects.toMatchObject({ status: 422 });
  }
  await expect(
    rig.database.query('aa', 'DELETE FROM fhir.auditevent WHERE tenant = $1 AND id = $2', ['aa', event!.id]),
  ).rejects.toThrow('permission denied');
});

test('an event a client posts is accepted, told from ours by the tag it lacks, and its posting is itself in the trail', async () => {
  const posted = await rig.store.transaction(rig.context(ris, 'create', 'req-posted'), (tx) =>
    tx.create({
      resourceType: 'AuditEvent',
      type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
      recorded: '2026-03-01T08:00:00Z',
      agent: [{ requestor: true, who: { display: 'RIS' } }],
      source: { observer: { display: 'RIS' } },
    }),
  );
  const ours = await rig.trail(`entity=AuditEvent/${posted.id}`);
  expect(ours).toHaveLength(1);
  expect(ours[0]?.agent?.[0]?.who?.reference).toBe('Device/ris');
  const tagged = await rig.trail('_tag=https://fhir.passerelle.example/CodeSystem/audit-origin|platform&type=rest');
  expect(tagged.map((event) => event.id)).not.toContain(posted.id);
});

test('a hundred reads at the same time are all in the trail when they are answered', async () => {
  const context = rig.context(noa, 'read', 'req-many');
  await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      rig.access.auditRead(context, {
        resources: [{ resourceType: 'Basic', id: `b${n}`, code: {} }],
        outcome: 'success',
      }),
    ),
  );
  const { rows } = await rig.database.query<{ n: number }>(
    'aa',
    `SELECT count(*)::int AS n FROM fhir.journal, json_array_elements(entries::json) entry
      WHERE tenant = $1 AND entry -> 2 ->> 'requestId' LIKE 'req-many%'`,
    ['aa'],
  );
  expect(rows[0]?.n).toBe(100);
});

test('the trail of one tenant does not show in another', async () => {
  expect(await rig.trail('', 'bb')).toEqual([]);
});

test('two callers who chose the same request id are each told when they are refused', async () => {
  const refused = { resources: [], outcome: 'refused' as const };
  const demand = { interaction: 'read', type: 'AuditEvent' };
  const first = rig.context(noa, 'read', 'same-id');
  const second = rig.context(ris, 'operation:Task/$cancel', 'same-id');
  // The first is refused by the policy; the second, at the same time, by a room behind it (the case machine).
  expect(() => rig.access.authorize(first, demand)).toThrow();
  await Promise.all([rig.access.auditRead(second, refused), rig.access.auditRead(first, refused)]);
  const events = (await rig.trail()).filter((event) => event.entity?.at(-1)?.what?.identifier?.value === 'same-id');
  expect(events.map((event) => [event.agent.find(({ altId }) => altId)?.altId, event.outcome]).sort()).toEqual([
    ['noa', '8'],
    ['ris', '8'],
  ]);
});

test('one caller who sends several requests under one id at once is told of each that is refused', async () => {
  const refused = { resources: [], target: { type: 'Task', id: 't9' }, outcome: 'refused' as const };
  const [byPolicy, byRoom] = [rig.context(noa, 'read', 'again'), rig.context(noa, 'operation:Task/$sign', 'again')];
  expect(() => rig.access.authorize(byPolicy, { interaction: 'read', type: 'AuditEvent' })).toThrow();
  await Promise.all([rig.access.auditRead(byRoom, refused), rig.access.auditRead(byPolicy, refused)]);
  const events = (await rig.trail()).filter((event) => event.entity?.at(-1)?.what?.identifier?.value === 'again');
  expect(
    events.map(({ subtype = [] }) => subtype.map(({ code }) => code).includes('operation:Task/$sign')).sort(),
  ).toEqual([...[false, true]]);
});
