import type { Bundle, OperationOutcome, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { base, type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.audited.length = 0;
  server.commits.length = 0;
  server.refused = () => false;
});

const json = { 'content-type': 'application/fhir+json' };
const patient: Patient = {
  resourceType: 'Patient',
  identifier: [{ system: 'urn:oid:1.2.3', value: 'IPP-1' }],
  name: [{ family: 'TEST-MOREAU', given: ['Camille'] }],
};

async function created(content: Patient = patient): Promise<Patient & { id: string }> {
  const { status, body } = await server.request({
    method: 'POST',
    url: '/fhir/Patient',
    headers: json,
    payload: content,
  });
  expect(status).toBe(201);
  return body;
}

describe('create and read', () => {
  it('answers the stored resource with its address, version and time', async () => {
    const answer = await server.request({
      method: 'POST',
      url: '/fhir/Patient',
      headers: json,
      payload: { ...patient, id: 'mine' },
    });
    const body: Patient = answer.body;
    expect(answer.status).toBe(201);
    expect(body.id).not.toBe('mine');
    expect(answer.headers).toMatchObject({
      location: `${base}/Patient/${body.id}/_history/1`,
      etag: 'W/"1"',
      'last-modified': new Date(body.meta!.lastUpdated!).toUTCString(),
      'content-type': 'application/fhir+json; charset=utf-8',
    });
    const read = await server.request({ method: 'GET', url: `/fhir/Patient/${body.id}` });
    expect(read.body).toEqual(body);
    expect(read.headers.etag).toBe('W/"1"');
    expect(server.commits).toEqual(['create create']);
    expect(server.audited).toMatchObject([{ interaction: 'read', outcome: 'success', resources: [body] }]);
  });

  it('answers as Prefer says', async () => {
    const prefer = (value: string) =>
      server.request({
        method: 'POST',
        url: '/fhir/Patient',
        headers: { ...json, prefer: `return=${value}` },
        payload: patient,
      });
    expect(await prefer('minimal')).toMatchObject({ status: 201, text: '' });
    expect(await prefer('OperationOutcome')).toMatchObject({ status: 201, body: { resourceType: 'OperationOutcome' } });
    expect(await prefer('representation')).toMatchObject({ status: 201, body: { resourceType: 'Patient' } });
  });

  it('refuses an invalid resource and names the element, not its content', async () => {
    const payload = { ...patient, name: [{ family: 'TEST-SECRET', given: [''] }], birthDate: '1980-02-30' };
    const { status, body, text } = await server.request({
      method: 'POST',
      url: '/fhir/Patient',
      headers: json,
      payload,
    });
    expect(status).toBe(400);
    expect((body as OperationOutcome).issue.flatMap((issue) => issue.expression)).toEqual([
      'Patient.name[0].given[0]',
      'Patient.birthDate',
    ]);
    expect(text).not.toContain('SECRET');
    expect(text).not.toContain('1980');
  });

  it('answers 304 when the caller has the version already', async () => {
    const { id } = await created();
    const conditional = (headers: Record<string, string>) =>
      server.request({ method: 'GET', url: `/fhir/Patient/${id}`, headers });
    expect(await conditional({ 'if-none-match': 'W/"1"' })).toMatchObject({ status: 304, text: '' });
    expect(await conditional({ 'if-none-match': 'W/"7"' })).toMatchObject({ status: 200 });
    expect(await conditional({ 'if-modified-since': new Date(Date.now() + 5000).toUTCString() })).toMatchObject({
      status: 304,
    });
    expect(await conditional({ 'if-modified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' })).toMatchObject({ status: 200 });
  });

  it('takes no If-None-Exist that a header cannot carry: nothing would match, and all would be created', async () => {
    const headers = { 'content-type': 'application/fhir+json', 'if-none-exist': 'family=Lefèvre' };
    const payload = { resourceType: 'Patient', name: [{ family: 'Lefèvre' }] };
    const refused = await server.request({ method: 'POST', url: '/fhir/Patient', headers, payload });
    expect(refused).toMatchObject({ status: 400, body: { issue: [{ expression: ['http.If-None-Exist'] }] } });
    const encoded = { ...headers, 'if-none-exist': 'family=Lef%C3%A8vre' };
    const create = () => server.request({ method: 'POST', url: '/fhir/Patient', headers: encoded, payload });
    expect([(await create()).status, (await create()).status]).toEqual([201, 200]);
  });

  it('creates once under If-None-Exist, and audits the second answer as a read', async () => {
    const headers = { ...json, 'if-none-exist': 'identifier=urn:oid:1.2.3|once' };
    const payload = { ...patient, identifier: [{ system: 'urn:oid:1.2.3', value: 'once' }] };
    const first = await server.request({ method: 'POST', url: '/fhir/Patient', headers, payload });
    const second = await server.request({ method: 'POST', url: '/fhir/Patient', headers, payload });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
    expect(server.audited).toMatchObject([{ interaction: 'create', outcome: 'success', resources: [first.body] }]);
  });

  it('tells what is not there from what was deleted', async () => {
    const { id } = await created();
    expect(await server.request({ method: 'DELETE', url: `/fhir/Patient/${id}` })).toMatchObject({
      status: 204,
      headers: { etag: 'W/"2"' },
    });
    expect(await server.request({ method: 'DELETE', url: `/fhir/Patient/${id}` })).toMatchObject({ status: 204 });
    expect(await server.request({ method: 'DELETE', url: '/fhir/Patient/never' })).toMatchObject({ status: 204 });
    expect(await server.request({ method: 'GET', url: `/fhir/Patient/${id}` })).toMatchObject({ status: 410 });
    expect(await server.request({ method: 'GET', url: '/fhir/Patient/never' })).toMatchObject({
      status: 404,
      body: { resourceType: 'OperationOutcome' },
    });
    expect(await server.request({ method: 'GET', url: `/fhir/Patient/${id}/_history/1` })).toMatchObject({
      status: 200,
    });
    expect(await server.request({ method: 'GET', url: `/fhir/Patient/${id}/_history/2` })).toMatchObject({
      status: 410,
    });
    expect(await server.request({ method: 'GET', url: `/fhir/Patient/${id}/_history/x` })).toMatchObject({
      status: 404,
    });
  });
});

describe('update', () => {
  it('creates under an id of the client, then makes versions', async () => {
    const put = (content: Patient, headers = {}) =>
      server.request({
        method: 'PUT',
        url: '/fhir/Patient/mine-1',
        headers: { ...json, ...headers },
        payload: content,
      });
    expect(await put({ ...patient, id: 'mine-1' })).toMatchObject({ status: 201, headers: { etag: 'W/"1"' } });
    expect(await put({ ...patient, id: 'mine-1', active: true })).toMatchObject({
      status: 200,
      headers: { etag: 'W/"2"' },
    });
    expect(await put({ ...patient, id: 'mine-1' }, { 'if-match': 'W/"1"' })).toMatchObject({ status: 412 });
    expect(await put({ ...patient, id: 'mine-1' }, { 'if-match': 'W/"2"' })).toMatchObject({ status: 200 });
    expect(await put({ ...patient, id: 'mine-1' }, { 'if-none-match': '*' })).toMatchObject({ status: 412 });
    expect(await put({ ...patient, id: 'mine-1' }, { 'if-none-match': 'W/"3"' })).toMatchObject({
      status: 400,
      body: { issue: [{ expression: ['http.If-None-Match'] }] },
    });
    expect(await put({ ...patient, id: 'other' })).toMatchObject({
      status: 400,
      body: { issue: [{ expression: ['Patient.id'] }] },
    });
    expect(await put({ resourceType: 'Device', id: 'mine-1' } as never)).toMatchObject({ status: 400 });
  });

  it('updates and deletes what criteria match, once', async () => {
    const url = '/fhir/Patient?identifier=urn:oid:1.2.3|conditional';
    const payload = { ...patient, identifier: [{ system: 'urn:oid:1.2.3', value: 'conditional' }] };
    const onlyCreate = { ...json, 'if-none-match': '*' };
    expect(await server.request({ method: 'PUT', url, headers: onlyCreate, payload })).toMatchObject({ status: 400 });
    const first = await server.request({ method: 'PUT', url, headers: json, payload });
    const second = await server.request({ method: 'PUT', url, headers: json, payload: { ...payload, active: true } });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect((second.body as Patient).id).toBe((first.body as Patient).id);
    expect(await server.request({ method: 'DELETE', url })).toMatchObject({ status: 204 });
    expect(await server.request({ method: 'DELETE', url })).toMatchObject({ status: 204 });
    expect(await server.request({ method: 'GET', url: `/fhir/Patient/${(first.body as Patient).id}` })).toMatchObject({
      status: 410,
    });
    expect(await server.request({ method: 'DELETE', url: '/fhir/Patient' })).toMatchObject({ status: 412 });
  });
});

describe('history', () => {
  it('shows the versions of an instance, newest first, page by page', async () => {
    const { id } = await created();
    await server.request({
      method: 'PUT',
      url: `/fhir/Patient/${id}`,
      headers: json,
      payload: { ...patient, id, active: true },
    });
    await server.request({ method: 'DELETE', url: `/fhir/Patient/${id}` });
    const page = await server.request({ method: 'GET', url: `/fhir/Patient/${id}/_history?_count=2` });
    const bundle: Bundle = page.body;
    expect(bundle.entry!.map((entry) => entry.request!.method)).toEqual(['DELETE', 'PUT']);
    expect(bundle).toMatchObject({
      type: 'history',
      total: 3,
      entry: [{ fullUrl: `${base}/Patient/${id}`, response: { etag: 'W/"3"' } }, {}],
    });
    expect(bundle.entry![0]).not.toHaveProperty('resource');
    const next = bundle.link!.find((link) => link.relation === 'next')!.url!.replace('http://hospital.example', '');
    const second: Bundle = (await server.request({ method: 'GET', url: next })).body;
    expect(second.entry!.map((entry) => entry.request!.method)).toEqual(['POST']);
    expect(second.link!.map((link) => link.relation)).toEqual(['self']);
    expect(server.audited.at(-1)).toMatchObject({
      interaction: 'history-instance',
      target: { type: 'Patient', id },
      outcome: 'success',
    });
  });

  it('tells a resource that was put under an id of its own from one that was posted, in any version since', async () => {
    const { id } = await created();
    for (const active of [true, false])
      await server.request({
        method: 'PUT',
        url: '/fhir/Patient/chosen-by-the-ris',
        headers: json,
        payload: { ...patient, id: 'chosen-by-the-ris', active },
      });
    const told = async (of: string) => {
      const { body } = await server.request({ method: 'GET', url: `/fhir/Patient/${of}/_history` });
      return (body as Bundle).entry!.map(
        ({ request, response }) => `${request!.method} ${request!.url} ${response!.status}`,
      );
    };
    expect(await told('chosen-by-the-ris')).toEqual([
      'PUT Patient/chosen-by-the-ris 200',
      'PUT Patient/chosen-by-the-ris 201',
    ]);
    expect(await told(id!)).toEqual(['POST Patient 201']);
  });

  it('shows a type and the whole tenant, and refuses parameters it does not know', async () => {
    await created();
    await server.request({
      method: 'PUT',
      url: '/fhir/Organization/visible',
      headers: json,
      payload: { resourceType: 'Organization', id: 'visible', name: 'CH-EXEMPLE' },
    });
    const since = new Date(Date.now() - 60_000).toISOString();
    expect(await server.request({ method: 'GET', url: `/fhir/Patient/_history?_since=${since}` })).toMatchObject({
      status: 200,
      body: { type: 'history' },
    });
    expect(await server.request({ method: 'GET', url: '/fhir/_history?_count=1' })).toMatchObject({
      status: 200,
      body: { entry: [{}] },
    });
    expect(await server.request({ method: 'GET', url: '/fhir/Patient/_history?_sort=x' })).toMatchObject({
      status: 400,
    });
    for (const since of ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00%2B14:00', '9999-12-31T23:59:59-14:00']) {
      const { status } = await server.request({ method: 'GET', url: `/fhir/Patient/_history?_since=${since}` });
      expect(status, since).toBe(400);
    }
    expect(await server.request({ method: 'GET', url: '/fhir/Patient/_history?_since=yesterday' })).toMatchObject({
      status: 400,
    });
    expect(await server.request({ method: 'GET', url: '/fhir/Patient/never/_history' })).toMatchObject({ status: 404 });
    server.refused = ({ interaction, type }) => interaction === 'history-type' && type === 'Patient';
    const { body } = await server.request({ method: 'GET', url: '/fhir/_history?_count=1000' });
    const types = (body as Bundle).entry!.map(({ fullUrl }) => fullUrl!.split('/').at(-2));
    expect(types).not.toContain('Patient');
    expect(types).toContain('Organization');
  });
});

describe('search', () => {
  it('finds by GET and by POST, and links to what it searched', async () => {
    const { id } = await created({ ...patient, identifier: [{ system: 'urn:oid:1.2.3', value: 'searched' }] });
    const query = 'identifier=urn:oid:1.2.3%7Csearched';
    const get = await server.request({ method: 'GET', url: `/fhir/Patient?${query}&_format=json&_total=accurate` });
    const post = await server.request({
      method: 'POST',
      url: '/fhir/Patient/_search',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: query,
    });
    for (const { body } of [get, post]) {
      expect((body as Bundle).entry).toMatchObject([
        { fullUrl: `${base}/Patient/${id}`, resource: { id }, search: { mode: 'match' } },
      ]);
    }
    expect(get.body).toMatchObject({ type: 'searchset', total: 1 });
    expect((get.body as Bundle).link![0]!.url).toContain(`${base}/Patient?identifier=`);
    expect(server.audited).toMatchObject([
      { interaction: 'search-type', query: `Patient?${query}&_total=accurate`, resources: [{ id }] },
      { interaction: 'search-type', query: `Patient?${query}`, resources: [{ id }] },
    ]);
  });

  it('follows next links to the end', async () => {
    for (let index = 0; index < 5; index++)
      await created({ ...patient, identifier: [{ system: 'urn:oid:1.2.3', value: 'paged' }] });
    const seen: string[] = [];
    let url: string | undefined = '/fhir/Patient?identifier=urn:oid:1.2.3|paged&_count=2';
    while (url) {
      const bundle: Bundle = (await server.request({ method: 'GET', url })).body;
      seen.push(...bundle.entry!.map((entry) => entry.resource!.id!));
      url = bundle.link!.find((link) => link.relation === 'next')?.url?.replace('http://hospital.example', '');
    }
    expect(new Set(seen).size).toBe(5);
    expect(seen).toHaveLength(5);
  });

  it('asks permission for every type an include, a chain or _has names, and leaves out what an include may not bring', async () => {
    const { id } = await created();
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: `Patient/${id}` },
    };
    await server.request({ method: 'POST', url: '/fhir/Observation', headers: json, payload: observation });
    const forbidden = (type: string) => {
      server.refused = (request) => request.type === type;
    };
    forbidden('Patient');
    const named = ['_include=Observation:subject:Patient', 'subject:Patient.family=x', 'patient.family=x'];
    for (const query of named) {
      expect(await server.request({ method: 'GET', url: `/fhir/Observation?${query}` }), query).toMatchObject({
        status: 403,
      });
    }
    for (const query of ['status=final', '_include=Observation:subject', '_include=*']) {
      const { status, text } = await server.request({ method: 'GET', url: `/fhir/Observation?${query}` });
      expect(status, query).toBe(200);
      expect(text, query).not.toContain('"resourceType":"Patient"');
    }
    forbidden('Observation');
    for (const query of ['_revinclude=Observation:subject', '_has:Observation:subject:status=final']) {
      expect(await server.request({ method: 'GET', url: `/fhir/Patient?_id=${id}&${query}` }), query).toMatchObject({
        status: 403,
      });
    }
    expect(server.audited.filter(({ outcome }) => outcome === 'refused')).toHaveLength(5);
  });

  it('refuses unknown parameters, or says that it ignored them', async () => {
    expect(await server.request({ method: 'GET', url: '/fhir/Patient?colour=blue' })).toMatchObject({ status: 400 });
    expect(server.audited).toMatchObject([{ outcome: 'failed', query: 'Patient?colour=blue', resources: [] }]);
    const lenient = await server.request({
      method: 'GET',
      url: '/fhir/Patient?colour=blue&_count=1',
      headers: { prefer: 'handling=lenient' },
    });
    expect((lenient.body as Bundle).entry!.at(-1)).toMatchObject({
      resource: { resourceType: 'OperationOutcome' },
      search: { mode: 'outcome' },
    });
  });
});

describe('guards and audit', () => {
  it('asks who calls before anything else, and audits refusals', async () => {
    expect(
      await server.request({ method: 'GET', url: '/fhir/Patient/x', headers: { authorization: 'Bearer nobody' } }),
    ).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { resourceType: 'OperationOutcome' },
    });
    server.refused = () => true;
    expect(await server.request({ method: 'GET', url: '/fhir/Patient/x' })).toMatchObject({ status: 403 });
    expect(
      await server.request({ method: 'POST', url: '/fhir/Patient', headers: json, payload: patient }),
    ).toMatchObject({ status: 403 });
    expect(server.audited).toMatchObject([
      { interaction: 'read', outcome: 'refused', target: { type: 'Patient', id: 'x' }, resources: [] },
      { interaction: 'create', outcome: 'refused', target: { type: 'Patient' } },
    ]);
    expect(server.commits).toEqual([]);
  });

  it('serves a tenant its own resources only, under its own address too', async () => {
    const { id } = await created();
    const as = (tenant: string, url: string) =>
      server.request({ method: 'GET', url, headers: { authorization: `Bearer ${tenant}` } });
    expect(await as('bb', `/fhir/Patient/${id}`)).toMatchObject({ status: 404 });
    expect(await as('aa', `/t/aa/fhir/Patient/${id}`)).toMatchObject({ status: 200 });
    expect(await as('bb', `/t/aa/fhir/Patient/${id}`)).toMatchObject({ status: 403 });
    const search = await as('aa', `/t/aa/fhir/Patient?_id=${id}`);
    expect((search.body as Bundle).entry![0]!.fullUrl).toBe(`http://hospital.example/t/aa/fhir/Patient/${id}`);
  });

  it('joins answer and audit by the request id, and replaces one that is not harmless', async () => {
    const { headers } = await server.request({
      method: 'GET',
      url: '/fhir/Patient/none',
      headers: { 'x-request-id': 'abc-1' },
    });
    expect(headers['x-request-id']).toBe('abc-1');
    expect(server.audited).toMatchObject([
      { requestId: 'abc-1', outcome: 'failed', target: { type: 'Patient', id: 'none' } },
    ]);
    const replaced = await server.request({
      method: 'GET',
      url: '/fhir/Patient/none',
      headers: { 'x-request-id': 'Jean Dupont' },
    });
    expect(replaced.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(server.audited[1]!.requestId).toBe(replaced.headers['x-request-id']);
    const made = await server.request({ method: 'GET', url: '/fhir/metadata' });
    expect(made.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('representation', () => {
  it('may be asked for in the form of a search', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const search = (payload: string) =>
      server.request({ method: 'POST', url: '/fhir/Patient/_search', headers, payload });
    expect((await search('_id=none&_format=xml')).headers['content-type']).toContain('application/fhir+xml');
    expect((await search('_id=none&_format=')).headers['content-type']).toContain('application/fhir+json');
    expect((await search('_id=none&_format=ttl')).status).toBe(406);
  });

  it('serves JSON or XML, as asked, and refuses the rest', async () => {
    const { id } = await created();
    const get = (accept: string, query = '') =>
      server.request({ method: 'GET', url: `/fhir/Patient/${id}${query}`, headers: { accept } });
    for (const accept of ['application/fhir+json', 'application/json', '*/*', 'text/html;q=0.1, */*']) {
      expect(await get(accept), accept).toMatchObject({ status: 200, body: { id } });
    }
    expect(await get('image/png')).toMatchObject({
      status: 406,
      body: { resourceType: 'OperationOutcome' },
    });
    expect(await get('application/fhir+xml', '?_format=json')).toMatchObject({ status: 200 });
    expect(await get('application/fhir+json', '?_format=xml')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/fhir+xml; charset=utf-8' },
    });
    expect(await get('application/fhir+json', '?_format=png')).toMatchObject({ status: 406 });
    expect((await get('*/*', '?_pretty=true')).text).toContain('\n  "resourceType": "Patient"');
  });

  it('takes JSON or XML in UTF-8 and refuses the rest', async () => {
    const post = (contentType: string, payload: string | Buffer) =>
      server.request({ method: 'POST', url: '/fhir/Patient', headers: { 'content-type': contentType }, payload });
    expect(await post('application/json; charset=utf-8', JSON.stringify(patient))).toMatchObject({ status: 201 });
    expect(await post('application/fhir+xml', '<Patient xmlns="http://hl7.org/fhir"/>')).toMatchObject({ status: 201 });
    expect(await post('application/fhir+json; charset=iso-8859-1', '{}')).toMatchObject({ status: 415 });
    expect(await post('text/plain', '{}')).toMatchObject({ status: 415 });
    expect(await post('application/fhir+json', '{"resourceType":"Patient", TEST-SECRET')).toMatchObject({
      status: 400,
    });
    expect((await post('application/fhir+json', '{"resourceType":"Patient", TEST-SECRET')).text).not.toContain(
      'SECRET',
    );
    expect(await post('application/fhir+json', Buffer.from([0x22, 0xe9, 0x22]))).toMatchObject({ status: 400 });
    expect(await post('application/fhir+json', '')).toMatchObject({ status: 400 });
    expect(await post('application/fhir+json', '[]')).toMatchObject({ status: 400 });
    expect(await post('application/fhir+json', `"${'x'.repeat(5 * 1024 * 1024)}"`)).toMatchObject({
      status: 413,
      body: { resourceType: 'OperationOutcome' },
    });
  });

  it('answers an OperationOutcome for addresses and methods it does not know', async () => {
    for (const [method, url, status] of [
      ['GET', '/fhir/Unicorn/1', 404],
      ['GET', '/fhir/Patient/not_an_id', 404],
      ['GET', '/fhir/a/b/c/d/e', 404],
      ['GET', '/fhir/__proto__/1', 404],
      ['PATCH', '/fhir/metadata', 405],
      ['DELETE', '/fhir/metadata', 405],
      ['GET', '/fhir/$unknown', 404],
    ] as const) {
      expect(await server.request({ method, url }), url).toMatchObject({
        status,
        body: { resourceType: 'OperationOutcome' },
      });
    }
  });

  it('shows nothing of how it is made when something breaks', async () => {
    const broken = server.store.reads;
    server.store.reads = () => {
      throw Object.assign(new Error('relation "secret" does not exist'), { severity: 'ERROR' });
    };
    const answer = await server.request({
      method: 'GET',
      url: '/fhir/Patient/1',
      headers: { 'x-request-id': 'trace-7' },
    });
    server.store.reads = broken;
    expect(answer).toMatchObject({
      status: 500,
      body: { issue: [{ code: 'exception', diagnostics: 'internal error; quote request trace-7' }] },
    });
    expect(answer.text).not.toContain('secret');
  });
});

describe('Binary', () => {
  it('without its data is no empty file', async () => {
    const headers = { 'content-type': 'text/plain' };
    await server.request({ method: 'PUT', url: '/fhir/Binary/part', headers, payload: 'content' });
    for (const part of ['_elements=contentType', '_summary=text']) {
      const { headers: answered, body } = await server.request({ method: 'GET', url: `/fhir/Binary/part?${part}` });
      expect(answered['content-type']).toContain('application/fhir+json');
      expect(body).toMatchObject({ resourceType: 'Binary', meta: { tag: [{ code: 'SUBSETTED' }] } });
    }
    expect((await server.request({ method: 'GET', url: '/fhir/Binary/part?_summary=data' })).text).toBe('content');
  });

  it('takes a file and gives it back as it was, unable to run', async () => {
    const file = Buffer.from('<script>alert(1)</script>');
    const made = await server.request({
      method: 'POST',
      url: '/fhir/Binary',
      headers: { 'content-type': 'text/html' },
      payload: file,
    });
    expect(made).toMatchObject({ status: 201, body: { resourceType: 'Binary', contentType: 'text/html' } });
    expect(made.body).not.toHaveProperty('data');
    const url = String(made.headers.location)
      .replace(base, '/fhir')
      .replace(/\/_history.*/, '');
    const raw = await server.request({ method: 'GET', url, headers: { accept: '*/*' } });
    expect(raw).toMatchObject({
      status: 200,
      text: file.toString(),
      headers: { 'content-type': 'text/html', 'x-content-type-options': 'nosniff', etag: 'W/"1"' },
    });
    expect(raw.headers['content-security-policy']).toContain('sandbox');
    const asFhir = await server.request({ method: 'GET', url, headers: { accept: 'application/fhir+json' } });
    expect(asFhir.body).toMatchObject({
      resourceType: 'Binary',
      contentType: 'text/html',
      data: file.toString('base64'),
    });
    expect(server.audited).toHaveLength(2);
    const missing = await server.request({
      method: 'GET',
      url: '/fhir/Binary/none',
      headers: { accept: 'application/pdf' },
    });
    expect(missing).toMatchObject({ status: 404, body: { resourceType: 'OperationOutcome' } });
  });

  it('keeps every octet, and follows the access rules named with it', async () => {
    const file = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
    const put = await server.request({
      method: 'PUT',
      url: '/fhir/Binary/octets',
      headers: { 'content-type': 'application/pdf', 'x-security-context': 'Patient/p1' },
      payload: file,
    });
    expect(put.status).toBe(201);
    const response = await server.app.inject({ method: 'GET', url: '/fhir/Binary/octets' });
    expect(response.rawPayload.equals(file)).toBe(true);
    expect(response.headers['x-security-context']).toBe('Patient/p1');
  });
});
