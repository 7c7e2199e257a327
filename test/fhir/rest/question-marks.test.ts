import type { OperationOutcome, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.refused = () => false;
});

const json = { 'content-type': 'application/fhir+json' };
const patient = (value: string, rest: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:x', value }],
  ...rest,
});
const observation = (subject?: string) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'x' },
  ...(subject === undefined ? {} : { subject: { reference: subject } }),
});
const transaction = (...entry: object[]) =>
  server.request({
    method: 'POST',
    url: '/fhir',
    headers: json,
    payload: { resourceType: 'Bundle', type: 'transaction', entry },
  });
const get = async (path: string) => (await server.request({ method: 'GET', url: `/fhir/${path}` })).body as never;

describe('a question mark inside a value', () => {
  it('hides no part of a query from who may ask it', async () => {
    server.refused = ({ interaction, type }) => interaction === 'search-type' && type === 'Patient';
    const chain = 'patient.name=x&code:not=?';
    for (const path of [`Observation?${chain}`, `?_type=Observation&${chain}`, `Observation?code:not=?_id=1&${chain}`])
      expect((await server.request({ method: 'GET', url: `/fhir/${path}` })).status, path).toBe(403);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const posted = { method: 'POST' as const, url: '/fhir/Observation/_search', headers: form, payload: chain };
    expect((await server.request(posted)).status).toBe(403);
    for (const criteria of [chain, `?${chain}`, `Observation?${chain}`]) {
      const headers = { ...json, 'if-none-exist': criteria };
      const create = { method: 'POST' as const, url: '/fhir/Observation', headers, payload: observation() };
      expect((await server.request(create)).status, criteria).toBe(403);
    }
    for (const method of ['PUT', 'DELETE'] as const) {
      const write = { method, url: `/fhir/Observation?${chain}`, headers: json, payload: observation() };
      expect((await server.request(write)).status, method).toBe(403);
    }
    const referring = { ...observation(), hasMember: [{ reference: `Observation?${chain}` }] };
    const entry = { resource: referring, request: { method: 'POST', url: 'Observation' } };
    expect((await transaction(entry)).status).toBe(403);
  });

  it('does not begin the criteria of a conditional write anew', async () => {
    await transaction({
      resource: patient('other', { id: 'other' }),
      request: { method: 'PUT', url: 'Patient/other' },
    });
    const criteria = 'family=nobody?_id=other';
    const put = await transaction({ resource: patient('a?'), request: { method: 'PUT', url: `Patient?${criteria}` } });
    expect(put).toMatchObject({ status: 200, body: { entry: [{ response: { status: '201 Created' } }] } });
    const request = { method: 'POST', url: 'Patient', ifNoneExist: criteria };
    expect(await transaction({ resource: patient('b'), request })).toMatchObject({
      body: { entry: [{ response: { status: '201 Created' } }] },
    });
    await transaction({ request: { method: 'DELETE', url: `Patient?${criteria}` } });
    expect(((await get('Patient/other')) as Patient).identifier).toEqual([{ system: 'urn:x', value: 'other' }]);
  });

  it('before them is an address', async () => {
    await transaction({
      resource: patient('known', { id: 'known' }),
      request: { method: 'PUT', url: 'Patient/known' },
    });
    for (const address of ['?', 'Patient?', 'http://hospital.example/fhir/Patient?']) {
      const headers = { ...json, 'if-none-exist': `${address}identifier=urn:x|known` };
      const payload = patient('known');
      const found = await server.request({ method: 'POST', url: '/fhir/Patient', headers, payload });
      expect((found.body as Patient | OperationOutcome).id, address).toBe('known');
    }
  });
});
