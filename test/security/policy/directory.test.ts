/** A hospital's software keeps its own professionals, and none of those who sign in here: reports are signed by their directory entry. */
import type { Practitioner } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { establishmentSystem, fhirRoutes, systemContext } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

let rig: Rig;
const tokens = new Map<string, string>();
const people = ['signer', 'local'] as const;

beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      const baseUrl = () => 'http://passerelle.test';
      await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl });
    },
  });
  const north = { tenant: 'aa', display: 'x', organizationId: 'north' };
  await rig.access.ensureAccount({
    ...{ ...north, login: 'ris', kind: 'machine', reference: 'Device/ris', roles: ['ris'] },
  });
  await rig.access.ensureAccount({
    ...{ ...north, login: 'signer', kind: 'person', reference: 'Practitioner/signer', roles: ['radiologist'] },
  });
  await rig.access.ensureAccount({
    ...{ tenant: 'aa', display: 'x', login: 'admin', kind: 'person', reference: 'Practitioner/admin' },
    roles: ['administrator'],
  });
  await rig.access.ensureAccount({
    ...{ tenant: 'aa', display: 'x', organizationId: 'south', login: 'other-ris', kind: 'machine' },
    ...{ reference: 'Device/other-ris', roles: ['ris'] },
  });
  for (const login of ['ris', 'signer', 'admin', 'other-ris'])
    tokens.set(login, await rig.access.issueToken(login, 86_400));
  await rig.store.transaction(systemContext('aa', 'system:seed', rig.clock), async (tx) => {
    for (const id of ['north', 'south']) await tx.create({ resourceType: 'Organization', id, name: id });
    for (const id of people) await tx.create({ resourceType: 'Practitioner', id, name: [{ family: 'TEST' }] });
  });
}, 60_000);
afterAll(() => rig.close());

const put = (login: string, id: string, more: Partial<Practitioner> = {}) =>
  rig.app.inject({
    ...{ method: 'PUT', url: `/fhir/Practitioner/${id}` },
    headers: { authorization: `Bearer ${tokens.get(login)}`, 'content-type': 'application/fhir+json' },
    payload: { resourceType: 'Practitioner', id, name: [{ family: 'TEST' }], ...more },
  });
const post = (login: string, more: Partial<Practitioner>) =>
  rig.app.inject({
    ...{ method: 'POST', url: '/fhir/Practitioner' },
    headers: { authorization: `Bearer ${tokens.get(login)}`, 'content-type': 'application/fhir+json' },
    payload: { resourceType: 'Practitioner', ...more },
  });
const get = (id: string) => rig.store.read('aa', 'Practitioner', id);
const keeperSystem = 'https://fhir.passerelle.example/sid/directory-keeper';
const elsewhere: Partial<Practitioner> = { telecom: [{ system: 'email', value: 'autre@exemple.test' }] };

test('the RIS corrects a professional of its own, and nobody who has an account', async () => {
  expect((await put('ris', 'local', elsewhere)).statusCode).toBe(200);
  const refused = await put('ris', 'signer', elsewhere);
  expect(refused.statusCode).toBe(403);
  expect(refused.json().issue[0].details.text).toContain('tenue par les administrateurs');
  // Nor puts itself in the place of one whose entry is not there yet.
  expect((await put('ris', 'admin')).statusCode).toBe(403);
  expect((await put('admin', 'signer', elsewhere)).statusCode).toBe(200);
});

/** A name that nothing else of these tests has, and the same entry again. */
const entry = (family: string, more: Partial<Practitioner> = {}) => ({ name: [{ family }], ...more });

test('the RIS of another establishment changes no entry that one made, and leaves it as it was', async () => {
  const own = entry('TEST-NORD', { telecom: [{ system: 'email', value: 'nord@exemple.test' }] });
  const made = await post('ris', own);
  expect(made.statusCode, made.body).toBe(201);
  const { id } = made.json() as { id: string };
  const stolen = await put('other-ris', id, { ...own, ...elsewhere });
  expect(stolen.statusCode, stolen.body).toBe(403);
  expect(stolen.json().issue[0].details.text).toContain('autre établissement');
  // Sent again as it is stored, by a RIS that keeps a copy of the directory: nothing changes.
  expect((await put('other-ris', id, own)).statusCode).toBe(200);
  // The mark of who made it is the server's.
  const marked = { ...own, ...elsewhere, meta: { tag: [{ system: keeperSystem, code: 'south' }] } };
  expect((await put('other-ris', id, marked)).statusCode).toBe(403);
  expect((await put('ris', id, { ...own, active: true })).statusCode).toBe(200);
  const read = await get(id);
  expect(read).toMatchObject({ active: true, telecom: own.telecom });
  expect(read.meta?.tag).toEqual([{ system: keeperSystem, code: 'north' }]);
});

test('nobody gives an entry to their own establishment by writing so', async () => {
  const made = await post('other-ris', entry('TEST-SUD', { meta: { tag: [{ system: keeperSystem, code: 'north' }] } }));
  expect((made.json() as Practitioner).meta?.tag).toEqual([{ system: keeperSystem, code: 'south' }]);
});

test('an entry that another establishment’s requests name, or that works there, is not the RIS’s to change', async () => {
  await rig.store.transaction(systemContext('aa', 'system:seed', rig.clock), async (tx) => {
    for (const id of ['asks-in-south', 'works-in-south', 'asks-in-north'])
      await tx.create({ resourceType: 'Practitioner', id, name: [{ family: 'TEST' }] });
    for (const place of ['south', 'north'])
      await tx.create({
        resourceType: 'ServiceRequest',
        meta: { security: [{ system: establishmentSystem, code: place }] },
        status: 'active',
        intent: 'order',
        subject: { display: 'x' },
        requester: { reference: `Practitioner/asks-in-${place}` },
      });
    await tx.create({
      resourceType: 'PractitionerRole',
      practitioner: { reference: 'Practitioner/works-in-south' },
      organization: { reference: 'Organization/south' },
    });
  });
  for (const id of ['asks-in-south', 'works-in-south']) {
    expect((await put('ris', id, elsewhere)).statusCode, id).toBe(403);
    expect((await put('other-ris', id, elsewhere)).statusCode, id).toBe(200);
  }
  expect((await put('ris', 'asks-in-north', elsewhere)).statusCode).toBe(200);
  expect((await put('admin', 'asks-in-south', { active: true })).statusCode).toBe(200);
});
