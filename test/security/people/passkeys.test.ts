import { afterAll, beforeAll, expect, test } from 'vitest';
import { relyingPartyOf } from '../../../src/access/second-factor/relying-party.ts';
import type { BrowserSession } from '../../access/browser-session.ts';
import { type Claims, type SoftAuthenticator, softAuthenticator } from './soft-authenticator.ts';
import { openScene, password, type Scene } from './support.ts';

const truth: Claims = { origin: 'https://passerelle.test', rpId: 'passerelle.test' };
let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ baseUrl: 'https://passerelle.test', secure: true });
});
afterAll(() => scene.close());

async function signedIn(login: string): Promise<BrowserSession> {
  await scene.person(login);
  const own = scene.browser();
  await own.login(login, password);
  return own;
}

async function register(own: BrowserSession, key: SoftAuthenticator, claims = truth, options?: object) {
  const asked = (options ?? (await own.call('POST', '/oauth2/account/passkeys/options')).json()) as Asked;
  const response = key.create(asked.options.challenge, claims);
  return own.call('POST', '/oauth2/account/passkeys', { ticket: asked.ticket, label: 'clé', response });
}

interface Asked {
  options: { challenge: string; user: { id: string } };
  ticket: string;
}

async function asked(browser: BrowserSession): Promise<Asked> {
  return (await browser.call('POST', '/oauth2/passkey/options', {})).json();
}

test('a passkey is kept only when every word of the answer is right', async () => {
  const own = await signedIn('k-lies');
  const key = softAuthenticator();
  for (const lie of [
    { origin: 'https://passerelle.test.evil.example' },
    { origin: 'http://passerelle.test' },
    { origin: 'https://sub.passerelle.test' },
    { rpId: 'evil.example' },
    { userVerified: false },
    { type: 'webauthn.get' as const },
    // A maker's certificate that would have us ask its own site whether it was revoked.
    { certificate: Buffer.from('3000', 'hex') },
  ]) {
    expect((await register(own, key, { ...truth, ...lie })).statusCode, JSON.stringify(lie)).toBe(422);
  }
  expect((await own.call('GET', '/oauth2/account')).json().passkeys).toEqual([]);
  expect((await register(own, key)).statusCode).toBe(200);
  expect((await own.call('GET', '/oauth2/account')).json().passkeys).toHaveLength(1);
});

test('a registration is answered once, in time, by whom it was asked of', async () => {
  const own = await signedIn('k-once');
  const other = await signedIn('k-once-other');
  const question = (await own.call('POST', '/oauth2/account/passkeys/options')).json();
  expect((await register(other, softAuthenticator(), truth, question)).statusCode).toBe(422);
  expect((await register(own, softAuthenticator(), truth, question)).statusCode).toBe(200);
  expect((await register(own, softAuthenticator(), truth, question)).statusCode).toBe(422);
  const late = (await own.call('POST', '/oauth2/account/passkeys/options')).json();
  scene.clock.advance(5 * 60_000);
  expect((await register(own, softAuthenticator(), truth, late)).statusCode).toBe(422);
  const made = { ...late, ticket: `${late.ticket.slice(0, -4)}AAAA` };
  expect((await register(own, softAuthenticator(), truth, made)).statusCode).toBe(422);
});

test('nobody registers the passkey of somebody else over it, in the same tenant or another', async () => {
  const own = await signedIn('k-victim');
  const key = softAuthenticator();
  await register(own, key);
  await scene.person('k-thief', { tenant: 'bb' });
  const thief = scene.browser();
  await thief.login('k-thief', password);
  expect((await register(thief, softAuthenticator(), { ...truth, id: key.id })).statusCode).toBe(422);
  const neighbour = await signedIn('k-neighbour');
  expect((await register(neighbour, softAuthenticator(), { ...truth, id: key.id })).statusCode).toBe(422);
  const browser = scene.browser();
  const question = await asked(browser);
  const response = key.get(question.options.challenge, { ...truth, counter: 2 });
  const answer = await browser.call('POST', '/oauth2/passkey', { ticket: question.ticket, response });
  expect([answer.statusCode, answer.json().account]).toEqual([200, 'k-victim']);
});

test('a passkey signs in only when every word of the answer is right, once, and its counter goes forward', async () => {
  const own = await signedIn('k-door');
  const key = softAuthenticator();
  const question = (await own.call('POST', '/oauth2/account/passkeys/options')).json() as Asked;
  await register(own, key, truth, question);
  const stranger = softAuthenticator();
  let counter = 10;
  const attempt = async (claims: Partial<Claims> = {}, more: { by?: SoftAuthenticator; handle?: string } = {}) => {
    const browser = scene.browser();
    const now = await asked(browser);
    const response = (more.by ?? key).get(
      now.options.challenge,
      { ...truth, counter: ++counter, ...claims },
      more.handle,
    );
    return { browser, body: { ticket: now.ticket, response } };
  };
  const status = async ({ browser, body }: Awaited<ReturnType<typeof attempt>>) =>
    (await browser.call('POST', '/oauth2/passkey', body)).statusCode;

  for (const lie of [
    { origin: 'https://evil.example' },
    { rpId: 'evil.example' },
    { userVerified: false },
    { type: 'webauthn.create' as const },
    { counter: 0 },
    { counter: 1 },
  ]) {
    expect(await status(await attempt(lie)), JSON.stringify(lie)).toBe(401);
  }
  expect(await status(await attempt({}, { by: stranger }))).toBe(401);
  expect(await status(await attempt({ id: key.id }, { by: stranger }))).toBe(401);
  expect(await status(await attempt({}, { handle: Buffer.from('k-other').toString('base64url') }))).toBe(401);

  const right = await attempt({}, { handle: question.options.user.id });
  expect(await status(right)).toBe(200);
  expect(await status(right)).toBe(401);
  const twice = await attempt();
  const both = await Promise.all([status(twice), status({ ...twice, browser: scene.browser() })]);
  expect(both.sort()).toEqual([200, 401]);
});

test('a question asked at the door does not serve inside, nor one asked of somebody else', async () => {
  const own = await signedIn('k-inside');
  const key = softAuthenticator();
  await register(own, key);
  scene.clock.advance(11 * 60_000);
  const door = await asked(own);
  const wrong = key.get(door.options.challenge, { ...truth, counter: 2 });
  expect(
    (await own.call('POST', '/oauth2/account/proof/passkey', { ticket: door.ticket, response: wrong })).statusCode,
  ).toBe(422);
  const inside = (await own.call('POST', '/oauth2/account/proof/passkey/options', {})).json() as Asked;
  const response = key.get(inside.options.challenge, { ...truth, counter: 3 });
  expect((await scene.browser().call('POST', '/oauth2/passkey', { ticket: inside.ticket, response })).statusCode).toBe(
    401,
  );
  expect(
    (await own.call('POST', '/oauth2/account/proof/passkey', { ticket: inside.ticket, response })).statusCode,
  ).toBe(200);
});

test('a passkey opens no account that is shut off, and one whose password others’ guesses have closed', async () => {
  const own = await signedIn('k-state');
  const key = softAuthenticator();
  await register(own, key);
  let counter = 1;
  const enter = async () => {
    const browser = scene.browser();
    const { options, ticket } = await asked(browser);
    const response = key.get(options.challenge, { ...truth, counter: ++counter });
    return (await browser.call('POST', '/oauth2/passkey', { ticket, response })).statusCode;
  };
  for (let n = 0; n < 8; n += 1) await scene.browser().login('k-state', 'faux');
  expect((await scene.browser().login('k-state', password)).statusCode).toBe(429);
  expect(await enter()).toBe(200);
  await scene.access.setDisabled('k-state', true);
  expect(await enter()).toBe(401);
});

test('what is no answer of an authenticator is refused and breaks nothing', async () => {
  const { ticket } = await asked(scene.browser());
  const good = softAuthenticator().get('x', truth) as { response: object };
  for (const body of [
    {},
    { ticket, response: null },
    { ticket, response: [] },
    { ticket: 'x'.repeat(10_000), response: good },
    { ticket, response: { ...good, id: '../../etc/passwd' } },
    { ticket, response: { ...good, id: 'a'.repeat(5_000) } },
    { ticket, response: { ...good, response: { ...good.response, signature: '{"$gt":""}' } } },
    { ticket, response: { ...good, response: { ...good.response, authenticatorData: 'AAAA' } } },
    { ticket, response: { ...good, response: { ...good.response, clientDataJSON: 'e30' } } },
  ]) {
    const answer = await scene.browser().call('POST', '/oauth2/passkey', body);
    expect([400, 401], JSON.stringify(body).slice(0, 80)).toContain(answer.statusCode);
  }
});

test('passkeys are bound to a name under TLS, or to the machine itself', () => {
  expect(relyingPartyOf('https://passerelle.chu.example')).toEqual({
    id: 'passerelle.chu.example',
    origin: 'https://passerelle.chu.example',
  });
  expect(relyingPartyOf('https://chu.example:8443')).toEqual({ id: 'chu.example', origin: 'https://chu.example:8443' });
  expect(relyingPartyOf('http://127.0.0.1:8080')).toEqual({ id: 'localhost', origin: 'http://localhost:8080' });
  expect(relyingPartyOf('http://[::1]:8080')).toEqual({ id: 'localhost', origin: 'http://localhost:8080' });
  for (const address of ['https://10.1.2.3', 'https://[2001:db8::1]', 'http://chu.example']) {
    expect(relyingPartyOf(address), address).toBeUndefined();
  }
});
