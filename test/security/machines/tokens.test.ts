import { type RequestOptions, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setClientDisabled } from '../../../src/access/smart/registration.ts';
import { authorization, decide, exchange, redirectUri, signIn } from '../../access/smart/app.ts';
import {
  assertion,
  jwtBearer,
  keysOf,
  machineForm,
  makeKey,
  openSmartRig,
  type SmartRig,
  type TestKey,
} from '../../access/smart/support.ts';

let rig: SmartRig;
let key: TestKey;
let cookie: string;
beforeAll(async () => {
  rig = await openSmartRig();
  key = await makeKey();
  cookie = await signIn(rig, 'noa', 'aa', ['conformance']);
  const app = { kind: 'public-app', redirectUris: [redirectUri] } as const;
  await rig.addClient({ id: 'app', ...app, scopes: ['user/*.cruds', 'offline_access', 'openid'] });
  await rig.addClient({ id: 'other', ...app, scopes: ['user/*.rs', 'offline_access'] });
  await rig.addClient({ id: 'machine', ...keysOf(key), scopes: ['system/Patient.rs', 'system/Subscription.cruds'] });
  await rig.addClient({ id: 'machine-b', tenant: 'bb', ...keysOf(key) });
});
afterAll(() => rig.close());

async function tokensFor(scope: string, clientId = 'app') {
  const { query, verifier } = authorization(clientId, scope);
  const back = await decide(rig, query, cookie);
  return exchange(rig, clientId, { code: back.searchParams.get('code') ?? '', verifier });
}

async function refresh(token: string, more: Record<string, string> = {}) {
  const form = { grant_type: 'refresh_token', client_id: 'app', refresh_token: token, ...more };
  const answer = await rig.post('/oauth2/token', form);
  return { status: answer.statusCode, ...answer.json() };
}

const get = async (token: string, url: string) =>
  (await rig.app.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode;

async function ask(path: string, clientId: string, form: Record<string, string>) {
  const proof = { client_assertion_type: jwtBearer, client_assertion: await assertion(key, clientId, rig.clock.now()) };
  const answer = await rig.post(path, { ...proof, ...form });
  return { status: answer.statusCode, ...(answer.body === '' ? {} : answer.json()) };
}

test('a refresh cannot ask for more than was consented to, and may ask for less', async () => {
  const { refresh_token: token } = await tokensFor('user/Patient.rs user/Task.rs offline_access');
  for (const scope of [
    'user/*.rs',
    'user/Patient.cruds',
    'user/Observation.rs',
    'user/Patient.rs system/Patient.rs',
    'openid',
  ]) {
    expect(await refresh(token, { scope })).toMatchObject({ status: 400, error: 'invalid_scope' });
  }
  const less = await refresh(token, { scope: 'user/Patient.r' });
  expect(less).toMatchObject({ status: 200, scope: 'user/Patient.r offline_access' });
  expect(await get(less.access_token, '/fhir/Task')).toBe(403);
  expect(await get(less.access_token, '/fhir/Patient')).toBe(403);
});

test('a refresh token that comes a second time ends everything of its consent', async () => {
  const first = await tokensFor('user/Patient.rs offline_access');
  const second = await refresh(first.refresh_token);
  expect(await get(second.access_token, '/fhir/Patient')).toBe(200);
  expect(await refresh(first.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  expect(await get(second.access_token, '/fhir/Patient')).toBe(401);
  expect(await refresh(second.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
});

test('a refresh token serves its own app only, and only as a refresh token', async () => {
  const { refresh_token: token, access_token: access } = await tokensFor('user/Patient.rs offline_access');
  expect(await refresh(token, { client_id: 'other' })).toMatchObject({ error: 'invalid_grant' });
  expect(await refresh(access)).toMatchObject({ error: 'invalid_grant' });
  expect(await get(token, '/fhir/Patient')).toBe(401);
  expect((await refresh(token)).status).toBe(200);
});

test('rights taken from an app count at its next refresh', async () => {
  await rig.addClient({
    id: 'shrinking',
    kind: 'public-app',
    redirectUris: [redirectUri],
    scopes: ['user/*.rs', 'offline_access'],
  });
  const { refresh_token: token } = await tokensFor('user/Patient.rs user/Task.rs offline_access', 'shrinking');
  await rig.addClient({
    id: 'shrinking',
    kind: 'public-app',
    redirectUris: [redirectUri],
    scopes: ['user/Task.rs', 'offline_access'],
  });
  expect(await refresh(token, { client_id: 'shrinking' })).toMatchObject({ scope: 'user/Task.rs offline_access' });
});

test('a person sees the apps they let in and puts one out, with its tokens; nobody else does', async () => {
  const eve = await signIn(rig, 'eva', 'aa', ['conformance']);
  const tokens = await tokensFor('user/Patient.rs offline_access');
  const list = async (session: string) => {
    const answer = await rig.app.inject({ url: '/oauth2/account/applications', headers: { cookie: session } });
    return answer.json().applications as { id: string; application: string; scopes: string[] }[];
  };
  const [newest] = await list(cookie);
  expect(newest).toMatchObject({ application: 'app', scopes: ['user/Patient.rs', 'offline_access'] });
  expect(await list(eve)).toEqual([]);
  const end = (headers: Record<string, string>) =>
    rig.app.inject({ method: 'DELETE', url: `/oauth2/account/applications/${newest?.id}`, headers });
  expect((await end({ cookie: eve, 'x-passerelle': '1' })).statusCode).toBe(204);
  expect((await end({ cookie })).statusCode).toBe(403);
  expect((await end({ authorization: `Bearer ${tokens.access_token}` })).statusCode).toBe(403);
  expect(await get(tokens.access_token, '/fhir/Patient')).toBe(200);
  expect((await end({ cookie, 'x-passerelle': '1' })).statusCode).toBe(204);
  expect(await get(tokens.access_token, '/fhir/Patient')).toBe(401);
  expect(await refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
});

test('what an app does in a person’s name is told with the app’s', async () => {
  const tokens = await tokensFor('user/Patient.rs');
  await rig.app.inject({
    url: '/fhir/Patient',
    headers: { authorization: `Bearer ${tokens.access_token}`, 'x-request-id': 'by-app' },
  });
  const events = (await rig.trail('agent=Practitioner/noa')).filter((event) =>
    JSON.stringify(event).includes('by-app'),
  );
  expect(events[0]?.agent?.[0]).toMatchObject({ altId: 'app', who: { display: 'application app' } });
});

test('a person who is shut off leaves nothing to their apps', async () => {
  const eve = await signIn(rig, 'eve', 'aa', ['conformance']);
  const { query, verifier } = authorization('app', 'user/Patient.rs offline_access');
  const back = await decide(rig, query, eve);
  const tokens = await exchange(rig, 'app', { code: back.searchParams.get('code') ?? '', verifier });
  await rig.access.setDisabled('eve', true);
  expect(await get(tokens.access_token, '/fhir/Patient')).toBe(401);
  expect(await refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
});

test('an account that is opened again after it was shut off opens nothing that was open before', async () => {
  const ida = await signIn(rig, 'ida', 'aa', ['conformance']);
  const { query, verifier } = authorization('app', 'user/Patient.rs offline_access');
  const back = await decide(rig, query, ida);
  const tokens = await exchange(rig, 'app', { code: back.searchParams.get('code') ?? '', verifier });
  const late = authorization('app', 'user/Patient.rs');
  const code = (await decide(rig, late.query, ida)).searchParams.get('code') ?? '';
  const machine = await rig.post('/oauth2/token', machineForm(await assertion(key, 'machine', rig.clock.now())));
  for (const login of ['ida', 'machine'])
    for (const isDisabled of [true, false]) await rig.access.setDisabled(login, isDisabled);
  expect(await get(tokens.access_token, '/fhir/Patient')).toBe(401);
  expect(await refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  const form = { grant_type: 'authorization_code', client_id: 'app', redirect_uri: redirectUri, code };
  expect((await rig.post('/oauth2/token', { ...form, code_verifier: late.verifier })).json()).toMatchObject({
    error: 'invalid_grant',
  });
  expect(await get(machine.json().access_token, '/fhir/Patient')).toBe(401);
  const again = await rig.post('/oauth2/token', machineForm(await assertion(key, 'machine', rig.clock.now())));
  expect(await get(again.json().access_token, '/fhir/Patient')).toBe(200);
});

test('a password that is changed ends what apps were let in with', async () => {
  const zoe = await signIn(rig, 'zoe', 'aa', ['conformance']);
  const { query, verifier } = authorization('app', 'user/Patient.rs offline_access');
  const back = await decide(rig, query, zoe);
  const tokens = await exchange(rig, 'app', { code: back.searchParams.get('code') ?? '', verifier });
  await rig.access.ensureAccount({
    ...{ tenant: 'aa', login: 'zoe', kind: 'person', reference: 'Practitioner/zoe', display: 'Dr ZOE' },
    ...{ roles: ['conformance'], password: 'Another-Staple-9!' },
  });
  expect(await refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  expect(await get(tokens.access_token, '/fhir/Patient')).toBe(401);
});

test('a client that is shut off or rotated while its token is being issued gets none that lives', async () => {
  for (let round = 0; round < 10; round++) {
    await rig.addClient({ id: `race-${round}`, ...keysOf(key), scopes: ['system/Patient.rs'] });
    rig.clock.advance(1_000);
    const form = machineForm(await assertion(key, `race-${round}`, rig.clock.now()));
    const [answer] = await Promise.all([
      rig.post('/oauth2/token', form),
      setClientDisabled(rig.database, `race-${round}`, true, rig.clock.now()),
    ]);
    if (answer.statusCode === 200) expect(await get(answer.json().access_token, '/fhir/Patient')).toBe(401);
  }
});

test('strangers learn nothing by introspection', async () => {
  const { access_token: token } = await tokensFor('user/Patient.rs');
  // Nobody, a public app, a browser, the token itself: no answer at all.
  expect((await rig.post('/oauth2/introspect', { token })).statusCode).toBe(401);
  expect((await rig.post('/oauth2/introspect', { token, client_id: 'other' })).statusCode).toBe(400);
  expect((await rig.post('/oauth2/introspect', { token }, { cookie })).statusCode).toBe(401);
  expect((await rig.post('/oauth2/introspect', { token }, { authorization: `Bearer ${token}` })).statusCode).toBe(401);
  // A machine of another hospital, and whatever is no token: the same answer.
  const nothing = { status: 200, active: false };
  expect(await ask('/oauth2/introspect', 'machine-b', { token })).toEqual(nothing);
  expect(await ask('/oauth2/introspect', 'machine-b', { token: `bb${token.slice(2)}` })).toEqual(nothing);
  for (const odd of ['x', `${token}x`, token.slice(0, -1), '\u0000', 'aa.a.'.padEnd(4_000, 'x')]) {
    expect(await ask('/oauth2/introspect', 'machine', { token: odd })).toEqual(nothing);
  }
  expect(await ask('/oauth2/introspect', 'machine', { token })).toMatchObject({ active: true, username: 'noa' });
});

test('a client revokes what is its own; of the rest it is told nothing, and nothing happens', async () => {
  const { access_token: token, refresh_token: kept } = await tokensFor('user/Patient.rs offline_access');
  expect(await ask('/oauth2/revoke', 'machine', { token })).toEqual({ status: 200 });
  expect((await rig.post('/oauth2/revoke', { token, client_id: 'other' })).statusCode).toBe(200);
  expect(await get(token, '/fhir/Patient')).toBe(200);
  expect((await rig.post('/oauth2/revoke', { token: kept, client_id: 'app' })).statusCode).toBe(200);
  expect(await get(token, '/fhir/Patient')).toBe(401);
});

test('a token of an app opens no page of its person’s account and none of an administrator', async () => {
  const { access_token: token } = await tokensFor('user/*.cruds openid');
  expect(await get(token, '/fhir/Patient')).toBe(200);
  expect(await get(token, '/oauth2/userinfo')).toBe(200);
  for (const url of ['/oauth2/account', '/oauth2/account/sessions', '/oauth2/consent', '/%6fauth2/account']) {
    expect([url, await get(token, url)]).not.toEqual([url, 200]);
  }
  const launch = await rig.post('/oauth2/launch', { client_id: 'app' }, { authorization: `Bearer ${token}` });
  expect(launch.statusCode).not.toBe(200);
});

test('a token that tries an address out of its reach is told of, with its app', async () => {
  const { access_token: token } = await tokensFor('user/*.cruds openid');
  const answer = await rig.app.inject({
    url: '/oauth2/account/sessions',
    headers: { authorization: `Bearer ${token}`, 'x-request-id': 'out-of-reach' },
  });
  expect(answer.statusCode).toBe(403);
  const events = (await rig.trail('outcome=8')).filter((event) => JSON.stringify(event).includes('out-of-reach'));
  expect(events).toMatchObject([{ outcomeDesc: 'oauth2:reach', agent: [{ altId: 'app' }, {}, { altId: 'noa' }] }]);
});

test('what follows the account afterwards needs scopes as wide as the account', async () => {
  const machine = await rig.post('/oauth2/token', machineForm(await assertion(key, 'machine', rig.clock.now())));
  const { access_token: token } = machine.json();
  const subscription = {
    ...{ resourceType: 'Subscription', status: 'requested', reason: 'x', criteria: 'Patient?' },
    channel: { type: 'rest-hook', endpoint: 'https://evil.test/' },
  };
  const created = await rig.app.inject({
    ...{ method: 'POST', url: '/fhir/Subscription', payload: subscription },
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
  });
  expect(created.statusCode).toBe(403);
  for (const url of [
    '/fhir/$export',
    '/fhir/$bulk-status/1',
    '/fhir/$bulk-file/1/x',
    '/fhir/%24bulk-status/1',
    '/fhir/ws',
  ]) {
    expect([url, await get(token, url)]).toEqual([url, 403]);
  }
  // What the router takes for the end of an address: only over a socket, a URL has no such path.
  await rig.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = rig.app.server.address() as AddressInfo;
  for (const path of ['/fhir/ws#', '/fhir/ws#/x', '/fhir/%77s#?x', '/fhir/$import#', '/fhir/$bulk-status/1#/Patient']) {
    expect([path, await statusOf({ port, path, headers: { authorization: `Bearer ${token}` } })]).toEqual([path, 403]);
  }
});

function statusOf(options: RequestOptions): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request({ host: '127.0.0.1', ...options }, (answer) => resolve(answer.resume().statusCode))
    .on('error', reject)
    .end();
  return promise;
}

test('a token of one tenant is none of another, whatever prefix it is given', async () => {
  const { access_token: token } = await tokensFor('user/Patient.rs');
  expect(await get(token.replace(/^aa/, 'bb'), '/fhir/Patient')).toBe(401);
  expect(await get(token.replace('.a.', '.r.'), '/fhir/Patient')).toBe(401);
  expect(await get(token.replace('.a.', '.'), '/fhir/Patient')).toBe(401);
});
