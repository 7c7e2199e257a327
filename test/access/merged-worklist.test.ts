import type { Bundle, OperationOutcome, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accept, revoke, setEstablishments } from '../../src/access/tenants/index.ts';
import { mergedRoutes, systemContext } from '../../src/fhir/index.ts';
import { openRig, type Rig } from './support.ts';

const tenants = ['aa', 'bb', 'cc'] as const;
/** Tenants whose searches wait for {@link release}. */
const held = new Map<string, Promise<void>>();
/** Tenants whose rows compare in another way than those of the others. */
const ordersOtherwise = new Set<string>();
let rig: Rig;
let token: string;

beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      const slow: typeof store = {
        ...store,
        reads: (tenant, sight) => {
          const reads = store.reads(tenant, sight);
          return {
            ...reads,
            searchBundle: async (...args) => {
              await held.get(tenant);
              const page = await reads.searchBundle(...args);
              return ordersOtherwise.has(tenant) ? { ...page, order: [{ type: 'text', descending: true }] } : page;
            },
          };
        },
      };
      await app.register(mergedRoutes, {
        ...{ store: slow, guards: access, clock, baseUrl: () => 'http://passerelle.test' },
        ...{ types: ['Task', 'ServiceRequest'], patienceMs: 300 },
        everywhere: async (request) => {
          const home = await access.authenticate(request);
          return [home, ...(await access.elsewhere(home))];
        },
      });
    },
  });
  await rig.database.addTenant('cc', 'Hospital C');
  for (const [index, tenant] of tenants.entries()) {
    const seeding = { ...systemContext(tenant, 'system:seed', rig.clock), establishments: ['site'] };
    await rig.store.transaction(seeding, async (tx) => {
      await tx.create({ resourceType: 'Organization', id: 'site', name: `SITE ${tenant}` });
      await tx.create({ resourceType: 'Patient', id: 'p1', name: [{ family: `TEST-${tenant}` }] });
      // One of each is equal in everything but the tenant.
      await tx.create(task('equal', '2026-03-05T00:00:00Z'));
      for (let n = 0; n < 5; n++) await tx.create(task(`${tenant}-${n}`, `2026-03-0${n + 1}T0${index}:00:00Z`));
    });
  }
  await rig.access.ensureAccount({
    ...{
      tenant: 'aa',
      login: 'noa',
      kind: 'person',
      reference: 'Practitioner/noa',
      display: 'NOA',
      roles: ['radiologist'],
    },
  });
  await setEstablishments(rig.database, { tenant: 'aa', login: 'noa', establishments: ['site'] });
  token = await rig.access.issueToken('noa', 86_400);
});
afterAll(() => rig.close());
beforeEach(async () => {
  held.clear();
  ordersOtherwise.clear();
  for (const tenant of ['bb', 'cc']) await acceptAt(tenant);
});

const task = (id: string, authoredOn: string): Task => ({
  ...{
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    authoredOn,
    for: { reference: 'Patient/p1' },
    // Whose case it is: what the platform writes for an establishment is labelled as its own.
    requester: { reference: 'Organization/site' },
  },
});
const administration = (tenant: string) => systemContext(tenant, 'system:tenant-accept', rig.clock);
const acceptAt = (tenant: string, roles = ['radiologist']) =>
  accept(rig, administration(tenant), { login: 'noa', roles, establishments: ['site'] }, rig.clock.now());

async function search(query: string, requestId = 'r') {
  const answer = await rig.app.inject({
    url: `/t/all/fhir/Task?${query}`,
    headers: { authorization: `Bearer ${token}`, 'x-request-id': requestId },
  });
  return { status: answer.statusCode, bundle: answer.json<Bundle>() };
}
const urls = (bundle: Bundle, mode = 'match') =>
  (bundle.entry ?? [])
    .filter((entry) => entry.search?.mode === mode)
    .map(({ fullUrl }) => fullUrl?.replace('http://passerelle.test/t/', ''));
const outcomes = (bundle: Bundle) =>
  (bundle.entry ?? []).flatMap(({ resource }) =>
    resource?.resourceType === 'OperationOutcome' ? (resource as OperationOutcome).issue : [],
  );
const link = (bundle: Bundle, relation: string) => bundle.link?.find((one) => one.relation === relation)?.url;

describe('the worklist over every tenant of a radiologist', () => {
  it.each(['_sort=authored-on', '_sort=-authored-on', '_sort=-_lastUpdated', '_sort=_id', ''])(
    'walks through all cases once, in the order asked for: %s',
    async (sort) => {
      const { bundle: whole } = await search(`${sort}&_count=100`);
      expect(urls(whole)).toHaveLength(18);
      expect(new Set(urls(whole)).size).toBe(18);
      const walked: (string | undefined)[] = [];
      let query: string | undefined = `${sort}&_count=4`;
      while (query !== undefined) {
        const { bundle } = await search(query);
        walked.push(...urls(bundle));
        query = link(bundle, 'next')?.split('?')[1];
      }
      expect(walked).toEqual(urls(whole));
    },
  );

  it('is in the order of the values, not of the tenants', async () => {
    const { bundle } = await search('_sort=authored-on&_count=6');
    expect(urls(bundle)).toEqual(
      ['aa', 'bb', 'cc', 'aa', 'bb', 'cc'].map((tenant, n) => `${tenant}/fhir/Task/${tenant}-${n < 3 ? 0 : 1}`),
    );
  });

  it('brings along what belongs to the cases shown, each from its tenant', async () => {
    const { bundle } = await search('_sort=authored-on&_count=2&_include=Task:patient');
    expect(urls(bundle)).toEqual(['aa/fhir/Task/aa-0', 'bb/fhir/Task/bb-0']);
    expect(urls(bundle, 'include')).toEqual(['aa/fhir/Patient/p1', 'bb/fhir/Patient/p1']);
    expect(JSON.stringify(bundle)).not.toContain('TEST-cc');
  });

  it('counts over all of them', async () => {
    expect((await search('_summary=count')).bundle.total).toBe(18);
    expect((await search('_total=accurate&_count=3')).bundle.total).toBe(18);
  });

  it('is told in the trail of each tenant, with what was shown of it and nothing else', async () => {
    await search('_sort=authored-on&_count=2', 'told-everywhere');
    for (const [tenant, shown] of [
      ['aa', ['Task/aa-0']],
      ['bb', ['Task/bb-0']],
      ['cc', []],
    ] as const) {
      const events = (await rig.trail('', tenant)).filter(
        (event) => event.entity?.at(-1)?.what?.identifier?.value === 'told-everywhere',
      );
      expect(events).toHaveLength(1);
      const named = events[0]!.entity!.flatMap(({ what }) => what?.reference?.split('/_history')[0] ?? []);
      expect(named.filter((reference) => reference.startsWith('Task/'))).toEqual(shown);
    }
  });

  it('names the tenant that does not answer in time, on this page and on those after it', async () => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    held.set('bb', promise);
    const { status, bundle } = await search('_sort=authored-on&_count=4&_total=accurate');
    expect(status).toBe(200);
    expect(urls(bundle).join()).not.toContain('bb/');
    expect(bundle.total).toBeUndefined();
    expect(outcomes(bundle).map(({ code, severity, diagnostics }) => [code, severity, diagnostics])).toEqual([
      ['timeout', 'warning', 'Tenant bb could not be searched now'],
    ]);
    release();
    const later = await search(link(bundle, 'next')!.split('?')[1]!);
    expect(urls(later.bundle).join()).toContain('bb/');
    expect(outcomes(later.bundle).map(({ code }) => code)).toEqual(['incomplete']);
  });

  it('names the tenant whose order is another one, instead of putting its cases in wrong places', async () => {
    ordersOtherwise.add('cc');
    const { bundle } = await search('_sort=authored-on&_count=100');
    expect(urls(bundle).join()).not.toContain('cc/');
    expect(outcomes(bundle).map(({ code }) => code)).toEqual(['processing']);
  });

  it('says that it cannot be had when nobody answers in time', async () => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    for (const tenant of tenants) held.set(tenant, promise);
    expect((await search('')).status).toBe(503);
    release();
  });

  it('leaves out who ended the acceptance, and where the role does not see cases', async () => {
    await revoke(rig.store, administration('bb'), 'noa', rig.clock.now());
    await acceptAt('cc', ['auditor']);
    const { bundle } = await search('_count=100');
    expect(new Set(urls(bundle).map((url) => url?.split('/')[0]))).toEqual(new Set(['aa']));
    expect(outcomes(bundle)).toEqual([]);
  });

  it('refuses what no tenant understands, and cursors that are none', async () => {
    expect((await search('no-such=1')).status).toBe(400);
    const back = Buffer.from('["p","x","y"]').toString('base64url');
    for (const cursor of ['x', '..', `${back}`, 'WyJuIl0.BB', encodeURIComponent('["n"]')])
      expect((await search(`_cursor=${cursor}`)).status, cursor).toBe(400);
  });

  it('tells nothing of a tenant that a forged cursor names', async () => {
    const place = Buffer.from('["n","2026-01-01 00:00:00+00","x"]').toString('base64url');
    const { bundle } = await search(`_sort=authored-on&_cursor=${place}.nowhere.platform`);
    expect(outcomes(bundle)).toEqual([]);
  });

  it('is only to be read', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
    for (const [method, url] of [
      ['POST', '/t/all/fhir/Task'],
      ['PUT', '/t/all/fhir/Task/x'],
      ['GET', '/t/all/fhir/Patient'],
      ['POST', '/t/all/fhir'],
    ] as const)
      expect((await rig.app.inject({ method, url, headers, payload: '{}' })).statusCode, url).toBeGreaterThan(400);
  });

  it('answers XML, and a search that is posted', async () => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/fhir+xml' };
    expect((await rig.app.inject({ url: '/t/all/fhir/Task?_count=1', headers })).body).toContain(
      '<fullUrl value="http',
    );
    const posted = await rig.app.inject({
      method: 'POST',
      url: '/t/all/fhir/Task/_search',
      headers: { ...headers, accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' },
      payload: '_count=3&_sort=authored-on',
    });
    expect(urls(posted.json())).toHaveLength(3);
  });
});
