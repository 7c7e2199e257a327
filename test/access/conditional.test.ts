/** Conditions of writes are searches: who may not ask must not learn from them, and who may leaves a trace. */
import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fhirRoutes } from '../../src/fhir/index.ts';
import { openRig, type Rig } from './support.ts';

const tokens = new Map<string, string>();
let rig: Rig;
beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      const baseUrl = () => 'http://passerelle.test';
      await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl });
    },
  });
  for (const role of ['administrator', 'radiologist', 'ris', 'conformance']) {
    const reference = `Device/${role}`;
    const names = { login: role, reference, display: role, roles: [role] };
    const account = { tenant: 'aa', kind: 'machine' as const, ...names, organizationId: 'hospital' };
    await rig.access.ensureAccount(account);
    tokens.set(role, await rig.access.issueToken(role, 3_600));
  }
  const gp = { resourceType: 'Practitioner', id: 'gp' };
  await send('conformance', 'PUT', 'Practitioner/gp', gp);
  for (const id of ['p1', 'p2']) {
    await send('conformance', 'PUT', `Patient/${id}`, {
      resourceType: 'Patient',
      id,
      name: [{ family: 'TEST-CONDITION' }],
      generalPractitioner: [{ reference: 'Practitioner/gp' }],
    });
  }
});
afterAll(() => rig.close());

function send(
  role: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  return rig.app.inject({
    method,
    url: `/fhir/${path}`,
    headers: { authorization: `Bearer ${tokens.get(role)}`, 'content-type': 'application/fhir+json', ...headers },
    ...(body ? { payload: JSON.stringify(body) } : {}),
  });
}

const transaction = (entry: object) => ({ resourceType: 'Bundle', type: 'transaction', entry: [entry] });
const trailOf = async (requestId: string) =>
  (await rig.trail()).filter((event) => event.entity?.at(-1)?.what?.identifier?.value === requestId);
const queryOf = (event: AuditEvent | undefined) =>
  Buffer.from(event?.entity?.find(({ query }) => query)?.query ?? '', 'base64').toString();

test('an administrator learns of no patient by the condition of a write, alone or in a transaction', async () => {
  const practitioner = { resourceType: 'Practitioner' };
  for (const family of ['TEST-CONDITION', 'NOBODY']) {
    const criteria = `_has:Patient:general-practitioner:family=${family}`;
    const answers = [
      await send('administrator', 'PUT', `Practitioner?${criteria}`, practitioner),
      await send('administrator', 'POST', 'Practitioner', practitioner, { 'if-none-exist': criteria }),
      await send('administrator', 'POST', 'Practitioner', practitioner, {
        'if-none-exist': `Practitioner?${criteria}`,
      }),
      await send('administrator', 'POST', '', {
        ...transaction({ resource: practitioner, request: { method: 'PUT', url: `Practitioner?${criteria}` } }),
      }),
      await send('administrator', 'POST', '', {
        ...transaction({
          resource: practitioner,
          request: { method: 'POST', url: 'Practitioner', ifNoneExist: criteria },
        }),
      }),
      await send('administrator', 'POST', '', {
        ...transaction({
          resource: { resourceType: 'PractitionerRole', practitioner: { reference: `Practitioner?${criteria}` } },
          request: { method: 'POST', url: 'PractitionerRole' },
        }),
      }),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 403, 403, 403, 403, 403]);
  }
});

test('a conditional delete that matches nobody says so to the trail as well', async () => {
  const answer = await send('conformance', 'DELETE', 'Patient?family=ABSENT', undefined, { 'x-request-id': 'none-1' });
  expect(answer.statusCode).toBe(204);
  const [event] = await trailOf('none-1');
  expect(queryOf(event)).toBe('Patient?family=ABSENT');
});

test('a condition that matches several patients tells so to the caller and to the trail', async () => {
  const criteria = 'family=TEST-CONDITION';
  const patient = { resourceType: 'Patient' };
  const headers = { 'x-request-id': 'many-1', 'if-none-exist': criteria };
  expect((await send('ris', 'POST', 'Patient', patient, headers)).statusCode).toBe(412);
  const [event] = await trailOf('many-1');
  expect(event).toMatchObject({ outcome: '4' });
  expect(queryOf(event)).toBe(`Patient?${criteria}`);
});

test('a refusal of access speaks French to people and English to integrators', async () => {
  const answer = await send('administrator', 'GET', 'Task');
  expect(answer.json().issue).toEqual([
    {
      severity: 'error',
      code: 'forbidden',
      diagnostics: 'search-type of Task is not allowed to administrator',
      details: { text: 'Action réservée à d’autres rôles que le vôtre (administrateur) : rechercher Task.' },
    },
  ]);
  const operation = await send('administrator', 'POST', 'Task/x/$sign', { resourceType: 'Parameters' });
  expect(operation.json().issue[0].details.text).toMatch(/: exécuter \$sign sur Task\.$/);
  const anonymous = await rig.app.inject('/fhir/Patient');
  expect(anonymous.json().issue[0].details.text).toBe('Connectez-vous.');
});

test('who reads the file of a report is found under its patient, and so is who reads an appointment', async () => {
  await send('conformance', 'PUT', 'DiagnosticReport/report', {
    resourceType: 'DiagnosticReport',
    id: 'report',
    status: 'final',
    code: { text: 'Scanner' },
    subject: { reference: 'Patient/p1' },
  });
  await send('conformance', 'PUT', 'Binary/pdf', {
    resourceType: 'Binary',
    id: 'pdf',
    contentType: 'application/pdf',
    securityContext: { reference: 'DiagnosticReport/report' },
    data: 'JVBERg==',
  });
  await send('conformance', 'PUT', 'Appointment/a1', {
    resourceType: 'Appointment',
    id: 'a1',
    status: 'proposed',
    participant: [
      { actor: { reference: 'Practitioner/gp' }, status: 'accepted' },
      { actor: { reference: 'Patient/p1' }, status: 'accepted' },
    ],
  });
  expect((await send('radiologist', 'GET', 'Binary/pdf', undefined, { accept: '*/*' })).body).toBe('%PDF');
  expect((await send('radiologist', 'GET', 'Appointment/a1')).statusCode).toBe(200);
  const found = await send('conformance', 'GET', 'AuditEvent?patient=Patient/p1&subtype=read');
  const what = (found.json() as Bundle<AuditEvent>).entry?.map(
    ({ resource }) => resource?.entity?.[0]?.what?.reference,
  );
  expect(what?.sort()).toEqual(['Appointment/a1/_history/1', 'Binary/pdf/_history/1']);
});
