import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Bundle, Practitioner } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { demoHospital } from '../../src/cli/demonstration/seed.ts';

/** `fhirclient` as a SMART app on a server of its own uses it: standalone launch, authorization code with PKCE, FHIR calls. */
const peer = fileURLToPath(new URL('../../data/referees/clients/node_modules/fhirclient/', import.meta.url));
const installed = existsSync(peer);
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const password = 'une-phrase-de-demonstration-1';

interface SmartClient {
  getUserId(): string | null;
  user: { read(): Promise<Practitioner> };
  request<T>(address: string): Promise<T>;
}
interface SmartApi {
  authorize(options: Record<string, unknown>): Promise<unknown>;
  ready(): Promise<SmartClient>;
}
type Smart = (request: IncomingMessage, response: ServerResponse, storage: object) => SmartApi;

let server: ChildServer;
let app: Server;
let appUrl: string;
let ready: Promise<SmartClient>;

beforeAll(async () => {
  if (!installed) return;
  server = await startChildServer({ DEMO_PASSWORD: password });
  const smart = createRequire(import.meta.url)(peer) as Smart;
  const kept = new Map<string, unknown>();
  const storage = {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: unknown) => kept.set(key, value) && value,
    unset: async (key: string) => kept.delete(key),
  };
  let arrived: (client: Promise<SmartClient>) => void;
  ready = new Promise((resolve) => {
    arrived = resolve;
  });
  app = createServer((request, response) => {
    const api = smart(request, response, storage);
    if (request.url?.startsWith('/callback')) {
      const client = api.ready();
      arrived(client);
      client.finally(() => response.end()).catch(() => undefined);
      return;
    }
    const scope = 'openid fhirUser user/Practitioner.rs';
    api.authorize({ iss: `${server.httpUrl}/fhir`, clientId: 'lecteur', redirectUri: `${appUrl}/callback`, scope });
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  appUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
});
afterAll(async () => {
  app?.close();
  await server?.stop();
});

/** The address a page sends the browser on to: by a header, or by a page that refreshes itself. */
function onward(response: Response, body: string): string {
  const address = response.headers.get('location') ?? /url=([^"]+)"/.exec(body)?.[1];
  if (address === undefined || address === null) throw new Error(`${response.status} leads nowhere`);
  return new URL(unescapeHtml(address), response.url).href;
}
const unescapeHtml = (text: string) => text.replace(/&#(\d+);/g, (_all, code: string) => String.fromCharCode(+code));

test.skipIf(!installed)(
  `an app built on fhirclient signs a radiologist in and reads with their rights${installed ? '' : ' (not here: fhirclient is missing)'}`,
  async () => {
    const register = ['clients', 'add', demoHospital.tenant, 'lecteur', '--kind', 'public-app'];
    const options = ['--scope', 'openid fhirUser user/Practitioner.rs', '--redirect', `${appUrl}/callback`];
    const env = {
      ...process.env,
      ...{ DATA_DIR: server.dataDir, PORT: new URL(server.httpUrl).port },
      ...{ DATABASE_URL: '', BASE_URL: '', LOG_LEVEL: 'silent' },
    };
    const added = spawnSync(process.execPath, [main, ...register, ...options], { encoding: 'utf8', env });
    expect([added.status, added.stderr]).toEqual([0, '']);

    const login = await fetch(`${server.httpUrl}/oauth2/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'radiologue', password }),
    });
    expect(login.status).toBe(200);
    const cookie = login.headers
      .getSetCookie()
      .map((value) => value.split(';', 1)[0])
      .join('; ');
    const browse = (address: string, init: RequestInit = {}) =>
      fetch(address, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } });

    const launched = await fetch(`${appUrl}/launch`, { redirect: 'manual' });
    const asked = await browse(onward(launched, ''));
    const page = await browse(onward(asked, await asked.text()));
    const form = await page.text();
    const hidden = (name: string) => unescapeHtml(new RegExp(`name="${name}" value="([^"]*)"`).exec(form)?.[1] ?? '');
    const decided = await browse(`${server.httpUrl}/oauth2/consent`, {
      method: 'POST',
      headers: { origin: server.httpUrl },
      body: new URLSearchParams({ request: hidden('request'), proof: hidden('proof'), decision: 'accept' }),
    });
    expect(decided.status).toBe(303);
    await fetch(onward(decided, ''));

    const client = await ready;
    expect(client.getUserId()).toBe('radiologue');
    expect(await client.user.read()).toMatchObject({ resourceType: 'Practitioner', id: 'radiologue' });
    const found = await client.request<Bundle<Practitioner>>('Practitioner?_id=radiologue');
    expect(found.entry?.[0]?.resource).toMatchObject({ id: 'radiologue' });
    await expect(client.request('Task')).rejects.toThrow(/403|Forbidden/);
  },
  120_000,
);
