/** A hospital's software keeps its own professionals, and none of those who sign in here: reports are signed by their directory entry. */
import type { Practitioner } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fhirRoutes, systemContext } from '../../../src/fhir/index.ts';
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
  for (const login of ['ris', 'signer', 'admin']) tokens.set(login, await rig.access.issueToken(login, 86_400));
  await rig.store.transaction(systemContext('aa', 'system:seed', rig.clock), async (tx) => {
    await tx.create({ resourceType: 'Organization', id: 'north', name: 'Nord' });
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
