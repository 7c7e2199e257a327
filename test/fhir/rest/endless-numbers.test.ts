import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const write = (value: string, type = 'application/fhir+json') => {
  const payload =
    type === 'application/fhir+xml'
      ? `<Observation xmlns="http://hl7.org/fhir"><status value="final"/><code><text value="x"/></code><valueQuantity><value value="${value}"/></valueQuantity></Observation>`
      : `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}},"component":[{"code":{"text":"y"},"valueInteger":4}]}`;
  return server.request({ method: 'POST', url: '/fhir/Observation', headers: { 'content-type': type }, payload });
};

/** Searches that look into the content. */
const searches = [
  'Observation?_sort=code',
  'Observation?code:text=x',
  'Observation?_content=x',
  'Patient?_has:Observation:patient:status=final',
  'Observation?value-quantity=lt1&_sort=value-quantity',
];

it.each([
  ['1e-1000', 201],
  ['-1.5E+300', 201],
  [`0.${'1'.repeat(900)}`, 201],
  ['1e-20000', 400],
  ['-1e-200000', 400],
  ['0e-99999', 400],
  ['0e99999', 400],
  [`0.${'1'.repeat(20_000)}`, 400],
  [`1.${'0'.repeat(20_000)}`, 400],
])('a number that the database cannot read is refused, and no search suffers from one (%#)', async (value, status) => {
  expect((await write(value)).status).toBe(status);
  expect((await write(value, 'application/fhir+xml')).status).toBe(status);
  for (const search of searches)
    expect((await server.request({ method: 'GET', url: `/fhir/${search}` })).status, search).toBe(200);
});

it('is refused in a patch and inside another resource, too', async () => {
  const { body, status } = await write('5');
  expect(status).toBe(201);
  const { id } = body as { id: string };
  const patch = await server.request({
    method: 'PATCH',
    url: `/fhir/Observation/${id}`,
    headers: { 'content-type': 'application/json-patch+json' },
    payload: '[{"op":"replace","path":"/valueQuantity/value","value":1e-20000}]',
  });
  expect(patch.status).toBeGreaterThanOrEqual(400);
  const inside = await server.request({
    method: 'POST',
    url: '/fhir/Patient',
    headers: { 'content-type': 'application/fhir+json' },
    payload:
      '{"resourceType":"Patient","extension":[{"url":"http://example.org/x","valueDecimal":1e-20000}],"contained":[{"resourceType":"Basic","id":"b","code":{"text":"x"}}]}',
  });
  expect(inside.status).toBe(400);
});
