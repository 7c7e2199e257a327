import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePassword, passwordProblems } from '../../src/access/passwords.ts';
import { openBrowserSession } from './browser-session.ts';
import { openRig, type Rig } from './support.ts';

const password = 'Hirondelle-47';
const dayMs = 24 * 3_600_000;
let rig: Rig;
let nextAddress = 1;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const browser = () => openBrowserSession(rig.app, `198.51.100.${nextAddress++}`);

async function person(login: string, temporaryPassword = false) {
  await rig.access.ensureAccount({
    ...{ tenant: 'aa', kind: 'person' as const, reference: `Practitioner/${login}`, display: 'Dr ZOE TEST' },
    ...{ login, roles: ['radiologist'], password, temporaryPassword },
  });
}

test('neither the identifier, nor the name, nor the grade, nor the role is inside, whole or in part', () => {
  const account = { login: 'a.moreau', display: 'Médecin en chef Éléonore MOREAU', roles: ['radiologist'] };
  for (const inside of [
    'A.moreau#2026',
    'xMorea_2026',
    'Eleo#2026abc',
    'medecin-AB12',
    'Chef-9876-ab',
    'radiologue-A1',
    'Radiol_2026',
  ]) {
    expect(passwordProblems(inside, account), inside).toHaveLength(1);
  }
  expect(passwordProblems('Hirondelle-47', account)).toEqual([]);
});

test('a password made for somebody keeps the rules, for an administrator too', () => {
  // Short names are in a random text now and then: those draws are thrown away.
  for (const login of ['abc', 'pa1', 'x-y']) {
    const account = { login, display: 'Zoé Aba', roles: ['administrator'] };
    for (let n = 0; n < 200; n += 1) expect(passwordProblems(makePassword(account), account)).toEqual([]);
  }
});

test('after 90 days the password opens one thing only, the choice of another', async () => {
  await person('p-old');
  rig.clock.advance(90 * dayMs - 1);
  expect((await browser().login('p-old', password)).statusCode).toBe(200);
  rig.clock.advance(1);
  const own = browser();
  const begun = await own.login('p-old', password);
  expect([begun.statusCode, begun.json()]).toEqual([202, { step: 'change-password' }]);
  expect((await own.call('GET', '/oauth2/userinfo')).statusCode).toBe(401);
  expect((await own.call('GET', '/oauth2/sign-in')).json()).toMatchObject({ temporary: false, minimumLength: 9 });
  const weak = await own.call('POST', '/oauth2/sign-in/password', { password: 'court' });
  expect([weak.statusCode, weak.json().error]).toEqual([422, 'password_refused']);
  const done = await own.call('POST', '/oauth2/sign-in/password', { password: 'Martinet-noir-58' });
  expect([done.statusCode, done.json().account]).toEqual([200, 'p-old']);
  expect((await browser().login('p-old', 'Martinet-noir-58')).statusCode).toBe(200);
  expect((await browser().login('p-old', password)).statusCode).toBe(401);
});

test('a temporary password is good for choosing another, for seven days', async () => {
  await person('p-new', true);
  const begun = await browser().login('p-new', password);
  expect(begun.json()).toEqual({ step: 'change-password' });
  rig.clock.advance(7 * dayMs);
  const late = await browser().login('p-new', password);
  expect([late.statusCode, late.json().error]).toEqual([401, 'invalid_credentials']);
});

test('a new password differs clearly from each of the last six', async () => {
  await person('p-six');
  const own = browser();
  await own.login('p-six', password);
  const words = [
    'Martinet-noir-58',
    'Grive-musicienne1',
    'Pinson+vert+31',
    'Loriot_jaune_77',
    'Bouvreuil:rouge4',
    'Chardon&neret22',
  ];
  const set = async (current: string, next: string) =>
    (await own.call('POST', '/oauth2/account/password', { current, password: next })).statusCode;
  expect(await set(password, 'hirondelle_48')).toBe(422);
  let current = password;
  for (const [index, next] of words.entries()) {
    const oldest = [password, ...words.slice(0, index)].slice(-6)[0]!;
    expect(await set(current, oldest), oldest).toBe(422);
    expect(await set(current, `${oldest.toUpperCase().replace(/\d/g, '9')}!`), oldest).toBe(422);
    expect(await set(current, next), next).toBe(200);
    current = next;
  }
  // Six others since: the first may come back.
  expect(await set(current, password)).toBe(200);
});

test('changing the password wants the present one, ends the other sessions and gives this one a new secret', async () => {
  await person('p-change');
  const [own, other] = [browser(), browser()];
  await own.login('p-change', password);
  await other.login('p-change', password);
  const before = own.session();
  const wrong = await own.call('POST', '/oauth2/account/password', { current: 'faux', password: 'Martinet-noir-58' });
  expect([wrong.statusCode, wrong.json().message]).toEqual([422, 'Mot de passe actuel incorrect.']);
  expect(
    (await own.call('POST', '/oauth2/account/password', { current: password, password: 'Martinet-noir-58' }))
      .statusCode,
  ).toBe(200);
  expect(own.session()).not.toBe(before);
  expect((await own.call('GET', '/oauth2/userinfo')).statusCode).toBe(200);
  expect((await other.call('GET', '/oauth2/userinfo')).statusCode).toBe(401);
  const events = await rig.trail('agent=Practitioner/p-change');
  expect(events.some((event) => event.subtype?.[1]?.code === 'password-changed')).toBe(true);
});

test('one sees one’s sessions, where from, since when and on what, and ends one or all the others', async () => {
  await person('p-list');
  const [own, second, third] = [browser(), browser(), browser()];
  for (const one of [own, second, third]) await one.login('p-list', password);
  const list = async () => (await own.call('GET', '/oauth2/account/sessions')).json().sessions;
  const sessions = await list();
  expect(sessions).toHaveLength(3);
  expect(sessions.filter((one: { current: boolean }) => one.current)).toHaveLength(1);
  const entry = sessions.find((one: { network: string }) => one.network === second.address);
  expect(entry).toMatchObject({ device: 'Navigateur essai 1.0', methods: ['password'], createdAt: expect.any(String) });
  expect((await own.call('DELETE', `/oauth2/account/sessions/${entry.id}`)).statusCode).toBe(204);
  expect((await second.call('GET', '/oauth2/userinfo')).statusCode).toBe(401);
  expect((await own.call('DELETE', `/oauth2/account/sessions/${entry.id}`)).statusCode).toBe(404);
  expect((await own.call('DELETE', '/oauth2/account/sessions')).statusCode).toBe(204);
  expect((await third.call('GET', '/oauth2/userinfo')).statusCode).toBe(401);
  expect(await list()).toHaveLength(1);
});

test('who left a session open long ago proves who they are before ending others', async () => {
  await person('p-stale');
  const [own, other] = [browser(), browser()];
  for (const one of [own, other]) await one.login('p-stale', password);
  rig.clock.advance(10 * 60_000);
  const { sessions } = (await own.call('GET', '/oauth2/account/sessions')).json();
  const { id } = sessions.find((one: { current: boolean }) => !one.current);
  for (const path of [`/${id}`, '']) {
    const refused = await own.call('DELETE', `/oauth2/account/sessions${path}`);
    expect([refused.statusCode, refused.json().error]).toEqual([403, 'proof_required']);
  }
  expect((await other.call('GET', '/oauth2/userinfo')).statusCode).toBe(200);
  await own.call('POST', '/oauth2/account/proof', { password });
  expect((await own.call('DELETE', '/oauth2/account/sessions')).statusCode).toBe(204);
  expect((await other.call('GET', '/oauth2/userinfo')).statusCode).toBe(401);
});

test('an account has ten sessions at most: the one used longest ago ends, and the trail tells', async () => {
  await person('p-many');
  const isOpen = async (own: ReturnType<typeof browser>) =>
    (await own.call('GET', '/oauth2/userinfo')).statusCode === 200;
  const browsers = Array.from({ length: 11 }, browser);
  for (const own of browsers.slice(0, 10)) {
    await own.login('p-many', password);
    rig.clock.advance(61_000);
  }
  // The first is in use, the second is not.
  expect(await isOpen(browsers[0]!)).toBe(true);
  rig.clock.advance(61_000);
  await browsers[10]!.login('p-many', password);
  const open = await Promise.all(browsers.map(isOpen));
  expect(open).toEqual(browsers.map((_, at) => at !== 1));
  const told = (await rig.trail('agent=Practitioner/p-many')).map((event) => event.outcomeDesc);
  expect(told).toContain('1 ended: too many at the same time');
});

test('signing in again ends the session this browser had', async () => {
  await person('p-again');
  const own = browser();
  await own.login('p-again', password);
  const before = own.session();
  await own.login('p-again', password);
  const old = await browser().call('GET', '/oauth2/userinfo', undefined, { cookie: `passerelle=${before}` });
  expect(old.statusCode).toBe(401);
  expect((await own.call('GET', '/oauth2/account/sessions')).json().sessions).toHaveLength(1);
});
