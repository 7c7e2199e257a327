/** What is hidden or out of sight is not told by other ways than reading it: subscriptions, estimates, addresses written out. */
import type { Bundle, Patient, ServiceRequest, Subscription, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fhirRoutes, relabel, systemContext } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { createSubscriptions, type Subscriptions, withSealedHeaders } from '../../../src/fhir/subscriptions/index.ts';
import { createVault, newKeyLine, openKeyRing } from '../../../src/vault/index.ts';
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
  'north-technologist': ['technologist', 'north'],
  quality: ['quality', undefined],
  coordinator: ['coordinator', undefined],
} as const;

beforeAll(async () => {
  rig = await openRig();
  const { database, access, clock, app } = rig;
  const sealer = createVault(openKeyRing({ text: newKeyLine(clock.now()) }));
  const store = withSealedHeaders(rig.store as RestStore, sealer);
  const owners = { identityOf: (tenant: string, account: string) => access.identityIn(tenant, account) };
  subscriptions = createSubscriptions({
    ...{
      database,
      store,
      guards: access,
      sealer,
      owners,
      standing: access.standing,
      clock,
      createMatcher: store.createMatcher,
    },
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

describe('an element that is hidden', () => {
  it('is not repeated by the narrative, nor inside the resource', async () => {
    const said = 'TEST-hidden';
    const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${said}</div>` } as const;
    const context = { ...systemContext('aa', 'system:seed', rig.clock), establishments: ['north'] };
    const [request, patient] = await rig.store.transaction(context, async (tx) => [
      await tx.create<ServiceRequest>({
        ...{ resourceType: 'ServiceRequest', status: 'active', intent: 'order', text },
        contained: [{ resourceType: 'Patient', id: 'p', name: [{ family: said }] }],
        subject: { reference: '#p' },
      }),
      await tx.create<Patient>({ resourceType: 'Patient', text, contact: [{ name: { text: said } }] }),
    ]);
    for (const [login, path] of [
      ['quality', `ServiceRequest/${request.id}`],
      ['quality', `ServiceRequest/${request.id}/_history`],
      ['quality', `ServiceRequest?_id=${request.id}`],
      ['coordinator', `Patient/${patient.id}`],
    ] as const) {
      const answer = await send(login, 'GET', path);
      expect(answer.statusCode, answer.body).toBe(200);
      expect(answer.body, `${login} ${path}`).not.toContain(said);
    }
    expect((await send('north-radiologist', 'GET', `ServiceRequest/${request.id}`)).body).toContain(said);
  });

  it('is not asked about by a subscription either', async () => {
    for (const criteria of ['Task?patient=Patient/1', 'Task?subject=Patient/1', 'Task?status=ready&patient=Patient/1'])
      expect((await send('quality', 'POST', 'Subscription', asked(criteria))).statusCode, criteria).toBe(422);
    expect((await send('quality', 'POST', 'Subscription', asked('Task?status=ready'))).statusCode).toBe(201);
    expect((await send('north-radiologist', 'POST', 'Subscription', asked('Task?patient=Patient/1'))).statusCode).toBe(
      201,
    );
  });

  it('is not told of by a subscription that was asked for before it was hidden', async () => {
    await rig.access.ensureAccount({
      ...{ tenant: 'aa', login: 'mover', kind: 'person', reference: 'Practitioner/mover', display: 'm' },
      ...{ roles: ['radiologist'], organizationId: 'north' },
    });
    tokens.set('mover', await rig.access.issueToken('mover', 86_400));
    const { id } = (await send('mover', 'POST', 'Subscription', asked('Task?patient=Patient/hidden'))).json();
    await settled(async () => (await rig.store.read('aa', 'Subscription', id)).status === 'active');
    await rig.access.ensureAccount({
      ...{ tenant: 'aa', login: 'mover', kind: 'person', reference: 'Practitioner/mover', display: 'm' },
      roles: ['quality'],
    });
    rig.clock.advance(6_000);
    await rig.store.transaction(systemContext('aa', 'system:seed', rig.clock), (tx) =>
      tx.create<Task>({
        ...{ resourceType: 'Task', status: 'ready', intent: 'order', for: { reference: 'Patient/hidden' } },
      }),
    );
    const told = await send('mover', 'GET', `Subscription/${id}/$events`);
    expect(told.statusCode, told.body).toBe(200);
    expect(told.body).not.toContain('notification-event');
    expect((await send('mover', 'GET', `Subscription/${id}/$status`)).body).toMatch(
      /"events-since-subscription-start","valueString":"0"/,
    );
  });
});

describe('a type that is not granted', () => {
  it('is refused to a reverse include whether or not there is one', async () => {
    const context = { ...systemContext('aa', 'system:seed', rig.clock), establishments: ['north'] };
    const [bare, reported] = await rig.store.transaction(context, async (tx) => {
      const ids = [
        (await tx.create({ resourceType: 'Patient' })).id,
        (await tx.create({ resourceType: 'Patient' })).id,
      ];
      const subject = { reference: `Patient/${ids[1]}` };
      await tx.create({ resourceType: 'DiagnosticReport', status: 'final', code: { text: 'x' }, subject });
      return ids;
    });
    for (const id of [bare, reported])
      for (const path of [
        `Patient?_id=${id}&_revinclude=DiagnosticReport:subject`,
        `Patient?_id=${id}&_revinclude:iterate=DiagnosticReport:subject`,
        `?_type=Patient&_id=${id}&_revinclude=DiagnosticReport:subject`,
      ])
        expect((await send('north-technologist', 'GET', path)).statusCode, path).toBe(403);
    expect(
      (await send('north-technologist', 'GET', `Patient?_id=${reported}&_revinclude=Task:patient`)).statusCode,
    ).toBe(200);
  });
});

describe('an estimate', () => {
  it('is a count of what is seen', async () => {
    await rig.store.transaction(
      { ...systemContext('aa', 'system:seed', rig.clock), establishments: ['south'] },
      async (tx) => {
        for (let n = 0; n < 40; n++) await tx.create<Patient>({ resourceType: 'Patient', gender: 'female' });
      },
    );
    const total = async (query: string) =>
      (await send('north-radiologist', 'GET', `Patient?${query}&_count=0`)).json().total;
    expect(await total('gender=female&_total=estimate')).toBe(0);
    expect(await total('_total=estimate')).toBe(await total('_total=accurate'));
  });
});

describe('a reference written out as an address', () => {
  it('leads to nothing that is not seen, like any other', async () => {
    const { id } = (await send('south-ris', 'POST', 'Patient', { resourceType: 'Patient' })).json();
    const communication = (reference: string) => ({
      ...{ resourceType: 'Communication', status: 'completed', subject: { reference } },
    });
    const relative = `Patient/${id}`;
    for (const reference of [relative, `${relative}/_history/1`, `${baseUrl}/fhir/${relative}`]) {
      const answer = await send('north-radiologist', 'POST', 'Communication', communication(reference));
      expect(answer.statusCode, reference).toBe(422);
    }
  });
});

async function settled(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await subscriptions.sweep();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
