import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FhirError, fhirRoutes } from '../../src/fhir/index.ts';
import { openRig, type Rig } from './support.ts';

const tokens = new Map<string, string>();
let rig: Rig;
beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      await app.register(fhirRoutes, {
        prefix: '/fhir',
        store,
        guards: access,
        clock,
        baseUrl: () => 'http://passerelle.test',
      });
    },
  });
  for (const role of ['radiologist', 'requester', 'coordinator', 'auditor', 'administrator', 'ris', 'conformance']) {
    await rig.access.ensureAccount({
      tenant: 'aa',
      login: role,
      kind: role === 'ris' || role === 'conformance' ? 'machine' : 'person',
      reference: `${role === 'ris' ? 'Device' : 'Practitioner'}/${role}`,
      display: role,
      roles: [role],
      organizationId: 'hospital',
    });
    tokens.set(role, await rig.access.issueToken(role, 3_600));
  }
  await rig.access.ensureAccount({
    tenant: 'bb',
    login: 'other',
    kind: 'machine',
    reference: 'Device/other',
    display: 'other',
    roles: ['conformance'],
  });
  tokens.set('other', await rig.access.issueToken('other', 3_600));
  const created = await send('conformance', 'PUT', 'Patient/p1', {
    resourceType: 'Patient',
    id: 'p1',
    name: [{ family: 'TEST-REST' }],
    generalPractitioner: [{ reference: 'Practitioner/gp' }],
  });
  expect(created.statusCode).toBe(201);
  for (const id of ['gp', 'alone'])
    await send('conformance', 'PUT', `Practitioner/${id}`, { resourceType: 'Practitioner', id });
});
afterAll(() => rig.close());

function send(role: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, requestId = 'r') {
  return rig.app.inject({
    method,
    url: `/fhir/${path}`,
    headers: {
      authorization: `Bearer ${tokens.get(role)}`,
      'content-type': 'application/fhir+json',
      'x-request-id': requestId,
    },
    ...(body ? { payload: JSON.stringify(body) } : {}),
  });
}

const requestIds = (event: AuditEvent) => event.entity?.at(-1)?.what?.identifier?.value;
const trailOf = async (requestId: string) => (await rig.trail()).filter((event) => requestIds(event) === requestId);

test('without a credential nothing is served', async () => {
  const response = await rig.app.inject('/fhir/Patient/p1');
  expect(response.statusCode).toBe(401);
  expect(response.json().resourceType).toBe('OperationOutcome');
});

test('an act that a named rule does not allow now leaves an event with the rule; a malformed one leaves none', async () => {
  rig.store.registerOperation({
    name: 'closed',
    type: 'Patient',
    level: 'instance',
    affectsState: true,
    async run({ parameters }) {
      const coding = parameters.parameter?.length ? [{ system: 'urn:rules', code: 'not-on-sunday' }] : undefined;
      throw FhirError.of(422, [{ severity: 'error', code: 'business-rule', details: { coding, text: 'Fermé' } }]);
    },
  });
  const body = (name: string) => ({ resourceType: 'Parameters', parameter: [{ name, valueString: 'x' }] });
  expect((await send('conformance', 'POST', 'Patient/p1/$closed', body('day'), 'rule-1')).statusCode).toBe(422);
  const [event, ...others] = await trailOf('rule-1');
  expect(others).toEqual([]);
  expect(event).toMatchObject({ action: 'E', outcome: '4', outcomeDesc: 'not-on-sunday' });
  expect(event?.subtype?.map(({ code }) => code)).toContain('operation:Patient/$closed');
  expect(event?.entity?.[0]?.what?.reference).toBe('Patient/p1');
  const empty = { resourceType: 'Parameters' };
  expect((await send('conformance', 'POST', 'Patient/p1/$closed', empty, 'rule-2')).statusCode).toBe(422);
  expect(await trailOf('rule-2')).toEqual([]);
});

test('types that a search over everything leaves out by itself are no refusals in the trail', async () => {
  const response = await send('radiologist', 'GET', '?_count=5', undefined, 'everything-1');
  expect(response.statusCode).toBe(200);
  const events = await trailOf('everything-1');
  expect(events.map(({ outcome }) => outcome)).toEqual(['0']);
  await send('radiologist', 'GET', '?_type=AuditEvent', undefined, 'everything-2');
  expect((await trailOf('everything-2')).map(({ outcome }) => outcome)).toEqual(['8']);
});

test('a read over HTTP is in the trail before its answer, by whom and of whom', async () => {
  const response = await send('radiologist', 'GET', 'Patient/p1', undefined, 'read-1');
  expect(response.statusCode).toBe(200);
  const [event, ...more] = await trailOf('read-1');
  expect(more).toEqual([]);
  expect(event).toMatchObject({ action: 'R', outcome: '0', subtype: [{ code: 'read' }] });
  expect(event?.agent.at(-1)?.who?.reference).toBe('Practitioner/radiologist');
  expect(event?.entity?.some((entity) => entity.what?.reference === 'Patient/p1')).toBe(true);
});

test('a search over HTTP is in the trail with its query and its patients', async () => {
  const response = await send('radiologist', 'GET', 'Patient?family=TEST-REST', undefined, 'search-1');
  expect((response.json() as Bundle).entry).toHaveLength(1);
  const [event] = await trailOf('search-1');
  const query = event?.entity?.find((entity) => entity.role?.code === '24')?.query ?? '';
  expect(Buffer.from(query, 'base64').toString()).toContain('family=TEST-REST');
  expect(event?.entity?.some((entity) => entity.what?.reference === 'Patient/p1')).toBe(true);
});

test('an administrator reaches no patient: not by read, search, include, reverse include, chain, history or bundle', async () => {
  for (const path of [
    'Patient/p1',
    'Patient/p1/_history',
    'Patient',
    'Practitioner?_has:Patient:general-practitioner:family=TEST-REST',
    'Patient?general-practitioner.name=x',
    'Practitioner?_revinclude=Patient:general-practitioner',
    'Practitioner?_revinclude:iterate=Patient:general-practitioner',
    '_history',
    'AuditEvent',
  ]) {
    const response = await send('administrator', 'GET', path);
    expect(response.statusCode, path).toBe(403);
    expect(response.body, path).not.toContain('TEST-REST');
  }
  const batch = await send('administrator', 'POST', '', {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [{ request: { method: 'GET', url: 'Patient/p1' } }],
  });
  expect(batch.body).not.toContain('TEST-REST');
  expect((batch.json() as Bundle).entry?.[0]?.response?.status).toMatch(/^403/);
});

test('what includes may not bring is left out, and whether there was anything is not told', async () => {
  const pointedAt = await send('administrator', 'GET', 'Practitioner?_id=gp&_revinclude=*');
  const alone = await send('administrator', 'GET', 'Practitioner?_id=alone&_revinclude=*');
  for (const answer of [pointedAt, alone]) {
    expect(answer.statusCode).toBe(200);
    const { entry = [] } = answer.json() as Bundle;
    expect(entry.filter(({ search }) => search?.mode === 'outcome')).toEqual([]);
    expect(entry.map(({ resource }) => resource?.resourceType)).not.toContain('Patient');
  }
  expect(((await send('radiologist', 'GET', 'Practitioner?_id=gp&_revinclude=*')).json() as Bundle).entry?.length).toBe(
    2,
  );
});

test('an auditor finds who looked at a patient through FHIR, and cannot look at the patient', async () => {
  const trail = await send(
    'auditor',
    'GET',
    'AuditEvent?patient=Patient/p1&agent=Practitioner/radiologist&_sort=-date',
  );
  expect(trail.statusCode).toBe(200);
  const events = (trail.json() as Bundle<AuditEvent>).entry ?? [];
  expect(events.length).toBeGreaterThan(0);
  const included = await send('auditor', 'GET', 'AuditEvent?_include=AuditEvent:patient');
  expect(included.statusCode).toBe(200);
  expect(included.body).not.toContain('TEST-REST');
  for (const path of ['Patient/p1', 'AuditEvent?patient.family=TEST-REST']) {
    const response = await send('auditor', 'GET', path);
    expect(response.statusCode, path).toBe(403);
    expect(response.body, path).not.toContain('TEST-REST');
  }
});

test('a refused request is in the trail with its outcome', async () => {
  await send('auditor', 'GET', 'Patient/p1', undefined, 'refused-1');
  const events = await trailOf('refused-1');
  expect(events.map((event) => [event.outcome, event.agent.at(-1)?.altId])).toEqual([['8', 'auditor']]);
});

test('nobody changes or deletes an event over HTTP, and a client cannot write in our name', async () => {
  const [event] = await rig.trail();
  const put = await send('conformance', 'PUT', `AuditEvent/${event!.id}`, { ...event, outcome: '0' });
  expect(put.statusCode, put.body).toBe(405);
  expect((await send('conformance', 'DELETE', `AuditEvent/${event!.id}`)).statusCode).toBe(403);
  const { id: _id, ...copy } = event!;
  expect((await send('conformance', 'POST', 'AuditEvent', copy)).statusCode).toBe(422);
  expect((await send('conformance', 'PUT', 'AuditEvent/mine', { ...copy, id: 'mine' })).statusCode).toBe(422);
});

test('another tenant sees neither the patient nor the trail', async () => {
  expect((await send('other', 'GET', 'Patient/p1')).statusCode).toBe(404);
  const search = await send('other', 'GET', 'AuditEvent?patient=Patient/p1&outcome=0&_total=accurate');
  expect((search.json() as Bundle).total).toBe(0);
});
