import type { Bundle, Composition } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { validateResource } from '../../../src/fhir/validation/index.ts';
import { base, namesIn, type OperationServer, operationServer } from './server.ts';

let server: OperationServer;
const composition: Composition & { id: string } = {
  resourceType: 'Composition',
  id: 'c',
  status: 'final',
  type: { text: 'Compte rendu' },
  subject: { reference: 'Patient/p' },
  date: '2026-01-01',
  author: [{ reference: 'PractitionerRole/r' }],
  title: 'Scanner',
  section: [{ title: 'Résultats', entry: [{ reference: 'Observation/o' }] }],
};

beforeAll(async () => {
  server = await operationServer();
  await server.put(
    { resourceType: 'Patient', id: 'p', link: [{ other: { reference: 'Patient/twin' }, type: 'seealso' }] },
    { resourceType: 'Patient', id: 'twin' },
    { resourceType: 'Organization', id: 'org', name: 'CH' },
    { resourceType: 'Practitioner', id: 'dr' },
    {
      resourceType: 'PractitionerRole',
      id: 'r',
      practitioner: { reference: 'Practitioner/dr' },
      organization: { reference: `${base}/Organization/org` },
    },
    {
      resourceType: 'Observation',
      id: 'o',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/p' },
      // Further away, and not there.
      device: { reference: 'Device/gone' },
    },
    composition,
    { ...composition, id: 'torn', author: [{ reference: 'Practitioner/nobody' }] },
  );
});
afterAll(() => server.close());
beforeEach(() => {
  server.refused = () => false;
  server.audited.length = 0;
});

it('is a valid document: the Composition first, then everything it rests on, nobody else', async () => {
  const { status, body } = await server.get('/fhir/Composition/c/$document');
  expect(status).toBe(200);
  expect(body).toMatchObject({ type: 'document', identifier: { system: 'urn:ietf:rfc:3986' } });
  expect(namesIn(body)[0]).toBe('Composition/c');
  expect(namesIn(body).sort()).toEqual([
    'Composition/c',
    'Observation/o',
    'Organization/org',
    'Patient/p',
    'Practitioner/dr',
    'PractitionerRole/r',
  ]);
  expect(body.entry![0]!.fullUrl).toBe(`${base}/Composition/c`);
  expect(validateResource(body)).toEqual([]);
  expect(server.audited[0]!.resources).toHaveLength(6);
});

it('is the same by the id of the Composition, at the type', async () => {
  for (const id of ['c', 'Composition/c', `${base}/Composition/c`]) {
    const { body } = await server.get(`/fhir/Composition/$document?id=${encodeURIComponent(id)}`);
    expect(namesIn(body)).toHaveLength(6);
  }
  expect(await server.get('/fhir/Composition/$document')).toMatchObject({ status: 400 });
  expect(await server.get('/fhir/Composition/$document?id=http://elsewhere.example/Composition/c')).toMatchObject({
    status: 400,
  });
});

it('is kept when asked to by POST, as a Bundle found at its Location', async () => {
  const payload = { resourceType: 'Parameters', parameter: [{ name: 'persist', valueBoolean: true }] };
  const answer = await server.post<Bundle>('/fhir/Composition/c/$document', payload);
  expect(answer.headers.location).toBe(`${base}/Bundle/${answer.body.id}/_history/1`);
  const { body } = await server.get<Bundle>(`/fhir/Bundle/${answer.body.id}`);
  expect(body).toEqual(answer.body);
});

it('is refused rather than torn: something missing, or something the caller may not see', async () => {
  expect(await server.get('/fhir/Composition/torn/$document')).toMatchObject({ status: 422 });
  expect(await server.get('/fhir/Composition/none/$document')).toMatchObject({ status: 404 });
  server.refused = ({ interaction, type }) => interaction === 'read' && type === 'Observation';
  expect(await server.get('/fhir/Composition/c/$document')).toMatchObject({ status: 403 });
  server.refused = ({ interaction, type }) => interaction === 'create' && type === 'Bundle';
  expect(await server.get('/fhir/Composition/c/$document?persist=true')).toMatchObject({ status: 403 });
});
