import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { exportJWK, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOAuthService } from '../../../src/access/index.ts';
import { proveClient } from '../../../src/access/smart/client-proof.ts';
import { readKeySet } from '../../../src/access/smart/key-set.ts';
import { openDatabase } from '../../../src/db/index.ts';
import {
  assertion,
  baseUrl,
  keysOf,
  machineForm,
  makeKey,
  openSmartRig,
  type SmartRig,
  type TestKey,
  tokenUrl,
} from '../../access/smart/support.ts';

let rig: SmartRig;
let key: TestKey;
let rsa: TestKey;
beforeAll(async () => {
  rig = await openSmartRig();
  key = await makeKey('ES384', 'k1');
  rsa = await makeKey('RS384', 'rsa');
  await rig.addClient({ id: 'target', ...keysOf(key) });
  await rig.addClient({ id: 'target-rsa', ...keysOf(rsa) });
  await rig.addClient({ id: 'mallory', ...keysOf(await makeKey('ES384', 'm1')) });
});
afterAll(() => rig.close());

const seconds = () => Math.floor(rig.clock.now().getTime() / 1000);

async function refusalOf(token: string): Promise<string> {
  const answer = await rig.post('/oauth2/token', machineForm(token));
  const { error, error_description: description } = answer.json();
  // Whatever is wrong, a stranger learns the same.
  expect([answer.statusCode, error, description]).toEqual([
    401,
    'invalid_client',
    'The client could not be authenticated',
  ]);
  return (await rig.told('platform')).at(-1) ?? '';
}

/** A token put together by hand, as no library would. */
function handmade(header: object, payload: object, signature: (input: string) => string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${signature(input)}`;
}

const claims = (more: object = {}) => ({
  ...{ iss: 'target', sub: 'target', aud: tokenUrl, exp: seconds() + 60, jti: `hand-${Math.random()}` },
  ...more,
});

test('an honest assertion is taken: what follows is refused for what it is', async () => {
  const honest = await assertion(key, 'target', rig.clock.now());
  expect((await rig.post('/oauth2/token', machineForm(honest))).statusCode).toBe(200);
});

test.each(['none', 'None', 'NONE', ''])('algorithm "%s" is refused', async (alg) => {
  await refusalOf(handmade({ alg, kid: 'k1' }, claims(), () => ''));
  await refusalOf(handmade({ alg, kid: 'k1' }, claims(), () => 'AAAA'));
});

test('a public key is no shared secret, in whatever form it is used as one', async () => {
  const [jwk] = readKeySet(rsa.jwks).keys;
  const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    for (const secret of [pem, JSON.stringify(jwk), jwk?.n ?? '']) {
      const hmac = (input: string) =>
        createHmac(`sha${alg.slice(2)}`, secret)
          .update(input)
          .digest('base64url');
      const forged = claims({ iss: 'target-rsa', sub: 'target-rsa' });
      await refusalOf(handmade({ alg, kid: 'rsa', typ: 'JWT' }, forged, hmac));
    }
  }
});

test('keys that come with the assertion are not looked at', async () => {
  const own = await makeKey('ES384', 'k1');
  const { keys } = readKeySet(own.jwks);
  const der = 'MIIBIjANBgkq';
  for (const header of [
    { jwk: keys[0] },
    { jku: 'https://evil.example/jwks' },
    { x5u: 'https://evil.example/cert' },
    { x5c: [der] },
    { jwk: keys[0], kid: undefined },
  ]) {
    await refusalOf(await assertion(own, 'target', rig.clock.now(), {}, header));
  }
});

test.each(['unknown', '../../etc/passwd', "k1' OR '1'='1", 'k1\u0000', '__proto__', 'constructor', 'K1', ' k1'])(
  'key name %j leads to no other key',
  async (kid) => {
    await refusalOf(await assertion({ ...key, kid }, 'target', rig.clock.now()));
  },
);

test('a key of one client does not sign for another', async () => {
  const mallory = await makeKey('ES384', 'm1');
  await refusalOf(await assertion(mallory, 'target', rig.clock.now()));
  await refusalOf(await assertion(key, 'mallory', rig.clock.now()));
  await refusalOf(await assertion(key, 'target', rig.clock.now(), { iss: 'mallory' }));
  await refusalOf(await assertion(key, 'target', rig.clock.now(), { sub: 'target-rsa' }));
  const form = { ...machineForm(await assertion(key, 'target', rig.clock.now())), client_id: 'mallory' };
  expect((await rig.post('/oauth2/token', form)).statusCode).toBe(401);
});

test.each([
  ['expired', () => ({ exp: seconds() - 11 })],
  ['living too long', () => ({ exp: seconds() + 311 })],
  ['living for ever', () => ({ exp: undefined })],
  ['with an end that is no number', () => ({ exp: '9999999999' })],
  ['with an endless end', () => ({ exp: 1e308 })],
  ['from the future', () => ({ iat: seconds() + 60 })],
  ['not good yet', () => ({ nbf: seconds() + 60 })],
  ['for another audience', () => ({ aud: 'https://evil.example/token' })],
  ['for the issuer only', () => ({ aud: baseUrl })],
  ['for several audiences', () => ({ aud: [tokenUrl, 'https://evil.example/token'] })],
  ['for an audience with a slash more', () => ({ aud: `${tokenUrl}/` })],
  ['for an audience in capitals', () => ({ aud: tokenUrl.toUpperCase() })],
  ['without audience', () => ({ aud: undefined })],
  ['without jti', () => ({ jti: undefined })],
  ['with an empty jti', () => ({ jti: '' })],
  ['with a jti that is no text', () => ({ jti: 7 })],
  ['with an enormous jti', () => ({ jti: 'j'.repeat(257) })],
  ['without issuer', () => ({ iss: undefined })],
  ['without subject', () => ({ sub: undefined })],
])('an assertion %s is refused', async (_name, wrong) => {
  await refusalOf(await assertion(key, 'target', rig.clock.now(), wrong()));
});

test('signatures that are cut, swapped, or of weaker algorithms are refused', async () => {
  const honest = await assertion(key, 'target', rig.clock.now());
  const [head = '', body = '', signature = ''] = honest.split('.');
  const otherBody = Buffer.from(JSON.stringify(claims({ exp: seconds() + 299 }))).toString('base64url');
  for (const forged of [
    `${head}.${body}.`,
    `${head}.${body}`,
    `${head}.${otherBody}.${signature}`,
    `${head}.${body}.${signature}.${signature}`,
    // An ECDSA signature of zeros was once taken by a large vendor (CVE-2022-21449).
    `${head}.${body}.${Buffer.alloc(96).toString('base64url')}`,
    `${honest} `,
    'not.a.jwt',
    '',
  ].filter((text) => text !== '')) {
    await refusalOf(forged);
  }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rs256 = (input: string) => sign('sha256', Buffer.from(input), privateKey).toString('base64url');
  await refusalOf(handmade({ alg: 'RS256', kid: 'rsa' }, claims({ iss: 'target-rsa', sub: 'target-rsa' }), rs256));
});

test('a key is for one algorithm: another of the same family is refused', async () => {
  const jwk = await exportJWK(rsa.privateKey);
  const token = await new SignJWT(claims({ iss: 'target-rsa', sub: 'target-rsa' }))
    .setProtectedHeader({ alg: 'PS384', kid: 'rsa' })
    .sign(await importJWK(jwk, 'PS384'));
  await refusalOf(token);
});

test('critical extensions nobody knows are not passed over', async () => {
  await expect(
    assertion(key, 'target', rig.clock.now(), {}, { crit: ['exp'], exp: 1 }).then(refusalOf),
  ).rejects.toThrow();
  const header = { alg: 'ES384', kid: 'k1', crit: ['x-rule'], 'x-rule': true };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const bySomebody = (input: string) =>
    sign('sha384', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  await refusalOf(handmade(header, claims(), bySomebody));
});

test('a huge assertion, a huge form and a flood of parameters are refused before anything is computed', async () => {
  await refusalOf(await assertion(key, 'target', rig.clock.now(), { padding: 'x'.repeat(8_000) }));
  expect((await rig.post('/oauth2/token', `a=${'x'.repeat(17_000)}`)).statusCode).toBe(413);
  const many = Array.from({ length: 41 }, (_, n) => `p${n}=1`).join('&');
  expect((await rig.post('/oauth2/token', many)).json().error).toBe('invalid_request');
  const twice = `${new URLSearchParams(machineForm(await assertion(key, 'target', rig.clock.now())))}&scope=a&scope=b`;
  expect((await rig.post('/oauth2/token', twice)).json().error).toBe('invalid_request');
  const json = await rig.app.inject({
    method: 'POST',
    url: '/oauth2/token',
    payload: { grant_type: 'client_credentials' },
  });
  expect(json.statusCode).toBe(415);
});

test('one assertion, sent to two nodes at once twenty times, gives one token', async () => {
  const { database, store, access, clock } = rig;
  const second = openDatabase(database.url, database.adminUrl);
  const node = (of: typeof database) => {
    const service = createOAuthService({
      ...{ database: of, store, access, clock, securityClock: clock, baseUrl: () => baseUrl },
      ...{ keyFolder: 'unused', keyHosts: [] },
    });
    return { ...service, tokenUrl: () => tokenUrl };
  };
  const nodes = [node(database), node(second)];
  const token = await assertion(key, 'target', clock.now());
  const form = new Map(Object.entries(machineForm(token)));
  const tries = Array.from({ length: 20 }, (_, n) => proveClient(nodes[n % 2]!, form, undefined));
  const results = await Promise.allSettled(tries);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  // Also long after, as long as it would be good.
  clock.advance(290_000);
  expect(await refusalOf(token)).toContain('used before');
  await second.close();
});

test('the same jti of another client is another assertion', async () => {
  const one = await assertion(key, 'target', rig.clock.now(), { jti: 'shared' });
  const other = await assertion(rsa, 'target-rsa', rig.clock.now(), { jti: 'shared' });
  expect((await rig.post('/oauth2/token', machineForm(one))).statusCode).toBe(200);
  expect((await rig.post('/oauth2/token', machineForm(other))).statusCode).toBe(200);
});

test('client secrets and Basic are nobody’s', async () => {
  const form = { grant_type: 'client_credentials', client_id: 'target', client_secret: 'secret' };
  expect((await rig.post('/oauth2/token', form)).statusCode).toBe(401);
  const basic = { authorization: `Basic ${Buffer.from('target:secret').toString('base64')}` };
  expect((await rig.post('/oauth2/token', { grant_type: 'client_credentials' }, basic)).statusCode).toBe(401);
});
