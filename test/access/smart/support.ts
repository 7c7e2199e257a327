import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LightMyRequestResponse } from 'fastify';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createOAuthService, smartRoutes } from '../../../src/access/index.ts';
import { readKeySet } from '../../../src/access/smart/key-set.ts';
import { type ClientRequest, storeClient } from '../../../src/access/smart/registration.ts';
import type { OAuthService } from '../../../src/access/smart/service.ts';
import { fhirRoutes } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../support.ts';

export const baseUrl = 'http://passerelle.test';
export const tokenUrl = `${baseUrl}/oauth2/token`;
export const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface SmartRig extends Rig {
  service: OAuthService;
  /** Registers a client; a machine gets its account with the role `ris`. */
  addClient(request: Partial<ClientRequest> & { id: string }): Promise<void>;
  post(
    path: string,
    form: Record<string, string> | string,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>;
  /** Outcome and reason of what the trail tells of tokens, oldest first. */
  told(tenant?: string): Promise<string[]>;
}

/** The access room with its authorization server and the FHIR API. */
export async function openSmartRig(): Promise<SmartRig> {
  const rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl: () => baseUrl });
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-smart-'));
  const { database, access, clock, app } = rig;
  const service = createOAuthService({
    ...{ database, store: rig.store, access, clock, securityClock: clock, baseUrl: () => baseUrl },
    keyFolder: folder,
    keyHosts: [],
  });
  await app.register(smartRoutes, { service, certificates: true });
  return {
    ...rig,
    service,
    async addClient({ id, ...request }) {
      const kind = request.kind ?? 'backend';
      const tenant = request.tenant ?? 'aa';
      if (kind === 'backend') {
        await access.ensureAccount({
          ...{ tenant, login: id, kind: 'machine', reference: `Device/${id}`, display: id, roles: ['ris'] },
          organizationId: 'hospital',
        });
      }
      await storeClient(
        { database, now: clock.now(), keyHosts: [], parametersOf: rig.store.searchParameters },
        {
          ...{ tenant, id, kind, display: id, certificates: [], redirectUris: [] },
          ...(kind === 'backend' ? { organizationId: 'hospital' } : {}),
          scopes: ['system/*.cruds'],
          ...request,
        },
      );
    },
    post: (path, form, headers = {}) =>
      app.inject({
        method: 'POST',
        url: path,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
      }),
    async told(tenant = 'aa') {
      const events = await rig.trail('type=110114', tenant);
      return events.map(({ outcome, outcomeDesc }) => `${outcome} ${outcomeDesc ?? ''}`.trim());
    },
    async close() {
      await rig.close();
      await rm(folder, { recursive: true });
    },
  };
}

export interface TestKey {
  alg: string;
  kid: string;
  privateKey: CryptoKey;
  /** Public, as a client registers it. */
  jwks: string;
}

export async function makeKey(alg = 'ES384', kid = `key-${alg}`): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return { alg, kid, privateKey, jwks: JSON.stringify({ keys: [jwk] }) };
}

export function keysOf(key: TestKey): Pick<ClientRequest, 'keys'> {
  return { keys: { set: readKeySet(key.jwks) } };
}

let made = 0;

/** A signed assertion of a client; `claims` replaces what is usual, undefined leaves it out. */
export function assertion(
  key: Pick<TestKey, 'alg' | 'kid' | 'privateKey'>,
  clientId: string,
  now: Date,
  claims: { [name: string]: unknown } = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1000);
  const usual: JWTPayload = {
    ...{ iss: clientId, sub: clientId, aud: tokenUrl, exp: seconds + 300, jti: `jti-${++made}` },
  };
  const payload = Object.fromEntries(
    Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(payload)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey);
}

/** The form by which a machine asks for a token. */
export function machineForm(clientAssertion: string, scope?: string): Record<string, string> {
  return {
    grant_type: 'client_credentials',
    client_assertion_type: jwtBearer,
    client_assertion: clientAssertion,
    ...(scope === undefined ? {} : { scope }),
  };
}
