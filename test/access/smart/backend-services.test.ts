import { afterAll, beforeAll, expect, test } from 'vitest';
import { rotateClient, setClientDisabled } from '../../../src/access/smart/registration.ts';
import { assertion, keysOf, machineForm, makeKey, openSmartRig, type SmartRig, type TestKey } from './support.ts';

let rig: SmartRig;
let key: TestKey;
beforeAll(async () => {
  rig = await openSmartRig();
  key = await makeKey();
  await rig.addClient({ id: 'ris-a', ...keysOf(key) });
});
afterAll(() => rig.close());

async function tokenOf(id: string, scope?: string, with_ = key) {
  const answer = await rig.post('/oauth2/token', machineForm(await assertion(with_, id, rig.clock.now()), scope));
  return { status: answer.statusCode, headers: answer.headers, ...answer.json() };
}

function get(token: string, path: string) {
  return rig.app.inject({ url: `/fhir/${path}`, headers: { authorization: `Bearer ${token}` } });
}

test('a machine signs an assertion and gets a token that opens the FHIR API for five minutes', async () => {
  const answer = await tokenOf('ris-a', 'system/Patient.rs');
  expect(answer).toMatchObject({ status: 200, token_type: 'Bearer', expires_in: 300, scope: 'system/Patient.rs' });
  expect(answer.headers['cache-control']).toBe('no-store');
  expect((await get(answer.access_token, 'Patient')).statusCode).toBe(200);
  rig.clock.advance(299_000);
  expect((await get(answer.access_token, 'Patient')).statusCode).toBe(200);
  rig.clock.advance(2_000);
  expect((await get(answer.access_token, 'Patient')).statusCode).toBe(401);
});

test.each(['RS384', 'PS384', 'PS256', 'ES256'])('%s is accepted', async (alg) => {
  const other = await makeKey(alg);
  await rig.addClient({ id: `alg-${alg.toLowerCase()}`, ...keysOf(other) });
  expect((await tokenOf(`alg-${alg.toLowerCase()}`, undefined, other)).status).toBe(200);
});

test('what a token allows is what its scopes and the policy of its account both grant', async () => {
  const { access_token: token } = await tokenOf('ris-a', 'system/Patient.rs system/AuditEvent.rs system/Task.c');
  expect((await get(token, 'Patient')).statusCode).toBe(200);
  // Granted by the role, not by the scopes.
  expect((await get(token, 'ServiceRequest')).statusCode).toBe(403);
  // Granted by the scopes, not by the role.
  expect((await get(token, 'AuditEvent')).statusCode).toBe(403);
  const created = await rig.app.inject({
    method: 'POST',
    url: '/fhir/Patient',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    payload: { resourceType: 'Patient' },
  });
  expect(created.statusCode).toBe(403);
  // Searches that look into types the scopes leave out.
  expect((await get(token, 'Patient?_has:ServiceRequest:patient:status=active')).statusCode).toBe(403);
  expect((await get(token, 'Patient/1/$everything')).statusCode).toBe(403);
});

test('version 1 of the scopes means the same, and a wildcard what was granted', async () => {
  await rig.addClient({ id: 'ris-b', ...keysOf(key), scopes: ['system/Task.rs', 'system/Patient.read'] });
  expect((await tokenOf('ris-b', 'system/*.read')).scope).toBe('system/Task.rs system/Patient.rs');
  expect((await tokenOf('ris-b', 'system/Task.*')).scope).toBe('system/Task.rs');
  expect((await tokenOf('ris-b')).scope).toBe('system/Task.rs system/Patient.rs');
  expect(await tokenOf('ris-b', 'system/Observation.rs user/Task.rs openid nonsense')).toMatchObject({
    status: 400,
    error: 'invalid_scope',
  });
});

test('a client that is shut off loses its tokens at once and gets no other', async () => {
  await rig.addClient({ id: 'ris-c', ...keysOf(key) });
  const { access_token: token } = await tokenOf('ris-c');
  expect((await get(token, 'Patient')).statusCode).toBe(200);
  await setClientDisabled(rig.database, 'ris-c', true, rig.clock.now());
  rig.clock.advance(5_001);
  expect((await get(token, 'Patient')).statusCode).toBe(401);
  expect(await tokenOf('ris-c')).toMatchObject({ status: 401, error: 'invalid_client' });
  await setClientDisabled(rig.database, 'ris-c', false, rig.clock.now());
  expect((await tokenOf('ris-c')).status).toBe(200);
  expect((await get(token, 'Patient')).statusCode).toBe(401);
});

test('an account that is shut off takes the tokens of its machine with it, for good', async () => {
  await rig.addClient({ id: 'ris-d', ...keysOf(key) });
  const { access_token: token } = await tokenOf('ris-d');
  await rig.access.setDisabled('ris-d', true);
  expect((await get(token, 'Patient')).statusCode).toBe(401);
  await rig.access.setDisabled('ris-d', false);
  expect((await get(token, 'Patient')).statusCode).toBe(401);
});

test('a rotation ends the old key and the tokens it got', async () => {
  await rig.addClient({ id: 'ris-e', ...keysOf(key) });
  const { access_token: token } = await tokenOf('ris-e');
  const next = await makeKey('ES384', 'next');
  const { database, clock, store } = rig;
  const rooms = { database, now: clock.now(), keyHosts: [], parametersOf: store.searchParameters };
  await rotateClient(rooms, 'ris-e', { ...keysOf(next), certificates: [] });
  rig.clock.advance(5_001);
  expect((await get(token, 'Patient')).statusCode).toBe(401);
  expect((await tokenOf('ris-e')).status).toBe(401);
  expect((await tokenOf('ris-e', undefined, next)).status).toBe(200);
});

test('who issued what to whom is in the trail, refusals too', async () => {
  await rig.addClient({ id: 'ris-f', ...keysOf(key), scopes: ['system/Task.rs'] });
  await tokenOf('ris-f');
  rig.clock.advance(1_000);
  await tokenOf('ris-f', 'system/Patient.rs');
  const events = await rig.trail('agent=Device/ris-f&type=110114');
  expect(events.map(({ outcome, outcomeDesc }) => [outcome, outcomeDesc])).toEqual([
    ['0', undefined],
    ['8', 'None of these scopes is granted to the client'],
  ]);
  expect(JSON.stringify(events[0])).toContain('system/Task.rs');
  await tokenOf('ris-f', undefined, await makeKey('ES384', 'unknown'));
  expect(await rig.told('platform')).toContain('8 the client has no such key');
});

test('the configuration says what is served, and clients find it from the FHIR base too', async () => {
  const here = (await rig.app.inject('/.well-known/smart-configuration')).json();
  expect((await rig.app.inject('/fhir/.well-known/smart-configuration')).json()).toEqual(here);
  expect(here).toMatchObject({
    token_endpoint: 'http://passerelle.test/oauth2/token',
    jwks_uri: 'http://passerelle.test/oauth2/jwks',
    code_challenge_methods_supported: ['S256'],
  });
  const { keys } = (await rig.app.inject('/oauth2/jwks')).json();
  expect(keys).toHaveLength(1);
  expect(keys[0]).not.toHaveProperty('d');
});
