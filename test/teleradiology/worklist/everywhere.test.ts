import type { Bundle, OperationOutcome, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accept, setEstablishments } from '../../../src/access/tenants/index.ts';
import { fhirRoutes, mergedRoutes, systemContext } from '../../../src/fhir/index.ts';
import { createWorklist } from '../../../src/teleradiology/worklist/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

const tenants = ['aa', 'bb', 'cc'] as const;
const base = 'http://passerelle.test';
const system = 'https://fhir.passerelle.example/CodeSystem';
/** Tenants that take their time. */
const held = new Map<string, Promise<void>>();
let rig: Rig;
let token: string;

beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { database, store, access, clock }) => {
      const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
      const worklist = createWorklist({ database, store, clock, log });
      store.registerOperation(worklist.operation);
      const slow: typeof store = {
        ...store,
        restTransaction: async (context, work) => {
          await held.get(context.tenant);
          return store.restTransaction(context, work);
        },
      };
      const options = { guards: access, clock, baseUrl: () => base };
      await app.register(mergedRoutes, {
        ...{ ...options, store: slow, types: ['Task'], patienceMs: 300 },
        everywhere: async (request) => {
          const home = await access.authenticate(request);
          return [home, ...(await access.elsewhere(home))];
        },
      });
      await app.register(fhirRoutes, { ...options, prefix: '/fhir', store });
    },
  });
  await rig.database.addTenant('cc', 'Hospital C');
  for (const [index, tenant] of tenants.entries()) {
    const seeding = { ...systemContext(tenant, 'system:seed', rig.clock), establishments: ['site'] };
    await rig.store.transaction(seeding, async (tx) => {
      await tx.create({ resourceType: 'Organization', id: 'site', name: `SITE ${tenant}` });
      await tx.create({ resourceType: 'Patient', id: 'p1', name: [{ family: `TEST-${tenant}` }] });
      // One of each is equal in everything but the tenant.
      await tx.create(task('equal', '2026-03-02T00:00:00Z'));
      for (let n = 0; n < 5; n++)
        await tx.create(task(`${tenant}-${n}`, `2026-03-0${n + 1}T0${index}:00:00Z`, n === 4 ? 'urgent' : 'routine'));
    });
  }
  const reference = 'Practitioner/noa';
  await rig.access.ensureAccount({
    tenant: 'aa',
    login: 'noa',
    kind: 'person',
    reference,
    display: 'NOA',
    roles: ['radiologist'],
  });
  await setEstablishments(rig.database, { tenant: 'aa', login: 'noa', establishments: ['site'] });
  for (const tenant of ['bb', 'cc']) {
    const administration = systemContext(tenant, 'system:tenant-accept', rig.clock);
    const wish = { login: 'noa', roles: [tenant === 'cc' ? 'auditor' : 'radiologist'], establishments: ['site'] };
    await accept(rig, administration, wish, rig.clock.now());
  }
  token = await rig.access.issueToken('noa', 86_400);
});
afterAll(() => rig.close());

const task = (id: string, authoredOn: string, priority: Task['priority'] = 'routine'): Task => ({
  ...{ resourceType: 'Task', id, intent: 'order', status: 'ready', authoredOn, priority },
  code: { coding: [{ system: `${system}/task-code`, code: 'teleradiology-case' }] },
  businessStatus: { coding: [{ system: `${system}/case-status`, code: 'ready' }] },
  for: { reference: 'Patient/p1' },
  requester: { reference: 'Organization/site' },
});

async function ask(address: string, requestId = 'r') {
  const headers = { authorization: `Bearer ${token}`, 'x-request-id': requestId };
  const answer = await rig.app.inject({ url: address, headers });
  return { status: answer.statusCode, bundle: answer.json<Bundle>() };
}
const everywhere = (query = '', requestId?: string) => ask(`/t/all/fhir/Task/$worklist?${query}`, requestId);
const urls = (bundle: Bundle, mode = 'match') =>
  (bundle.entry ?? [])
    .filter(({ search }) => search?.mode === mode)
    .map(({ fullUrl }) => fullUrl?.replace(`${base}/t/`, ''));
const issues = (bundle: Bundle) =>
  (bundle.entry ?? []).flatMap(({ resource }) =>
    resource?.resourceType === 'OperationOutcome' ? (resource as OperationOutcome).issue : [],
  );
const nextOf = (bundle: Bundle) => bundle.link?.find(({ relation }) => relation === 'next')?.url?.split('?')[1];

describe('the worklist over every tenant of a radiologist', () => {
  it('is one list: urgent first, then by what is due, from page to page', async () => {
    const { bundle: whole } = await everywhere('_count=100');
    expect(urls(whole).slice(0, 4)).toEqual([
      'aa/fhir/Task/aa-4',
      'bb/fhir/Task/bb-4',
      'aa/fhir/Task/aa-0',
      'bb/fhir/Task/bb-0',
    ]);
    expect(urls(whole)).toHaveLength(12);
    for (const count of [1, 3, 5]) {
      const walked: (string | undefined)[] = [];
      for (let query: string | undefined = `_count=${count}`; query !== undefined; ) {
        const { bundle } = await everywhere(query);
        walked.push(...urls(bundle));
        query = nextOf(bundle);
      }
      expect(walked).toEqual(urls(whole));
    }
  });

  it('brings along what belongs to the cases shown, and the trail of each tenant says so', async () => {
    const { bundle } = await everywhere('_count=1&_include=Task:patient', 'told');
    expect(urls(bundle)).toEqual(['aa/fhir/Task/aa-4']);
    expect(urls(bundle, 'include')).toEqual(['aa/fhir/Patient/p1']);
    expect(JSON.stringify(bundle)).not.toContain('TEST-bb');
    for (const [tenant, shown] of [
      ['aa', ['Task/aa-4']],
      ['bb', []],
    ] as const) {
      const events = (await rig.trail('', tenant)).filter(
        (event) => event.entity?.at(-1)?.what?.identifier?.value === 'told',
      );
      expect(events).toHaveLength(1);
      const named = events[0]!.entity!.flatMap(({ what }) => what?.reference?.split('/_history')[0] ?? []);
      expect(named.filter((reference) => reference.startsWith('Task/'))).toEqual(shown);
    }
  });

  it('names the tenant that does not answer in time', async () => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    held.set('bb', promise);
    const { status, bundle } = await everywhere('_count=100');
    release();
    held.clear();
    expect(status).toBe(200);
    expect(urls(bundle).join()).not.toContain('bb/');
    expect(issues(bundle).find(({ code }) => code === 'timeout')?.details?.text).toContain('« bb »');
  });

  it('leaves out the tenant that gave no right to it, and refuses what no tenant understands', async () => {
    expect(urls((await everywhere('_count=100')).bundle).join()).not.toContain('cc/');
    expect((await everywhere('stage=none')).status).toBe(400);
    expect((await everywhere('_cursor=x')).status).toBe(400);
  });
});

describe('the worklist of one tenant over HTTP', () => {
  it('is asked by GET, in XML too, and its links lead on', async () => {
    const { status, bundle } = await ask('/fhir/Task/$worklist?_count=2&stage=to-read');
    expect(status).toBe(200);
    expect(urls(bundle)).toEqual([`${base}/fhir/Task/aa-4`, `${base}/fhir/Task/aa-0`]);
    const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    const { bundle: following } = await ask(next!.replace(base, ''));
    expect(urls(following)).toEqual([`${base}/fhir/Task/aa-1`, `${base}/fhir/Task/equal`]);
    const headers = { authorization: `Bearer ${token}`, accept: 'application/fhir+xml' };
    const xml = await rig.app.inject({ url: '/fhir/Task/$worklist?_count=1', headers });
    expect(xml.body).toContain('<valueString value="Urgent : passe avant tout dossier non urgent');
  });
});
