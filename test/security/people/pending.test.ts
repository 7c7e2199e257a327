import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, password, type Scene } from './support.ts';

let scene: Scene;
let secret: string;
const pendingName = 'passerelle-sign-in';
beforeAll(async () => {
  scene = await openScene();
  ({ secret } = await scene.withTotp('y-totp'));
});
afterAll(() => scene.close());

async function pending(login = 'y-totp') {
  const browser = scene.browser();
  expect((await browser.login(login, password)).statusCode).toBe(202);
  return browser;
}

test('between the password and the second factor nothing opens but the second factor', async () => {
  const browser = await pending();
  const half = browser.cookies.get(pendingName)!;
  for (const cookie of [`passerelle=${half}`, `${pendingName}=${half}`]) {
    await expect(
      scene.access.authenticate({ headers: { cookie, 'x-passerelle': 'ui' }, ip: '192.0.2.1', id: 'r', method: 'GET' }),
    ).rejects.toMatchObject({ status: 401 });
  }
  await expect(
    scene.access.authenticate({
      headers: { authorization: `Bearer ${half}` },
      ip: '192.0.2.1',
      id: 'r',
      method: 'GET',
    }),
  ).rejects.toMatchObject({ status: 401 });
  for (const [method, url, body] of [
    ['GET', '/oauth2/userinfo', undefined],
    ['GET', '/oauth2/account', undefined],
    ['GET', '/oauth2/account/sessions', undefined],
    ['POST', '/oauth2/account/totp', {}],
    ['POST', '/oauth2/account/password', { current: password, password: 'Martinet-noir-58' }],
    // Steps that are not this one: an own factor in place of the one asked for, a new password instead of the factor.
    ['POST', '/oauth2/sign-in/enrol/totp', {}],
    ['POST', '/oauth2/sign-in/enrol/totp/confirm', { code: '123456' }],
    ['POST', '/oauth2/sign-in/password', { password: 'Martinet-noir-58' }],
  ] as const) {
    const other = await pending();
    const answer = await other.call(method, url, body);
    expect([url, answer.statusCode]).toEqual([url, 401]);
    expect(other.session()).toBeUndefined();
  }
  expect((await browser.call('POST', '/oauth2/sign-in/totp', { code: scene.code(secret) })).statusCode).toBe(200);
});

test('an expired password changes only after the second factor', async () => {
  const { secret: own } = await scene.withTotp('y-expired');
  scene.clock.advance(91 * 24 * 3_600_000);
  const browser = await pending('y-expired');
  expect((await browser.call('POST', '/oauth2/sign-in/password', { password: 'Martinet-noir-58' })).statusCode).toBe(
    401,
  );
  const again = await pending('y-expired');
  const step = await again.call('POST', '/oauth2/sign-in/totp', { code: scene.code(own) });
  expect([step.statusCode, step.json()]).toEqual([202, { step: 'change-password' }]);
  expect(again.session()).toBeUndefined();
  expect((await again.call('POST', '/oauth2/sign-in/password', { password: 'Martinet-noir-58' })).statusCode).toBe(200);
});

test('a code opens once: not again, not an older one after it, and one of several sent at once', async () => {
  const own = await scene.withTotp('y-replay');
  const code = scene.code(own.secret);
  const browsers = await Promise.all(Array.from({ length: 4 }, () => pending('y-replay')));
  const answers = await Promise.all(browsers.map((one) => one.call('POST', '/oauth2/sign-in/totp', { code })));
  expect(answers.map((answer) => answer.statusCode).sort()).toEqual([200, 401, 401, 401]);
  expect((await (await pending('y-replay')).call('POST', '/oauth2/sign-in/totp', { code })).statusCode).toBe(401);
  scene.clock.advance(3_600_000);
  const older = scene.code(own.secret);
  scene.clock.advance(30_000);
  const newer = scene.code(own.secret);
  expect((await (await pending('y-replay')).call('POST', '/oauth2/sign-in/totp', { code: newer })).statusCode).toBe(
    200,
  );
  expect((await (await pending('y-replay')).call('POST', '/oauth2/sign-in/totp', { code: older })).statusCode).toBe(
    401,
  );
});

test('a recovery code sent twice at once opens one session', async () => {
  const { recoveryCodes } = await scene.withTotp('y-paper');
  const browsers = [await pending('y-paper'), await pending('y-paper')];
  const answers = await Promise.all(
    browsers.map((one) => one.call('POST', '/oauth2/sign-in/recovery-code', { code: recoveryCodes[0]! })),
  );
  expect(answers.map((answer) => answer.statusCode).sort()).toEqual([200, 401]);
});

test('a half-done sign-in ends after ten minutes, after five wrong codes, and when its account is shut off', async () => {
  const slow = await pending();
  scene.clock.advance(10 * 60_000);
  const late = await slow.call('POST', '/oauth2/sign-in/totp', { code: scene.code(secret) });
  expect([late.statusCode, late.json().error]).toEqual([401, 'sign_in_over']);

  const guessing = await scene.withTotp('y-guess');
  const guesser = await pending('y-guess');
  for (let wrong = 1; wrong <= 5; wrong += 1) {
    await guesser.call('POST', '/oauth2/sign-in/totp', { code: '000000' });
    scene.clock.advance(60_000);
  }
  expect((await guesser.call('POST', '/oauth2/sign-in/totp', { code: scene.code(guessing.secret) })).statusCode).toBe(
    401,
  );

  const { secret: own } = await scene.withTotp('y-off');
  const shut = await pending('y-off');
  await scene.access.setDisabled('y-off', true);
  expect((await shut.call('POST', '/oauth2/sign-in/totp', { code: scene.code(own) })).statusCode).toBe(401);
});

test('a cookie of a half-done sign-in is out of reach of scripts and other sites', async () => {
  const answer = await scene.browser().login('y-totp', password);
  expect(String(answer.headers['set-cookie'])).toMatch(
    /^passerelle-sign-in=aa\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=600$/,
  );
  const { rows } = await scene.database.query<{ text: string }>(
    'aa',
    'SELECT pending_sign_in::text AS text FROM pending_sign_in',
  );
  const value = /\.([\w-]{43})/.exec(String(answer.headers['set-cookie']))?.[1] ?? 'none';
  expect(rows.map((row) => row.text).join()).not.toContain(value);
});

test('signing in steps nowhere without the header of our pages', async () => {
  const browser = await pending();
  for (const headers of [
    { 'x-passerelle': '' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example' },
  ]) {
    const answer = await browser.call('POST', '/oauth2/sign-in/totp', { code: scene.code(secret) }, headers as never);
    expect(answer.statusCode).toBe(403);
  }
});
