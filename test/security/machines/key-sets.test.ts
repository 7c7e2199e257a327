import { generateKeyPairSync } from 'node:crypto';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createKeyFetch, isAllowedKeyUrl } from '../../../src/access/smart/key-fetch.ts';
import { readKeySet } from '../../../src/access/smart/key-set.ts';
import { makeKey } from '../../access/smart/support.ts';
import { fakeClock } from '../../access/support.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';

const servers: https.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A host that publishes key sets; `answer` says what. */
async function keyHost(answer: (path: string) => { status?: number; body: string; headers?: Record<string, string> }) {
  const tls = selfSigned(['localhost'], ['127.0.0.1']);
  let asked = 0;
  const server = https.createServer(tls, (request, response) => {
    asked++;
    const { status = 200, body, headers = {} } = answer(request.url ?? '');
    response.writeHead(status, headers).end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  const clock = fakeClock();
  return {
    ...{ host, clock, url: `https://${host}/jwks` },
    asked: () => asked,
    fetch: createKeyFetch({ hosts: [host], clock, ca: [tls.cert] }),
    untrusting: createKeyFetch({ hosts: [host], clock }),
  };
}

test('a key set is fetched once, believed for five minutes, and asked for again when a key is not in it', async () => {
  const first = await makeKey('ES384', 'one');
  const second = await makeKey('ES384', 'two');
  let published = first.jwks;
  const host = await keyHost(() => ({ body: published }));
  await host.fetch.keySet(host.url, 'one', 'ES384');
  await host.fetch.keySet(host.url, 'one', 'ES384');
  expect(host.asked()).toBe(1);
  published = second.jwks;
  // Invented key names make us ask twice a minute, not more.
  host.clock.advance(31_000);
  for (let n = 0; n < 20; n++) await host.fetch.keySet(host.url, `invented-${n}`, 'ES384');
  expect(host.asked()).toBe(2);
  expect((await host.fetch.keySet(host.url, 'two', 'ES384')).keys[0]?.kid).toBe('two');
  host.clock.advance(5 * 60_000 + 1);
  await host.fetch.keySet(host.url, 'two', 'ES384');
  expect(host.asked()).toBe(3);
});

test.each([
  ['a redirect', { status: 302, body: '', headers: { location: 'https://169.254.169.254/' } }],
  ['an error', { status: 500, body: '{"keys":[]}' }],
  ['no JSON', { body: '<html>' }],
  ['no keys', { body: '{"keys":[]}' }],
  ['more than 64 kB', { body: `{"keys":[],"x":"${'x'.repeat(70_000)}"}` }],
])('%s instead of a key set is no key set', async (_name, answer) => {
  const host = await keyHost(() => answer);
  await expect(host.fetch.keySet(host.url, 'one', 'ES384')).rejects.toThrow(/key set|JSON|clé/);
  expect(host.asked()).toBe(1);
});

test('a certificate nobody vouches for is not believed', async () => {
  const host = await keyHost(() => ({ body: '{}' }));
  await expect(host.untrusting.keySet(host.url, 'one', 'ES384')).rejects.toThrow('could not be fetched');
  expect(host.asked()).toBe(0);
});

test.each([
  'http://keys.example/jwks',
  'https://keys.example.evil.test/jwks',
  'https://evil.test/keys.example',
  'https://keys.example@evil.test/jwks',
  'https://user:secret@keys.example/jwks',
  'https://keys.example:8443/jwks',
  'https://127.0.0.1/jwks',
  'https://169.254.169.254/latest/meta-data',
  'https://[::1]/jwks',
  'file:///etc/passwd',
  'https://keys.example/jwks#x',
  'no address',
])('%s is not asked for keys', (url) => {
  expect(isAllowedKeyUrl(url, new Set(['keys.example']))).toBe(false);
});

test('a host the operator named is asked, with the port named or the usual one', () => {
  const hosts = new Set(['keys.example', 'ris.local:8443']);
  expect(isAllowedKeyUrl('https://keys.example/a/jwks?x=1', hosts)).toBe(true);
  expect(isAllowedKeyUrl('https://KEYS.example:443/jwks', hosts)).toBe(true);
  expect(isAllowedKeyUrl('https://ris.local:8443/jwks', hosts)).toBe(true);
});

test('private keys, shared secrets, short keys and unknown curves are refused', async () => {
  const jwk = (type: 'rsa' | 'ec', options: object, side: 'privateKey' | 'publicKey' = 'publicKey') => {
    const pair = generateKeyPairSync(type as 'rsa', options as { modulusLength: number });
    return { ...pair[side].export({ format: 'jwk' }), kid: 'k' };
  };
  const set = (...keys: object[]) => JSON.stringify({ keys });
  expect(() => readKeySet(set(jwk('rsa', { modulusLength: 2048 }, 'privateKey')))).toThrow(/secrète ou privée/);
  expect(() => readKeySet(set({ kty: 'oct', kid: 'k', k: 'c2VjcmV0' }))).toThrow(/secrète ou privée/);
  expect(() => readKeySet(set(jwk('rsa', { modulusLength: 1024 })))).toThrow(/aucune clé utilisable/);
  expect(() => readKeySet(set(jwk('ec', { namedCurve: 'secp256k1' })))).toThrow(/aucune clé utilisable/);
  expect(() => readKeySet(set({ ...jwk('ec', { namedCurve: 'P-384' }), use: 'enc' }))).toThrow(/aucune clé utilisable/);
  expect(() => readKeySet(set({ ...jwk('ec', { namedCurve: 'P-384' }), kid: undefined }))).toThrow(
    /aucune clé utilisable/,
  );
  const good = jwk('ec', { namedCurve: 'P-384' });
  expect(() => readKeySet(set(good, good))).toThrow(/même « kid »/);
  expect(readKeySet(set(good)).keys).toHaveLength(1);
});
