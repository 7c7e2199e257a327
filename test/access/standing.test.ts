import { afterAll, beforeAll, expect, test } from 'vitest';
import { findAccount } from '../../src/access/accounts.ts';
import { endAccountSessions } from '../../src/access/own-account/end-sessions.ts';
import { setClientDisabled } from '../../src/access/smart/registration.ts';
import { authorization, decide, exchange, redirectUri, signIn } from './smart/app.ts';
import { assertion, keysOf, machineForm, makeKey, openSmartRig, type SmartRig, type TestKey } from './smart/support.ts';
import { noa } from './support.ts';

let rig: SmartRig;
let key: TestKey;
beforeAll(async () => {
  rig = await openSmartRig();
  key = await makeKey();
  await rig.addClient({ id: 'machine', ...keysOf(key) });
  await rig.addClient({
    ...{ id: 'viewer', kind: 'public-app', display: 'Visionneuse', redirectUris: [redirectUri] },
    scopes: ['openid', 'offline_access', 'user/*.rs'],
  });
});
afterAll(() => rig.close());

const request = { ip: '192.0.2.7', id: 'x', method: 'GET', url: '/fhir/Patient', params: {} };

async function nameOf(headers: Record<string, string>): Promise<string> {
  const { credential } = await rig.access.authenticate({ ...request, headers });
  return credential!;
}
const stands = async (name: string) => (await rig.access.standing([name])).has(name);

async function machineToken(): Promise<string> {
  const form = machineForm(await assertion(key, 'machine', rig.clock.now()), 'system/*.cruds');
  return (await rig.post('/oauth2/token', form)).json().access_token;
}

async function appToken(cookie: string, scope = 'user/*.rs'): Promise<string> {
  const { query, verifier } = authorization('viewer', scope);
  const back = await decide(rig, query, cookie);
  return (await exchange(rig, 'viewer', { code: back.searchParams.get('code') ?? '', verifier })).access_token;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test.each([
  [
    'signing out',
    (_login: string, cookie: string) =>
      rig.app.inject({ method: 'POST', url: '/oauth2/logout', headers: { cookie, 'x-passerelle': 'ui' } }),
  ],
  ['shutting the account off', (login: string) => rig.access.setDisabled(login, true)],
  [
    'another password',
    (login: string) =>
      rig.access.ensureAccount({
        ...{ tenant: 'aa', login, kind: 'person', reference: `Practitioner/${login}`, display: 'x' },
        ...{ roles: ['radiologist'], password: 'Martinet-noir-58' },
      }),
  ],
  [
    'another role',
    (login: string) =>
      rig.access.ensureAccount({
        ...{ tenant: 'aa', login, kind: 'person', reference: `Practitioner/${login}`, display: 'x' },
        roles: ['quality'],
      }),
  ],
  [
    'half an hour without use, even when it is asked about all the time',
    async (_login: string, cookie: string) => {
      const name = await nameOf({ cookie });
      for (let minutes = 0; minutes < 30; minutes += 5) {
        expect(await stands(name)).toBe(true);
        rig.clock.advance(5 * 60_000);
      }
    },
  ],
])('a session does not stand after %s, whatever its secret has become meanwhile', async (what, end) => {
  const login = `s-${what.replaceAll(/[^a-z]/g, '')}`.slice(0, 40);
  const cookie = await signIn(rig, login);
  const name = await nameOf({ cookie });
  expect(await stands(name)).toBe(true);
  expect(name).not.toContain(cookie.split('.')[1]);
  await end(login, cookie);
  expect(await stands(name)).toBe(false);
});

test('a token of the operator stands until its time, or until its account is shut off', async () => {
  await rig.access.ensureAccount({
    ...{ tenant: 'aa', login: 'pacs', kind: 'machine', reference: 'Device/pacs', display: 'PACS', roles: ['pacs'] },
  });
  const [short, long] = [await rig.access.issueToken('pacs', 60), await rig.access.issueToken('pacs', 86_400)];
  const names = [await nameOf(bearer(short)), await nameOf(bearer(long))];
  rig.clock.advance(60_000);
  expect(await rig.access.standing(names)).toEqual(new Set([names[1]]));
  await rig.access.setDisabled('pacs', true);
  expect(await rig.access.standing(names)).toEqual(new Set());
});

test('an access token of a machine does not stand once it is revoked, over, or its client is shut off', async () => {
  const [revoked, kept] = [await machineToken(), await machineToken()];
  const names = [await nameOf(bearer(revoked)), await nameOf(bearer(kept))];
  expect(names.join()).not.toContain(revoked);
  const { client_assertion_type, client_assertion } = machineForm(await assertion(key, 'machine', rig.clock.now()));
  await rig.post('/oauth2/revoke', {
    token: revoked,
    client_assertion_type: client_assertion_type!,
    client_assertion: client_assertion!,
  });
  expect(await rig.access.standing(names)).toEqual(new Set([names[1]]));
  rig.clock.advance(300_000);
  expect(await stands(names[1]!)).toBe(false);
  const last = await nameOf(bearer(await machineToken()));
  expect(await stands(last)).toBe(true);
  await setClientDisabled(rig.database, 'machine', true, rig.clock.now());
  expect(await stands(last)).toBe(false);
});

test('an access token of an app does not stand once its person withdraws the consent', async () => {
  const cookie = await signIn(rig, 'consenting');
  const name = await nameOf(bearer(await appToken(cookie)));
  expect(await stands(name)).toBe(true);
  const headers = { cookie, 'x-passerelle': 'ui' };
  const { applications } = (await rig.app.inject({ url: '/oauth2/account/applications', headers })).json();
  await rig.app.inject({ method: 'DELETE', url: `/oauth2/account/applications/${applications[0].id}`, headers });
  expect(await stands(name)).toBe(false);
});

test('signing out ends the apps let in during that session, but for those that were let stay; another session keeps its own', async () => {
  const cookie = await signIn(rig, 'leaving');
  rig.clock.advance(60_000);
  const elsewhere = await signIn(rig, 'leaving');
  const tokens = [
    await appToken(cookie),
    await appToken(cookie, 'user/*.rs offline_access'),
    await appToken(elsewhere),
  ];
  const statuses = () =>
    Promise.all(
      tokens.map(async (token) => (await rig.app.inject({ url: '/fhir/Patient', headers: bearer(token) })).statusCode),
    );
  expect(await statuses()).toEqual([200, 200, 200]);
  await rig.app.inject({ method: 'POST', url: '/oauth2/logout', headers: { cookie, 'x-passerelle': 'ui' } });
  expect(await statuses()).toEqual([401, 200, 200]);
});

test('who ends the sessions of somebody that left only an app behind ends the app, at once, and is told', async () => {
  const cookie = await signIn(rig, 'left');
  const token = await appToken(cookie, 'user/*.rs offline_access');
  const headers = { cookie, 'x-passerelle': 'ui' };
  await rig.app.inject({ method: 'POST', url: '/oauth2/logout', headers });
  const get = async () => (await rig.app.inject({ url: '/oauth2/userinfo', headers: bearer(token) })).statusCode;
  expect(await get()).toBe(403);
  const account = (await findAccount(rig.database, 'left'))!;
  const context = rig.context(noa, 'administration');
  expect(await endAccountSessions(rig.access.accountRooms, { context, account }, {})).toBe(0);
  expect(await get()).toBe(401);
  const [event] = await rig.trail('subtype=session-ended');
  expect(event?.outcomeDesc).toBe('0 ended, 1 of applications');
});

test('names that are none, of other tenants or forged stand for nothing and break nothing', async () => {
  const cookie = await signIn(rig, 'named');
  const name = await nameOf({ cookie });
  const forged = [
    name.replace(':aa:', ':bb:'),
    name.replace('session:', 'oauth:'),
    'session:aa:x',
    '',
    "session:aa:' OR 1",
  ];
  expect(await rig.access.standing([name, ...forged])).toEqual(new Set([name]));
});
