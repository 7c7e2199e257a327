/** A tenant that accepted a person did not accept the apps of that person's own tenant. */
import type { Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accept } from '../../../src/access/tenants/index.ts';
import { fhirRoutes, mergedRoutes, systemContext } from '../../../src/fhir/index.ts';
import { authorization, decide, exchange, redirectUri, signIn } from '../../access/smart/app.ts';
import { baseUrl, openSmartRig, type SmartRig } from '../../access/smart/support.ts';

let rig: SmartRig;
let cookie: string;
beforeAll(async () => {
  rig = await openSmartRig();
  const { app, store, access, clock, database } = rig;
  await app.register(fhirRoutes, {
    ...{ prefix: '/t/:tenant/fhir', store, guards: access, clock, baseUrl: () => baseUrl },
  });
  await app.register(mergedRoutes, {
    ...{ store, guards: access, clock, baseUrl: () => baseUrl, types: ['Patient'] as const, patienceMs: 10_000 },
    everywhere: async (request) => {
      const home = await access.authenticate(request);
      return [home, ...(await access.elsewhere(home))];
    },
  });
  cookie = await signIn(rig, 'noa');
  const context = { ...systemContext('bb', 'system:seed', clock), establishments: ['site'] };
  await store.transaction(context, async (tx) => {
    await tx.create({ resourceType: 'Organization', id: 'site', name: 'SITE' });
    await tx.create<Patient>({ resourceType: 'Patient', id: 'p', name: [{ family: 'TEST-BB' }] });
  });
  const request = { login: 'noa', roles: ['radiologist'], establishments: ['site'] };
  await accept({ database, store }, context, request, clock.now());
  for (const [id, tenant] of [
    ['of-the-hospital', 'aa'],
    ['of-the-platform', 'platform'],
  ] as const)
    await rig.addClient({ id, tenant, kind: 'public-app', scopes: ['user/*.rs'], redirectUris: [redirectUri] });
  await rig.addClient({
    ...{ id: 'of-one-patient', tenant: 'platform', kind: 'public-app', redirectUris: [redirectUri] },
    scopes: ['launch/patient', 'patient/*.rs'],
  });
});
afterAll(() => rig.close());

async function tokenOf(client: string): Promise<string> {
  const { query, verifier } = authorization(client, 'user/*.rs');
  const back = await decide(rig, query, cookie);
  return (await exchange(rig, client, { code: back.searchParams.get('code')!, verifier })).access_token;
}
const get = (url: string, headers: Record<string, string>) => rig.app.inject({ url, headers });

test('the person and an app of the platform get there, an app of the hospital does not', async () => {
  expect((await get('/t/bb/fhir/Patient/p', { cookie })).statusCode).toBe(200);
  const platforms = { authorization: `Bearer ${await tokenOf('of-the-platform')}` };
  expect((await get('/t/bb/fhir/Patient/p', platforms)).statusCode).toBe(200);
  const hospitals = { authorization: `Bearer ${await tokenOf('of-the-hospital')}` };
  expect((await get('/t/aa/fhir/Patient', hospitals)).statusCode).toBe(200);
  expect((await get('/t/all/fhir/Patient', platforms)).body).toContain('TEST-BB');
  expect((await get('/t/all/fhir/Patient', hospitals)).body).not.toContain('TEST-BB');
  const there = await get('/t/bb/fhir/Patient/p', hospitals);
  expect(there.statusCode).toBe(403);
  // Like a tenant that accepted nobody, or is none.
  const nowhere = await get('/t/nowhere/fhir/Patient/p', hospitals);
  expect([nowhere.statusCode, nowhere.json().issue]).toEqual([403, there.json().issue]);
});

test('an app that was given one patient has nobody where that patient is not, also not who has the same id there', async () => {
  const { store, clock } = rig;
  await store.transaction(systemContext('aa', 'system:seed', clock), (tx) =>
    tx.create<Patient>({ resourceType: 'Patient', id: 'p', name: [{ family: 'TEST-AA' }] }),
  );
  const own = await signIn(rig, 'noa', 'aa', ['conformance']);
  const { query, verifier } = authorization('of-one-patient', 'launch/patient patient/*.rs');
  const back = await decide(rig, query, own, { decision: 'accept', patient: 'p' });
  const token = (await exchange(rig, 'of-one-patient', { code: back.searchParams.get('code')!, verifier }))
    .access_token;
  const headers = { authorization: `Bearer ${token}` };
  expect((await get('/t/aa/fhir/Patient/p', headers)).body).toContain('TEST-AA');
  for (const path of [
    '/t/bb/fhir/Patient/p',
    '/t/bb/fhir/Patient?_id=p',
    '/t/bb/fhir/Patient/p/_history',
    '/t/all/fhir/Patient',
  ])
    expect((await get(path, headers)).body, path).not.toContain('TEST-BB');
});
