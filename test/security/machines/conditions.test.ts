import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerGraphql, registerOperations } from '../../../src/fhir/index.ts';
import {
  assertion,
  keysOf,
  machineForm,
  makeKey,
  openSmartRig,
  type SmartRig,
  type TestKey,
} from '../../access/smart/support.ts';
import { noa } from '../../access/support.ts';

/** Every way to resources that exists, with a token that may see the cases that are ready and nothing else of them. */
let rig: SmartRig;
let key: TestKey;
let ready: string;
beforeAll(async () => {
  rig = await openSmartRig();
  registerOperations(rig.store);
  registerGraphql(rig.store);
  key = await makeKey();
  await rig.access.ensureAccount({
    ...{
      tenant: 'aa',
      login: 'bound',
      kind: 'machine',
      reference: 'Device/bound',
      display: 'bound',
      roles: ['conformance'],
    },
  });
  const kind = 'backend';
  await rig.addClient({
    ...{ id: 'narrow', kind, ...keysOf(key), scopes: ['system/Task.rs?status=ready,requested', 'system/Patient.rs'] },
  });
  await rig.addClient({
    ...{
      id: 'both',
      kind,
      ...keysOf(key),
      scopes: ['system/Task.r?status=ready', 'system/Task.s?code=http://x|a', 'system/*.c'],
    },
  });
  await rig.store.transaction(rig.context({ ...noa, roles: ['conformance'] }, 'create'), async (tx) => {
    await tx.create({ resourceType: 'Patient', id: 'p' });
    for (const [id, status] of [
      ['seen', 'ready'],
      ['seen-too', 'requested'],
      ['unseen', 'completed'],
    ] as const) {
      await tx.create({
        ...{ resourceType: 'Task', id, status, intent: 'order', for: { reference: 'Patient/p' } },
        code: { coding: [{ system: 'http://x', code: id === 'seen' ? 'a' : 'b' }] },
      });
      await tx.create({
        resourceType: 'Provenance',
        id: `about-${id}`,
        recorded: '2026-01-01T00:00:00Z',
        target: [{ reference: `Task/${id}` }],
        agent: [{ who: { reference: 'Device/x' } }],
      });
    }
    await tx.update({ resourceType: 'Task', id: 'moved', status: 'ready', intent: 'order' });
  });
  await rig.store.transaction(rig.context({ ...noa, roles: ['conformance'] }, 'update'), async (tx) => {
    await tx.update({ resourceType: 'Task', id: 'moved', status: 'completed', intent: 'order' });
  });
  // The limits are the token's, whatever the account may: it is to see the whole tenant.
  await rig.access.ensureAccount({
    ...{
      tenant: 'aa',
      login: 'narrow',
      kind: 'machine',
      reference: 'Device/narrow',
      display: 'narrow',
      roles: ['conformance'],
    },
  });
  await rig.access.ensureAccount({
    ...{
      tenant: 'aa',
      login: 'both',
      kind: 'machine',
      reference: 'Device/both',
      display: 'both',
      roles: ['conformance'],
    },
  });
  ready = await tokenOf('narrow');
});
afterAll(() => rig.close());

async function tokenOf(id: string, scope?: string): Promise<string> {
  const answer = await rig.post('/oauth2/token', machineForm(await assertion(key, id, rig.clock.now()), scope));
  return answer.json().access_token;
}

const get = (path: string, token = ready) =>
  rig.app.inject({ url: `/fhir/${path}`, headers: { authorization: `Bearer ${token}` } });

test('cases under the condition are seen', async () => {
  expect((await get('Task/seen')).statusCode).toBe(200);
  expect((await get('Task/seen-too')).statusCode).toBe(200);
  const ids = (await get('Task?_sort=_id'))
    .json()
    .entry.map(({ resource }: { resource: { id: string } }) => resource.id);
  expect(ids).toEqual(['seen', 'seen-too']);
});

test.each(['Task/unseen', 'Task/unseen/_history', 'Task/unseen/_history/1', 'Task/moved', 'Task/moved/_history/1'])(
  '%s answers like what does not exist',
  async (path) => {
    expect((await get(path)).statusCode).toBe(404);
  },
);

test.each([
  'Task?status=completed',
  'Task?_id=unseen,moved',
  'Task?patient=p&_summary=count&status=completed',
  'Task?_id=seen&_revinclude=Task:based-on',
  'Task?code=http://x|b&status:not=requested',
  'Task?_filter=status eq completed',
  'Patient?_revinclude=Task:patient&_id=p',
  'Task/_history',
  '_history?_type=Task',
  '?_type=Task',
  'Patient?_has:Task:patient:status=completed',
])('%s shows no case that the condition leaves out', async (path) => {
  const answer = await get(path.replaceAll(' ', '%20'));
  expect(answer.statusCode).toBe(path.startsWith('_history') ? 403 : 200);
  expect(answer.body).not.toMatch(/"id":"(?:unseen|moved)"/);
  if (path.includes('_summary=count')) expect(answer.json().total).toBe(0);
  if (path.startsWith('Patient?_has')) expect(answer.json().entry ?? []).toEqual([]);
});

test('a graph and a batch show no more', async () => {
  const graph = await get(
    `Patient/p/$graphql?query=${encodeURIComponent('{TaskList(_reference: patient) {id status}}')}`,
  );
  expect(graph.body).not.toMatch(/unseen/);
  const batch = await rig.app.inject({
    ...{ method: 'POST', url: '/fhir' },
    headers: { authorization: `Bearer ${ready}`, 'content-type': 'application/fhir+json' },
    payload: {
      ...{ resourceType: 'Bundle', type: 'batch' },
      entry: ['Task/unseen', 'Task?status=completed', 'Task/moved/_history'].map((url) => ({
        request: { method: 'GET', url },
      })),
    },
  });
  expect(batch.statusCode).toBe(200);
  expect(batch.body).not.toMatch(/"id":"(unseen|moved)"/);
  const everything = await get('Patient/p/$everything');
  expect(everything.body).not.toMatch(/"id":"unseen"/);
});

test('of two conditions, one for reading and one for searching, the stricter holds', async () => {
  const token = await tokenOf('both');
  expect((await get('Task/seen', token)).statusCode).toBe(200);
  expect((await get('Task/seen-too', token)).statusCode).toBe(404);
  const body = (await get('Task', token)).body;
  expect(body).toContain('"id":"seen"');
  expect(body).not.toContain('seen-too');
});

test('a machine may ask for less than its condition, never for more', async () => {
  const less = await tokenOf('narrow', 'system/Task.rs?code=http://x|a');
  expect((await get('Task/seen', less)).statusCode).toBe(200);
  expect((await get('Task/seen-too', less)).statusCode).toBe(404);
  const more = await tokenOf('narrow', 'system/Task.rs?status=completed');
  expect((await get('Task/unseen', more)).statusCode).toBe(404);
  expect((await get('Task/seen', more)).statusCode).toBe(404);
});
