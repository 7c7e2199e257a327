import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeClient } from '../../../src/access/smart/registration.ts';
import { openWholeServer, type WholeServer, writeCertificate } from '../surface/whole-server.ts';
import { authority, type Pair } from './certificates.ts';

/** The application as it is served, with certificates asked for. */
const ours = authority('Autorité');
const ris = ours.issue('ris');
let whole: WholeServer;
let folder: string;
let ca: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-mtls-'));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  ca = await writeCertificate(files);
  await writeFile(join(folder, 'clients.pem'), ours.cert);
  whole = await openWholeServer({
    ...{ TLS_CERT: files.cert, TLS_KEY: files.key, TLS_CLIENT_CA: join(folder, 'clients.pem') },
    ...{ MLLPS_PORT: '0', MLLPS_CLIENT_CERTIFICATE: 'required' },
  });
  const { access, database } = whole.server;
  await access.ensureAccount({
    ...{ tenant: 'aa', login: 'ris', kind: 'machine', reference: 'Device/ris', display: 'RIS', roles: ['ris'] },
    organizationId: 'hospital',
  });
  await storeClient(
    { database, now: new Date(), keyHosts: [], parametersOf: () => [] },
    {
      ...{ tenant: 'aa', id: 'ris', kind: 'backend', display: 'RIS', organizationId: 'hospital', redirectUris: [] },
      ...{ scopes: ['system/Patient.rs'], certificates: [ris.subject] },
    },
  );
});
afterAll(async () => {
  await whole?.close();
  await rm(folder, { recursive: true });
});

function send(path: string, pair?: Pair, body?: string, token?: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const request = https.request({
    ...{ host: 'localhost', port: whole.server.httpPort, path, ca, agent: false, method: body ? 'POST' : 'GET' },
    ...(pair ? { cert: pair.cert, key: pair.key } : {}),
    headers: {
      ...(body ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
  });
  request.on('error', reject);
  request.on('response', async (response) => {
    const chunks = await response.toArray();
    resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
  });
  request.end(body);
  return promise;
}

test('a machine of the configured authority gets its token and uses it; browsers without a certificate are served too', async () => {
  const form = 'grant_type=client_credentials&client_id=ris';
  const answer = await send('/oauth2/token', ris, form);
  expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('access_token')]);
  const token = JSON.parse(answer.body).access_token;
  expect((await send('/fhir/Patient', ris, undefined, token)).status).toBe(200);
  expect((await send('/fhir/Patient', undefined, undefined, token)).status).toBe(401);
  expect((await send('/oauth2/token', authority('Autorité').issue('ris'), form)).status).toBe(401);
  expect((await send('/healthz')).status).toBe(200);
});

test('the CapabilityStatement and the configuration name the same endpoints', async () => {
  const statement = JSON.parse((await send('/fhir/metadata')).body);
  const configuration = JSON.parse((await send('/fhir/.well-known/smart-configuration')).body);
  const uris = statement.rest[0].security.extension[0].extension;
  expect(uris).toContainEqual({ url: 'token', valueUri: configuration.token_endpoint });
  expect(uris).toContainEqual({ url: 'authorize', valueUri: configuration.authorization_endpoint });
  expect(configuration.token_endpoint_auth_methods_supported).toContain('tls_client_auth');
  expect(statement.rest[0].security.service[0].coding[0].code).toBe('SMART-on-FHIR');
});
