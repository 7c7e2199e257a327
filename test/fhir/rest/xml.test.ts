import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseXml } from '../../../src/fhir/xml/index.ts';
import { type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const xmlType = 'application/fhir+xml';
const xmlUtf8 = 'application/fhir+xml; charset=utf-8';

/** A request by somebody who speaks XML only; the answer in its JSON form. */
async function speak(method: InjectOptions['method'], path: string, payload?: string, headers = {}) {
  const response = await server.app.inject({
    method,
    url: `/fhir/${path}`,
    headers: { accept: xmlType, ...(payload ? { 'content-type': xmlType } : {}), ...headers },
    ...(payload ? { payload } : {}),
  });
  const body = response.body === '' ? undefined : (parseXml(response.body) as Record<string, never>);
  if (body) expect(response.headers['content-type']).toBe(xmlUtf8);
  return { status: response.statusCode, headers: response.headers, text: response.body, body };
}

const observation = (value: string) =>
  `<Observation xmlns="http://hl7.org/fhir"><id value="xml-1"/><status value="final"/><code><text value="pH"/></code>
   <valueQuantity><value value="${value}"/></valueQuantity></Observation>`;

describe('a client that speaks XML', () => {
  it('writes, reads, finds and deletes, and decimals keep their zeros', async () => {
    const put = await speak('PUT', 'Observation/xml-1', observation('7.20'));
    expect(put).toMatchObject({
      status: 201,
      headers: { etag: 'W/"1"' },
      body: { id: 'xml-1', meta: { versionId: '1' } },
    });
    expect((await speak('PUT', 'Observation/xml-1', observation('7.30'))).status).toBe(200);
    expect((await speak('GET', 'Observation/xml-1')).text).toContain('<value value="7.30"/>');
    expect((await speak('GET', 'Observation/xml-1/_history/1')).text).toContain('<value value="7.20"/>');
    expect((await speak('GET', 'Observation?_id=xml-1')).body).toMatchObject({
      resourceType: 'Bundle',
      type: 'searchset',
      entry: [{ resource: { id: 'xml-1' }, search: { mode: 'match' } }],
    });
    expect((await speak('GET', 'Observation/xml-1/_history')).body!.entry).toHaveLength(2);
    expect((await speak('DELETE', 'Observation/xml-1')).status).toBe(204);
    expect(await speak('GET', 'Observation/xml-1')).toMatchObject({
      status: 410,
      body: { resourceType: 'OperationOutcome' },
    });
  });

  it('shares what it wrote with those who speak JSON', async () => {
    await speak('PUT', 'Observation/xml-1', observation('1.00'));
    const json = await server.app.inject({ method: 'GET', url: '/fhir/Observation/xml-1' });
    expect(json.body).toContain('"value":1.00');
    const page = await server.app.inject({ method: 'GET', url: '/fhir/Observation/xml-1?_format=xml&_pretty=true' });
    expect(page.body).toContain('\n  <id value="xml-1"/>\n');
  });

  it('sends transactions', async () => {
    const entry = (request: string, resource = '') =>
      `<entry>${resource && `<fullUrl value="urn:uuid:6f1b1b5e-0000-4000-8000-000000000001"/><resource>${resource}</resource>`}<request>${request}</request></entry>`;
    const bundle = `<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/>
      ${entry('<method value="POST"/><url value="Basic"/>', '<Basic><code><text value="1.0"/></code></Basic>')}
      ${entry('<method value="GET"/><url value="Observation/xml-1"/>')}</Bundle>`;
    const { status, body } = await speak('POST', '', bundle);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      type: 'transaction-response',
      entry: [{ response: { status: '201 Created' } }, { resource: { resourceType: 'Observation' } }],
    });
  });

  it('runs operations with Parameters', async () => {
    const parameters = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="resource"/><resource>
      <Observation><status value="unheard-of"/><code><text value="a"/></code></Observation></resource></parameter></Parameters>`;
    expect((await speak('POST', 'Observation/$validate', parameters)).body).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ expression: ['Observation.status'] }],
    });
  });

  it('reads the capability statement', async () => {
    const { status, body } = await speak('GET', 'metadata');
    expect([status, body!.resourceType]).toEqual([200, 'CapabilityStatement']);
    expect(body!.format).toEqual(expect.arrayContaining(['application/fhir+xml', 'application/fhir+json']));
  });

  it('is told in XML what is wrong, where in the text or in the resource', async () => {
    expect(
      await speak('POST', 'Observation', '<Observation xmlns="http://hl7.org/fhir">\n<status/></Observation>'),
    ).toMatchObject({
      status: 400,
      body: { issue: [{ expression: ['Observation.status'], diagnostics: expect.stringContaining('line 2') }] },
    });
    expect(await speak('POST', 'Observation', observation('x'))).toMatchObject({
      status: 400,
      body: { issue: [{ expression: ['Observation.value.value'] }] },
    });
    expect((await speak('GET', 'Observation/none')).status).toBe(404);
    expect((await speak('GET', 'Observation/xml-1', undefined, { authorization: 'Bearer nobody' })).status).toBe(401);
  });

  it('gets and sends Binaries as FHIR when it says so, else as the files they are', async () => {
    const cda = '<ClinicalDocument xmlns="urn:hl7-org:v3"/>';
    const created = await server.app.inject({
      method: 'PUT',
      url: '/fhir/Binary/cda',
      headers: { 'content-type': 'text/xml; charset=iso-8859-1' },
      payload: cda,
    });
    expect(created.statusCode).toBe(201);
    expect((await server.app.inject({ method: 'GET', url: '/fhir/Binary/cda' })).body).toBe(cda);
    expect((await speak('GET', 'Binary/cda')).body).toMatchObject({
      contentType: 'text/xml; charset=iso-8859-1',
      data: Buffer.from(cda).toString('base64'),
    });
    const binary =
      '<Binary xmlns="http://hl7.org/fhir"><id value="b"/><contentType value="text/plain"/><data value="QUJD"/></Binary>';
    expect((await speak('PUT', 'Binary/b', binary)).status).toBe(201);
    expect((await server.app.inject({ method: 'GET', url: '/fhir/Binary/b' })).body).toBe('ABC');
  });
});
