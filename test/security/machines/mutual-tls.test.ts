import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertion, jwtBearer, keysOf, makeKey, openSmartRig, type SmartRig } from '../../access/smart/support.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { authority, type Pair, signedByItself } from './certificates.ts';

const ours = authority('Autorité des établissements');
const other = authority('Autorité des établissements');
const lone = signedByItself('ris-lone');
const named = ours.issue('ris-named');
let rig: SmartRig;
let server: https.Server;
let serverCa: string;
beforeAll(async () => {
  rig = await openSmartRig();
  await rig.addClient({ id: 'lone', certificates: [lone.fingerprint], scopes: ['system/Patient.rs'] });
  await rig.addClient({ id: 'named', certificates: [named.subject], scopes: ['system/Patient.rs'] });
  await rig.addClient({ id: 'keyed', ...keysOf(await makeKey()) });
  const tls = selfSigned(['localhost']);
  serverCa = tls.cert;
  await rig.app.ready();
  server = https.createServer(
    { ...tls, ca: ours.cert, requestCert: true, rejectUnauthorized: false },
    (request, response) => rig.app.routing(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rig.close();
});

/** One request over a connection of its own, with a certificate or without. */
function send(
  pair: Pair | undefined,
  path: string,
  options: { form?: Record<string, string>; token?: string } = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Record<string, unknown> }>();
  const request = https.request({
    ...{ host: 'localhost', port: (server.address() as AddressInfo).port, path, ca: serverCa, agent: false },
    method: options.form ? 'POST' : 'GET',
    ...(pair ? { cert: pair.cert, key: pair.key } : {}),
    headers: {
      ...(options.form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
    },
  });
  request.on('error', reject);
  request.on('response', async (response) => {
    const chunks = await response.toArray();
    resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString() || '{}') });
  });
  request.end(options.form ? new URLSearchParams(options.form).toString() : undefined);
  return promise;
}

const form = (id: string) => ({ grant_type: 'client_credentials', client_id: id });
const tokenOf = (pair: Pair | undefined, id: string) => send(pair, '/oauth2/token', { form: form(id) });

test('a machine is known by its certificate alone, and its token is good over that certificate only', async () => {
  const { status, body } = await tokenOf(lone, 'lone');
  expect(status).toBe(200);
  const token = String(body.access_token);
  expect((await send(lone, '/fhir/Patient', { token })).status).toBe(200);
  // Straight after, while the token is believed without asking the database.
  expect((await send(undefined, '/fhir/Patient', { token })).status).toBe(401);
  expect((await send(named, '/fhir/Patient', { token })).status).toBe(401);
  const plain = await rig.app.inject({ url: '/fhir/Patient', headers: { authorization: `Bearer ${token}` } });
  expect(plain.statusCode).toBe(401);
  expect((await send(lone, '/oauth2/introspect', { form: { token, client_id: 'lone' } })).body).toMatchObject({
    active: true,
    cnf: { 'x5t#S256': Buffer.from(lone.fingerprint.slice(7), 'hex').toString('base64url') },
  });
});

test('a subject counts when the authority of this server vouches for it', async () => {
  expect((await tokenOf(named, 'named')).status).toBe(200);
  expect((await tokenOf(ours.issue('ris-named'), 'named')).status).toBe(200);
  expect((await tokenOf(other.issue('ris-named'), 'named')).status).toBe(401);
  expect((await tokenOf(signedByItself('ris-named'), 'named')).status).toBe(401);
  expect((await tokenOf(ours.issue('ris-named,O=TEST'), 'named')).status).toBe(401);
  expect((await tokenOf(ours.issue('ris-other'), 'named')).status).toBe(401);
});

test('a certificate that is over, or not yet good, proves nothing, even by its fingerprint', async () => {
  const over = ours.issue('over', { from: new Date('2020-01-01'), to: new Date('2021-01-01') });
  const early = ours.issue('early', { from: new Date('2039-01-01'), to: new Date('2040-01-01') });
  await rig.addClient({ id: 'dated', certificates: [over.fingerprint, early.fingerprint, over.subject] });
  expect((await tokenOf(over, 'dated')).status).toBe(401);
  expect((await tokenOf(early, 'dated')).status).toBe(401);
  expect(await rig.told('platform')).toContain('8 the certificate is outside its dates');
});

test('a certificate is good for its own client, and a key does not become one', async () => {
  expect((await tokenOf(lone, 'named')).status).toBe(401);
  expect((await tokenOf(named, 'lone')).status).toBe(401);
  expect((await tokenOf(lone, 'keyed')).status).toBe(401);
  expect((await tokenOf(undefined, 'lone')).status).toBe(401);
  const forged = await assertion(await makeKey(), 'lone', rig.clock.now());
  const proof = { client_assertion_type: jwtBearer, client_assertion: forged };
  expect((await send(lone, '/oauth2/token', { form: { ...form('lone'), ...proof } })).status).toBe(401);
});
