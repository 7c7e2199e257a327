/** What is hidden or out of sight is not told by other ways than reading it: subscriptions, estimates, addresses written out. */
import type { Bundle, Subscription } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fhirRoutes, relabel, systemContext } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { createSubscriptions, type Subscriptions, withSealedHeaders } from '../../../src/fhir/subscriptions/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

const baseUrl = 'http://passerelle.test';
let rig: Rig;
let subscriptions: Subscriptions;
const tokens = new Map<string, string>();
const accounts = {
  'north-ris': ['ris', 'north'],
  'south-ris': ['ris', 'south'],
  'north-radiologist': ['radiologist', 'north'],
  'south-radiologist': ['radiologist', 'south'],
  quality: ['quality', undefined],
} as const;

beforeAll(async () => {
  rig = await openRig();
  const { database, access, clock, app } = rig;
  const store = withSealedHeaders(rig.store as RestStore);
  const owners = { identityOf: (tenant: string, account: string) => access.identityIn(tenant, account) };
  subscriptions = createSubscriptions({
    ...{ database, store, guards: access, owners, clock, createMatcher: store.createMatcher },
    ...{ endpoints: { allowed: [], loopbackHttp: false }, baseUrl: () => baseUrl, periodMs: 0, freshMs: 5 },
  });
  await subscriptions.register(app);
  await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl: () => baseUrl });
  for (const [login, [role, organizationId]] of Object.entries(accounts)) {
    const kind = role === 'ris' ? 'machine' : 'person';
    const reference = `${kind === 'machine' ? 'Device' : 'Practitioner'}/${login}`;
    const account = { tenant: 'aa', login, kind, reference, display: login, roles: [role] } as const;
    await access.ensureAccount({ ...account, ...(organizationId ? { organizationId } : {}) });
    tokens.set(login, await access.issueToken(login, 86_400));
  }
  await subscriptions.start();
}, 60_000);
afterAll(async () => {
  await subscriptions.stop();
  await rig.close();
});

function send(login: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) {
  return rig.app.inject({
    ...{ method, url: `/fhir/${path}` },
    headers: { authorization: `Bearer ${tokens.get(login)}`, 'content-type': 'application/fhir+json' },
    ...(body ? { payload: JSON.stringify(body) } : {}),
  });
}

const asked = (criteria: string): Subscription => ({
  ...{ resourceType: 'Subscription', status: 'requested', reason: 'x', criteria },
  channel: { type: 'websocket' },
});

describe('a subscription of somebody else', () => {
  const criteria = 'Patient?identifier=urn:oid:1.2.250.1.213.1.4.8|279035121518989';

  it('does not tell who is waited for, by any way of asking', async () => {
    const made = await send('south-ris', 'POST', 'Subscription', asked(criteria));
    expect(made.statusCode, made.body).toBe(201);
    const { id } = made.json();
    for (const login of ['north-ris', 'north-radiologist', 'quality']) {
      for (const path of ['', '/_history', '/_history/1', '/$status'])
        expect((await send(login, 'GET', `Subscription/${id}${path}`)).statusCode, `${login} ${path}`).toBe(404);
      for (const path of [`Subscription?_id=${id}`, 'Subscription', 'Subscription/$status']) {
        const answer = await send(login, 'GET', path);
        expect(answer.statusCode, answer.body).toBe(200);
        expect(answer.body, path).not.toContain('279035121518989');
        expect((answer.json() as Bundle).entry ?? []).toEqual([]);
      }
      expect((await send(login, 'GET', `Subscription?_summary=count&_id=${id}`)).json().total).toBe(0);
      expect((await send(login, 'PUT', `Subscription/${id}`, { ...made.json(), status: 'off' })).statusCode).toBe(405);
    }
    expect((await send('south-ris', 'GET', `Subscription/${id}`)).json().criteria).toBe(criteria);
    expect((await send('south-ris', 'PUT', `Subscription/${id}`, { ...made.json(), status: 'off' })).statusCode).toBe(
      200,
    );
  });

  it('is not made one’s own by its label, and nothing else is given to somebody by one', async () => {
    const security = [{ system: 'https://fhir.passerelle.example/sid/account', code: 'north-ris' }];
    const forged = { ...asked(criteria), meta: { security } };
    const { id } = (await send('south-ris', 'POST', 'Subscription', forged)).json();
    expect((await send('north-ris', 'GET', `Subscription/${id}`)).statusCode).toBe(404);
    expect((await send('south-ris', 'GET', `Subscription/${id}`)).statusCode).toBe(200);
    const patient = { resourceType: 'Patient', meta: { security } };
    const other = (await send('south-ris', 'POST', 'Patient', patient)).json().id;
    expect((await send('north-ris', 'GET', `Patient/${other}`)).statusCode).toBe(404);
  });

  it('from before there were owners is its owner’s after relabelling', async () => {
    const { id } = (await send('south-ris', 'POST', 'Subscription', asked(criteria))).json();
    const bare = `UPDATE fhir.subscription SET keys = '{}',
      content = (content::jsonb #- '{meta,security}')::text WHERE tenant = $1 AND id = $2`;
    await rig.database.query('aa', bare, ['aa', id]);
    expect((await send('south-ris', 'GET', `Subscription/${id}`)).statusCode).toBe(404);
    await relabel(rig.store as RestStore, systemContext('aa', 'system:relabel', rig.clock), ['Subscription']);
    expect((await send('south-ris', 'GET', `Subscription/${id}`)).statusCode).toBe(200);
    expect((await send('north-ris', 'GET', `Subscription/${id}`)).statusCode).toBe(404);
  });
});
