import type { AuditEvent, PractitionerRole } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accept,
  establishmentsOf,
  listAcceptances,
  revoke,
  setEstablishments,
} from '../../src/access/tenants/index.ts';
import { FhirError, fhirRoutes, systemContext } from '../../src/fhir/index.ts';
import { openRig, type Rig } from './support.ts';

const dayMs = 86_400_000;
let rig: Rig;
let noaToken: string;
let conformanceToken: string;
beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      const options = { store, guards: access, clock, baseUrl: () => 'http://passerelle.test' };
      await app.register(fhirRoutes, { ...options, prefix: '/fhir' });
      await app.register(fhirRoutes, { ...options, prefix: '/t/:tenant/fhir' });
    },
  });
  await rig.store.transaction(systemContext('aa', 'system:seed', rig.clock), async (tx) => {
    await tx.create({
      resourceType: 'Practitioner',
      id: 'noa',
      identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '99700990031' }],
      name: [{ family: 'TEST-TELERADIO', given: ['NOA'] }],
    });
  });
  const ofHospital = { ...systemContext('aa', 'system:seed', rig.clock), establishments: ['hospital'] };
  await rig.store.transaction(ofHospital, (tx) =>
    tx.create({ resourceType: 'Patient', id: 'p1', name: [{ family: 'TEST-AA' }] }),
  );
  await rig.store.transaction(systemContext('bb', 'system:seed', rig.clock), async (tx) => {
    for (const id of ['north', 'south']) await tx.create({ resourceType: 'Organization', id, name: id });
  });
  const ofNorth = { ...systemContext('bb', 'system:seed', rig.clock), establishments: ['north'] };
  await rig.store.transaction(ofNorth, (tx) =>
    tx.create({ resourceType: 'Patient', id: 'p1', name: [{ family: 'TEST-BB' }] }),
  );
  await rig.store.transaction(systemContext('platform', 'system:seed', rig.clock), async (tx) => {
    await tx.create({ resourceType: 'Organization', id: 'directory-entry', name: 'ANNUAIRE' });
    await tx.create({ resourceType: 'Patient', id: 'p1', name: [{ family: 'TEST-PLATFORM' }] });
  });
  const person = { tenant: 'aa', kind: 'person', display: 'Dr NOA TEST' } as const;
  await rig.access.ensureAccount({ ...person, login: 'noa', reference: 'Practitioner/noa', roles: ['radiologist'] });
  await setEstablishments(rig.database, { tenant: 'aa', login: 'noa', establishments: ['hospital'] });
  await rig.access.ensureAccount({
    ...person,
    login: 'ris-aa',
    kind: 'machine',
    reference: 'Device/r',
    roles: ['ris'],
  });
  await rig.access.ensureAccount({
    ...{ ...person, login: 'conformance-aa', kind: 'machine', reference: 'Device/c', roles: ['conformance'] },
  });
  conformanceToken = await rig.access.issueToken('conformance-aa', 365 * 86_400);
  noaToken = await rig.access.issueToken('noa', 365 * 86_400);
});
afterAll(() => rig.close());

const administration = () => systemContext('bb', 'system:tenant-accept', rig.clock);
const acceptNoa = (more: object = {}) =>
  accept(
    rig,
    administration(),
    { login: 'noa', roles: ['radiologist'], establishments: ['north'], ...more },
    rig.clock.now(),
  );
const get = (url: string, requestId = 'r') =>
  rig.app.inject({ url, headers: { authorization: `Bearer ${noaToken}`, 'x-request-id': requestId } });

describe('a tenant that accepted an account of another one', () => {
  it('opens its own address to it, and what it serves is its own', async () => {
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(403);
    await acceptNoa();
    const there = await get('/t/bb/fhir/Patient/p1');
    expect(there.json().name).toEqual([{ family: 'TEST-BB' }]);
    expect((await get('/fhir/Patient/p1')).json().name).toEqual([{ family: 'TEST-AA' }]);
    expect((await get('/t/aa/fhir/Patient/p1')).json().name).toEqual([{ family: 'TEST-AA' }]);
  });

  it('knows the person as one of its own Practitioners, told in its trail with the account', async () => {
    await get('/t/bb/fhir/Patient/p1', 'told-there');
    const events = (await rig.trail('', 'bb')).filter(
      (event: AuditEvent) => event.entity?.at(-1)?.what?.identifier?.value === 'told-there',
    );
    const who = events[0]!.agent.find(({ requestor }) => requestor)!;
    expect(who.altId).toBe('noa');
    const practitioner = await rig.store.read('bb', 'Practitioner', who.who!.reference!.split('/')[1]!);
    expect(practitioner.identifier?.map(({ value }) => value)).toEqual(['99700990031', 'noa']);
    expect(practitioner.id).not.toBe('noa');
  });

  it('grants the roles it said and none that the account has at home', async () => {
    await acceptNoa({ roles: ['quality'] });
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(403);
    expect((await get('/t/bb/fhir/Task')).statusCode).toBe(200);
    await acceptNoa();
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(200);
  });

  it('shows it in its directory, one PractitionerRole for each establishment, closed when it ends', async () => {
    const { id } = await acceptNoa({ establishments: ['north', 'south'] });
    const shown = () =>
      rig.store.search(
        'bb',
        'PractitionerRole',
        `identifier=${encodeURIComponent(`https://fhir.passerelle.example/sid/acceptance|${id}`)}`,
      );
    const facts = ({ active, organization, period }: PractitionerRole) =>
      `${organization?.reference} ${active} ${period?.end !== undefined}`;
    expect((await shown()).map(facts).sort()).toEqual([
      'Organization/north true false',
      'Organization/south true false',
    ]);
    await revoke(rig.store, administration(), 'noa', rig.clock.now());
    expect((await shown()).map(facts).sort()).toEqual([
      'Organization/north false true',
      'Organization/south false true',
    ]);
  });

  it('ends it at once when it is revoked, and by itself when its time is over', async () => {
    await acceptNoa();
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(200);
    await revoke(rig.store, administration(), 'noa', rig.clock.now());
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(403);
    await acceptNoa({ until: new Date(rig.clock.now().getTime() + dayMs) });
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(200);
    rig.clock.advance(dayMs);
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(403);
    expect((await get('/fhir/Patient/p1')).statusCode).toBe(200);
  });

  it('does not open before its time', async () => {
    await acceptNoa({ since: new Date(rig.clock.now().getTime() + dayMs) });
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(403);
    rig.clock.advance(dayMs);
    expect((await get('/t/bb/fhir/Patient/p1')).statusCode).toBe(200);
  });

  it('keeps what it accepted before, and who did and undid it', async () => {
    const list = await listAcceptances(rig.database, 'bb');
    expect(list.filter(({ endedAt }) => !endedAt)).toHaveLength(1);
    expect(list.length).toBeGreaterThan(3);
    expect(list.every(({ acceptedBy, endedAt, endedBy }) => acceptedBy && (endedBy ?? !endedAt))).toBe(true);
  });

  it.each([
    ['an administrator', { roles: ['administrator'] }],
    ['a role nobody has', { roles: ['surgeon'] }],
    ['no role', { roles: [] }],
    ['no establishment', { establishments: [] }],
    ['an establishment that is not there', { establishments: ['east'] }],
    ['a machine', { login: 'ris-aa' }],
    ['an end that is past', { until: new Date('2020-01-01') }],
  ])('does not accept %s', async (_, wrong) => {
    await expect(acceptNoa(wrong)).rejects.toThrow(FhirError);
  });

  it('does not accept its own accounts', async () => {
    const own = { login: 'noa', roles: ['radiologist'], establishments: ['north'] };
    const context = systemContext('aa', 'system:tenant-accept', rig.clock);
    await expect(accept(rig, context, own, rig.clock.now())).rejects.toThrow('of this tenant itself');
  });
});

describe('a tenant that did not', () => {
  it('answers like one that does not exist', async () => {
    const [closed, ...others] = await Promise.all(
      ['platform-x', 'nowhere', 'No%20Such', '%00'].map((tenant) => get(`/t/${tenant}/fhir/Patient/p1`)),
    );
    for (const answer of [closed!, ...others]) {
      expect(answer.statusCode).toBe(403);
      expect(answer.body).toBe(closed!.body);
    }
  });

  it('leaves the attempt in the trail of the account', async () => {
    await get('/t/nowhere/fhir/Patient/p1', 'tried-door');
    await rig.access.auditRead(rig.context({ ...(await rig.access.identityIn('aa', 'noa'))!.actor }, 'read'), {
      resources: [],
      outcome: 'success',
    });
    const events = (await rig.trail('', 'aa')).filter(
      (event) => event.entity?.at(-1)?.what?.identifier?.value === 'tried-door',
    );
    expect(events.map(({ outcome, outcomeDesc }) => [outcome, outcomeDesc])).toEqual([['8', 'cross-tenant nowhere']]);
  });
});

describe('the tenant of the platform', () => {
  it('lets everybody read its directories and definitions, and nothing else', async () => {
    expect((await get('/t/platform/fhir/Organization/directory-entry')).statusCode).toBe(200);
    expect((await get('/t/platform/fhir/Organization?name=ANNU')).json().entry).toHaveLength(1);
    for (const path of ['Patient/p1', 'Patient', 'Task', 'AuditEvent', '_history', 'Organization/_history'])
      expect((await get(`/t/platform/fhir/${path}`)).statusCode, path).toBe(403);
  });
});

describe('references', () => {
  const put = (url: string, managing: string) =>
    rig.app.inject({
      method: 'PUT',
      url,
      headers: { authorization: `Bearer ${conformanceToken}`, 'content-type': 'application/fhir+json' },
      payload: { resourceType: 'Patient', id: 'refers', managingOrganization: { reference: managing } },
    });

  it('to the platform’s directory are found where they lead', async () => {
    expect((await get('/fhir/Organization/directory-entry')).json().name).toBe('ANNUAIRE');
    expect((await get('/fhir/Organization?_id=directory-entry')).json().entry).toBeUndefined();
    await rig.store.transaction(systemContext('platform', 'system:seed', rig.clock), (tx) =>
      tx.create({ resourceType: 'Patient', id: 'only-there' }),
    );
    expect((await get('/fhir/Patient/only-there')).statusCode).toBe(404);
  });

  it('by the address of another tenant are refused, by that of their own stored relative', async () => {
    const base = 'http://passerelle.test/t';
    for (const url of ['/fhir/Patient/refers', '/t/aa/fhir/Patient/refers']) {
      const foreign = await put(url, `${base}/bb/fhir/Organization/north`);
      expect(foreign.statusCode).toBe(422);
      expect(foreign.json().issue[0].expression).toEqual(['Patient.managingOrganization.reference']);
      expect((await put(url, `${base}/nowhere/fhir/Organization/north`)).json().issue).toEqual(foreign.json().issue);
    }
    expect((await put('/fhir/Patient/refers', `${base}/platform/fhir/Organization/directory-entry`)).statusCode).toBe(
      201,
    );
    const own = await put('/t/aa/fhir/Patient/refers', `${base}/aa/fhir/Organization/x`);
    expect(own.json().managingOrganization).toEqual({ reference: 'Organization/x' });
  });
});

describe('the establishments of an account', () => {
  it('are those it was bound to last, with the one a machine speaks for', async () => {
    await setEstablishments(rig.database, { tenant: 'aa', login: 'noa', establishments: ['b', 'a', 'a'] });
    expect(await establishmentsOf(rig.database, 'aa', 'noa')).toEqual(['a', 'b']);
    await setEstablishments(rig.database, { tenant: 'aa', login: 'noa', establishments: [] });
    expect(await establishmentsOf(rig.database, 'aa', 'noa')).toEqual([]);
    await rig.access.ensureAccount({
      ...{ tenant: 'aa', login: 'bound', kind: 'machine', reference: 'Device/b', display: 'b', roles: ['ris'] },
      organizationId: 'north',
    });
    await setEstablishments(rig.database, { tenant: 'aa', login: 'bound', establishments: ['south'] });
    expect(await establishmentsOf(rig.database, 'aa', 'bound')).toEqual(['north', 'south']);
  });

  it('of an account that is not there are nobody’s', async () => {
    const none = { tenant: 'bb', login: 'noa', establishments: ['a'] };
    await expect(setEstablishments(rig.database, none)).rejects.toThrow('No such account');
  });
});
