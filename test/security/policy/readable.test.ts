import { readFileSync } from 'node:fs';
import type { Basic } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { everyPolicy } from '../../../src/access/policy.ts';
import { fhirRoutes } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

let rig: Rig;
// Support does nothing at all outside an announced window (test/access/maintenance).
const roles = everyPolicy()
  .map(({ role }) => role)
  .filter((role) => role !== 'support');
beforeAll(async () => {
  rig = await openRig({
    routes: (app, { store, access, clock }) =>
      Promise.resolve(
        app.register(fhirRoutes, {
          prefix: '/fhir',
          store,
          guards: access,
          clock,
          baseUrl: () => 'http://passerelle.test',
        }),
      ),
  });
});
afterAll(() => rig.close());

const fileOf = (role: string) =>
  JSON.parse(readFileSync(`fhir-profiles/policies/Basic-policy-${role}.json`, 'utf8')) as Basic;

async function tokenOf(role: string): Promise<Record<string, string>> {
  const login = `policy-${role}`;
  const account = { tenant: 'aa', kind: 'person' as const, reference: `Practitioner/${login}`, display: 'Dr NOA TEST' };
  await rig.access.ensureAccount({ ...account, login, roles: [role], password: 'Hirondelle-47-Sud' });
  return { authorization: `Bearer ${await rig.access.issueToken(login, 60)}` };
}

it.each(roles)('%s reads the policy it is held to', async (role) => {
  const answer = await rig.app.inject({ url: `/fhir/Basic/policy-${role}`, headers: await tokenOf(role) });
  expect(answer.statusCode, answer.body).toBe(200);
  expect(answer.json()).toMatchObject({ id: `policy-${role}`, extension: fileOf(role).extension });
});

it.each(roles)('%s writes nothing in its place', async (role) => {
  const headers = { ...(await tokenOf(role)), 'content-type': 'application/fhir+json' };
  const policy = fileOf('radiologist');
  const elsewhere = await rig.app.inject({ method: 'POST', url: '/fhir/Basic', headers, payload: policy });
  expect([403, 422]).toContain(elsewhere.statusCode);
  const forged = { ...policy, extension: policy.extension?.slice(0, 2) };
  await rig.app.inject({ method: 'PUT', url: '/fhir/Basic/policy-radiologist', headers, payload: forged });
  await rig.app.inject({ method: 'DELETE', url: '/fhir/Basic/policy-radiologist', headers });
  const served = await rig.app.inject({ url: '/fhir/Basic/policy-radiologist', headers });
  expect(served.json().extension).toEqual(policy.extension);
});
