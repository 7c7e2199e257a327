import type { Bundle, OperationOutcome, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FhirError } from '../../../src/fhir/index.ts';
import { type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  server.store.beforeCommit(({ after }) => {
    if (after?.resourceType === 'Patient' && after.active === false)
      throw new FhirError(422, 'business-rule', 'a hook refuses this', 'Patient.active');
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.commits.length = 0;
  server.audited.length = 0;
  server.refused = () => false;
});

const json = { 'content-type': 'application/fhir+json' };
const jsonPatch = { 'content-type': 'application/json-patch+json' };
const replaceDate = [{ op: 'replace', path: '/birthDate', value: '1990-01-01' }];

async function put(id: string, value = id): Promise<void> {
  const payload: Patient = {
    resourceType: 'Patient',
    id,
    birthDate: '1980-05-11',
    identifier: [{ system: 'urn:x', value }],
  };
  const { status } = await server.request({ method: 'PUT', url: `/fhir/Patient/${id}`, headers: json, payload });
  expect(status).toBeLessThan(300);
  server.commits.length = 0;
}

const patch = (target: string, payload: unknown, headers: Record<string, string> = {}) =>
  server.request({
    method: 'PATCH',
    url: `/fhir/Patient${target}`,
    headers: { ...jsonPatch, ...headers },
    payload: JSON.stringify(payload),
  });

describe('PATCH', () => {
  it('makes the next version, as an update does', async () => {
    await put('p1');
    const { status, headers, body } = await patch('/p1', replaceDate);
    expect(status).toBe(200);
    expect(headers.etag).toBe('W/"2"');
    expect(body).toMatchObject({ birthDate: '1990-01-01', identifier: [{ value: 'p1' }], meta: { versionId: '2' } });
    expect(server.commits).toEqual(['patch update']);
  });

  it('is refused whole when a test fails, the result is invalid or a hook says no', async () => {
    await put('p2');
    for (const [payload, status] of [
      [[...replaceDate, { op: 'test', path: '/birthDate', value: '2000-01-01' }], 422],
      [[...replaceDate, { op: 'add', path: '/gender', value: 'unheard-of' }], 422],
      [[...replaceDate, { op: 'replace', path: '/id', value: 'other' }], 422],
      [[...replaceDate, { op: 'add', path: '/active', value: false }], 422],
      [[...replaceDate, { op: 'jump', path: '/active' }], 400],
      [{ resourceType: 'Patient' }, 400],
    ] as const)
      expect((await patch('/p2', payload)).status, JSON.stringify(payload)).toBe(status);
    const outcome: OperationOutcome = (await patch('/p2', [{ op: 'add', path: '/gender', value: 'unheard-of' }])).body;
    expect(outcome.issue[0]!.expression).toEqual(['Patient.gender']);
    expect((await server.request({ method: 'GET', url: '/fhir/Patient/p2' })).headers.etag).toBe('W/"1"');
    expect(server.commits).toEqual([]);
  });

  it('honours If-Match in each of its forms', async () => {
    await put('p3');
    expect((await patch('/p3', replaceDate, { 'if-match': 'W/"7"' })).status).toBe(412);
    for (const [form, version] of [
      ['W/"1"', 2],
      ['"2"', 3],
      ['3', 4],
      ['*', 5],
    ])
      expect((await patch('/p3', replaceDate, { 'if-match': String(form) })).headers.etag).toBe(`W/"${version}"`);
    expect((await patch('/p3', replaceDate, { 'if-match': 'W/"1", W/"5"' })).status).toBe(400);
  });

  it('tells what is unknown from what was deleted', async () => {
    await put('p4');
    await server.request({ method: 'DELETE', url: '/fhir/Patient/p4' });
    expect((await patch('/p4', replaceDate)).status).toBe(410);
    expect((await patch('/never', replaceDate)).status).toBe(404);
  });

  it('finds the one resource that matches criteria', async () => {
    await put('p5');
    await put('p6', 'twice');
    await put('p7', 'twice');
    expect((await patch('?identifier=urn:x%7Cp5', replaceDate)).body).toMatchObject({
      id: 'p5',
      birthDate: '1990-01-01',
    });
    expect((await patch('?identifier=urn:x%7Ctwice', replaceDate)).status).toBe(412);
    expect((await patch('?identifier=urn:x%7Cnobody', replaceDate)).status).toBe(404);
    expect((await patch('', replaceDate)).status).toBe(412);
    server.refused = ({ interaction }) => interaction === 'search-type';
    expect((await patch('?identifier=urn:x%7Cp5', replaceDate)).status).toBe(403);
    server.refused = ({ interaction }) => interaction === 'patch';
    expect((await patch('/p5', replaceDate)).status).toBe(403);
  });

  it('goes into Bundles as a Binary or as Parameters', async () => {
    await put('p8');
    const data = Buffer.from(JSON.stringify(replaceDate)).toString('base64');
    const binary = { resourceType: 'Binary', contentType: 'application/json-patch+json', data };
    const part = [
      { name: 'type', valueCode: 'add' },
      { name: 'path', valueString: 'Patient' },
      { name: 'name', valueString: 'gender' },
      { name: 'value', valueCode: 'female' },
    ];
    const parameters = { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] };
    for (const [type, resource, url] of [
      ['transaction', binary, 'Patient/p8'],
      ['batch', parameters, 'Patient?identifier=urn:x|p8'],
    ]) {
      const entry = [{ resource, request: { method: 'PATCH', url } }];
      const payload = { resourceType: 'Bundle', type, entry };
      const { body } = await server.request({ method: 'POST', url: '/fhir', headers: json, payload });
      expect((body as Bundle).entry![0]!.response!.status).toBe('200 OK');
    }
    expect((await server.request({ method: 'GET', url: '/fhir/Patient/p8' })).body).toMatchObject({
      birthDate: '1990-01-01',
      gender: 'female',
      meta: { versionId: '3' },
    });
  });

  it('does not touch the audit trail', async () => {
    expect(
      await server.request({ method: 'PATCH', url: '/fhir/AuditEvent/x', headers: jsonPatch, payload: '[]' }),
    ).toMatchObject({ status: 405 });
  });
});
