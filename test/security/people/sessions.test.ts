import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, password, type Scene } from './support.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

/** Every route that changes something for the person of the cookie. */
const changes = [
  ['POST', '/oauth2/logout'],
  ['POST', '/oauth2/account/proof'],
  ['POST', '/oauth2/account/password'],
  ['POST', '/oauth2/account/totp'],
  ['POST', '/oauth2/account/totp/confirm'],
  ['DELETE', '/oauth2/account/totp'],
  ['POST', '/oauth2/account/passkeys/options'],
  ['DELETE', '/oauth2/account/passkeys/abc'],
  ['POST', '/oauth2/account/recovery-codes'],
  ['DELETE', '/oauth2/account/sessions'],
  ['DELETE', '/oauth2/account/sessions/00000000-0000-4000-8000-000000000000'],
] as const;
const body = { password, current: password, code: '123456' };

test('a session that an attacker planted in the browser is not the one that signs in', async () => {
  await scene.person('x-plant');
  const attacker = scene.browser();
  await attacker.login('x-plant', password);
  const planted = attacker.session()!;
  await attacker.call('POST', '/oauth2/logout');
  const victim = scene.browser();
  victim.cookies.set('passerelle', planted);
  await victim.login('x-plant', password);
  expect(victim.session()).not.toBe(planted);
  expect(
    (await attacker.call('GET', '/oauth2/userinfo', undefined, { cookie: `passerelle=${planted}` })).statusCode,
  ).toBe(401);
});

test('a secret known before a factor came, a proof was given or the password changed is worth nothing after', async () => {
  await scene.person('x-renew');
  const own = scene.browser();
  await own.login('x-renew', password);
  const isWorthless = async (secret: string) =>
    (await scene.browser().call('GET', '/oauth2/userinfo', undefined, { cookie: `passerelle=${secret}` }))
      .statusCode === 401;
  const steps: (() => Promise<unknown>)[] = [
    () => own.call('POST', '/oauth2/account/proof', { password }),
    async () => {
      const { secret } = (await own.call('POST', '/oauth2/account/totp')).json();
      return own.call('POST', '/oauth2/account/totp/confirm', { code: scene.code(secret) });
    },
    () => own.call('DELETE', '/oauth2/account/totp'),
    () => own.call('POST', '/oauth2/account/password', { current: password, password: 'Martinet-noir-58' }),
  ];
  for (const step of steps) {
    const before = own.session()!;
    await step();
    expect(own.session()).not.toBe(before);
    expect(await isWorthless(before)).toBe(true);
    expect((await own.call('GET', '/oauth2/userinfo')).statusCode).toBe(200);
  }
});

test('no page of another site changes anything, however it asks', async () => {
  await scene.person('x-csrf');
  const own = scene.browser();
  await own.login('x-csrf', password);
  const cookie = `passerelle=${own.session()}`;
  const foreign: Record<string, string>[] = [
    { 'x-passerelle': '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://passerelle.test.evil.example' },
    { origin: 'http://localhost:80@evil.example' },
  ];
  for (const [method, url] of changes) {
    for (const headers of foreign) {
      const forged = await scene.app.inject({
        ...{ method, url, remoteAddress: '198.51.100.9' },
        ...(method === 'POST' ? { payload: body } : {}),
        headers: { cookie, 'x-passerelle': 'ui', ...headers },
      });
      // What a page of ours may not ask either is refused before; nothing is done, nobody is signed out.
      expect([400, 403], `${method} ${url} ${JSON.stringify(headers)}: ${forged.statusCode}`).toContain(
        forged.statusCode,
      );
      expect(forged.headers['set-cookie']).toBeUndefined();
    }
  }
  expect((await own.call('GET', '/oauth2/account/sessions')).json().sessions).toHaveLength(1);
  const ours = { origin: 'http://passerelle.test', 'sec-fetch-site': 'same-origin' };
  expect((await own.call('POST', '/oauth2/account/proof', { password }, ours)).statusCode).toBe(200);
});

test('no page of another site signs anybody in', async () => {
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    for (const url of ['/oauth2/login', '/oauth2/passkey/options']) {
      const forged = await scene.app.inject({
        method: 'POST',
        url,
        headers,
        payload: { username: 'x-csrf', password },
      });
      expect([url, forged.statusCode]).toEqual([url, 403]);
    }
  }
});

test('a bearer token reaches no page of an account', async () => {
  await scene.person('x-token');
  const token = await scene.access.issueToken('x-token', 60);
  const headers = { authorization: `Bearer ${token}` };
  for (const [method, url] of [
    ['GET', '/oauth2/account'],
    ['GET', '/oauth2/account/sessions'],
    ...changes.slice(1),
  ] as const) {
    const answer = await scene.app.inject({ method, url, headers, ...(method === 'POST' ? { payload: body } : {}) });
    expect([url, answer.statusCode]).toEqual([url, 403]);
  }
});

test('nobody ends a session of somebody else by its id', async () => {
  await scene.person('x-mine');
  await scene.person('x-other');
  const [mine, other] = [scene.browser(), scene.browser()];
  await mine.login('x-mine', password);
  await other.login('x-other', password);
  const [{ id }] = (await other.call('GET', '/oauth2/account/sessions')).json().sessions;
  expect((await mine.call('DELETE', `/oauth2/account/sessions/${id}`)).statusCode).toBe(404);
  expect((await other.call('GET', '/oauth2/userinfo')).statusCode).toBe(200);
  for (const odd of ['%27%20OR%201=1', `${id}'`, 'x'.repeat(5_000)]) {
    const answer = await mine.call('DELETE', `/oauth2/account/sessions/${odd}`);
    expect(answer.statusCode, odd.slice(0, 20)).toBeGreaterThanOrEqual(400);
    expect(answer.statusCode, odd.slice(0, 20)).toBeLessThan(500);
  }
});
