import type { Bundle, BundleEntry, Observation, OperationOutcome, Patient } from '@medplum/fhirtypes';
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

const urn = (digit: number) => `urn:uuid:00000000-0000-4000-8000-00000000000${digit}`;

function patientOf(value: string): Patient {
  return { resourceType: 'Patient', identifier: [{ system: 'urn:oid:1.2.3', value }] };
}

function observationOf(subject: string, text = 'x'): Observation {
  return { resourceType: 'Observation', status: 'final', code: { text }, subject: { reference: subject } };
}

async function send(
  type: 'batch' | 'transaction',
  entry: unknown[],
  headers = {},
): Promise<{ status: number; body: Pick<Bundle, 'type' | 'entry'> & Pick<OperationOutcome, 'issue'>; text: string }> {
  return server.request({
    method: 'POST',
    url: '/fhir',
    headers: { 'content-type': 'application/fhir+json', ...headers },
    payload: { resourceType: 'Bundle', type, entry },
  });
}

function post(resource: Patient | Observation, fullUrl?: string, ifNoneExist?: string): BundleEntry {
  return {
    ...(fullUrl ? { fullUrl } : {}),
    resource,
    request: { method: 'POST', url: resource.resourceType, ...(ifNoneExist ? { ifNoneExist } : {}) },
  };
}

function referenceIn(response: BundleEntry): string {
  return response.response!.location!.replace(`${base}/`, '').replace(/\/_history.*/, '');
}

async function count(query: string): Promise<number> {
  return ((await server.request({ method: 'GET', url: `/fhir/${query}` })).body as Bundle).entry?.length ?? 0;
}

describe('transaction', () => {
  it('links what it creates, wherever the link is, and leaves what only looks like one', async () => {
    const observation: Observation = {
      ...observationOf(urn(1)),
      identifier: [{ system: 'urn:ietf:rfc:3986', value: urn(1) }],
      contained: [{ resourceType: 'Patient', id: 'c', link: [{ other: { reference: urn(1) }, type: 'seealso' }] }],
      focus: [{ reference: '#c' }],
      extension: [
        { url: 'http://example.org/a', valueUri: urn(1) },
        { url: 'http://example.org/b', valueReference: { reference: urn(1) } },
      ],
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${urn(1)}">p</a></div>` },
    };
    const { status, body } = await send('transaction', [post(observation, urn(2)), post(patientOf('linked'), urn(1))]);
    expect(status).toBe(200);
    expect(body.entry!.map((entry) => entry.response!.status)).toEqual(['201 Created', '201 Created']);
    const patient = referenceIn(body.entry![1]!);
    const stored: Observation = (await server.request({ method: 'GET', url: `/fhir/${referenceIn(body.entry![0]!)}` }))
      .body;
    expect(stored).toMatchObject({
      subject: { reference: patient },
      identifier: [{ value: urn(1) }],
      contained: [{ link: [{ other: { reference: patient } }] }],
      extension: [{ valueUri: patient }, { valueReference: { reference: patient } }],
      text: { div: expect.stringContaining(`href="${patient}"`) },
    });
    expect(server.commits).toEqual(['transaction create,create']);
  });

  it('runs in the order of the specification and answers in the order of the Bundle', async () => {
    await send('transaction', [
      { resource: { ...patientOf('order'), id: 'order-old' }, request: { method: 'PUT', url: 'Patient/order-old' } },
    ]);
    server.commits.length = 0;
    const { body } = await send('transaction', [
      { request: { method: 'GET', url: 'Patient?identifier=urn:oid:1.2.3|order' } },
      { resource: { ...patientOf('order'), id: 'order-new' }, request: { method: 'PUT', url: 'Patient/order-new' } },
      post(patientOf('order')),
      { request: { method: 'DELETE', url: 'Patient/order-old' } },
    ]);
    expect(server.commits).toEqual(['transaction delete,create,create']);
    expect(body.entry!.map((entry) => entry.response!.status)).toEqual([
      '200 OK',
      '201 Created',
      '201 Created',
      '204 No Content',
    ]);
    expect((body.entry![0]!.resource as Bundle).entry).toHaveLength(2);
    expect(server.audited).toMatchObject([{ interaction: 'search-type', outcome: 'success', resources: [{}, {}] }]);
  });

  it('keeps nothing when one entry fails, and names the element in the Bundle', async () => {
    const bad = { ...observationOf('Patient/x'), status: 'unheard-of' };
    const { status, body } = await send('transaction', [post(patientOf('atomic')), post(bad as Observation)]);
    expect(status).toBe(400);
    expect(body.issue).toMatchObject([{ code: 'code-invalid', expression: ['Bundle.entry[1].resource.status'] }]);
    expect(await count('Patient?identifier=urn:oid:1.2.3|atomic')).toBe(0);
    expect(server.commits).toEqual([]);
  });

  it('asks permission for each entry before it writes any', async () => {
    server.refused = ({ interaction, type }) => interaction === 'delete' && type === 'Patient';
    const { status, body } = await send('transaction', [
      post(patientOf('guarded')),
      { request: { method: 'DELETE', url: 'Patient/x' } },
    ]);
    expect(status).toBe(403);
    expect(body.issue[0]!.expression![0]).toMatch(/^Bundle\.entry\[1\]/);
    expect(await count('Patient?identifier=urn:oid:1.2.3|guarded')).toBe(0);
    expect(server.audited[0]).toMatchObject({ interaction: 'transaction', outcome: 'refused' });
  });

  it('resolves references by search, and fails when they match none or several', async () => {
    await send('transaction', [post(patientOf('one')), post(patientOf('two')), post(patientOf('two'))]);
    const to = (value: string) =>
      send('transaction', [post(observationOf(`Patient?identifier=urn:oid:1.2.3|${value}`, value))]);
    const { status, body } = await to('one');
    expect(status).toBe(200);
    const stored: Observation = (await server.request({ method: 'GET', url: `/fhir/${referenceIn(body.entry![0]!)}` }))
      .body;
    expect(stored.subject!.reference).toMatch(/^Patient\/[0-9a-f-]{36}$/);
    expect(await to('none')).toMatchObject({ status: 412, body: { issue: [{ code: 'not-found' }] } });
    expect(await to('two')).toMatchObject({ status: 412, body: { issue: [{ code: 'multiple-matches' }] } });
  });

  it('creates conditionally, referring to what is there already', async () => {
    const criteria = 'identifier=urn:oid:1.2.3|known';
    const bundle = () => [
      post(patientOf('known'), urn(1), criteria),
      post(patientOf('known'), urn(3), criteria),
      post(observationOf(urn(3)), urn(2)),
    ];
    const first = (await send('transaction', bundle())).body;
    const second = (await send('transaction', bundle())).body;
    expect(first.entry!.map((entry) => entry.response!.status)).toEqual(['201 Created', '200 OK', '201 Created']);
    expect(second.entry!.map((entry) => entry.response!.status)).toEqual(['200 OK', '200 OK', '201 Created']);
    expect(await count(`Patient?${criteria}`)).toBe(1);
    expect(await count(`Observation?subject=${referenceIn(first.entry![0]!)}`)).toBe(2);
  });

  it('makes one resource of one condition however many transactions ask at once', async () => {
    const criteria = 'identifier=urn:oid:1.2.3|race';
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        send('transaction', [post(patientOf('race'), urn(1), criteria), post(observationOf(urn(1), 'race'))]),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await count(`Patient?${criteria}`)).toBe(1);
    expect(await count('Observation?subject.identifier=urn:oid:1.2.3|race')).toBe(8);
  });

  it('survives others that write the same resources in another order', async () => {
    const put = (id: string) => ({
      resource: { ...patientOf(id), id },
      request: { method: 'PUT', url: `Patient/${id}` },
    });
    const [a, b] = [put('deadlock-a'), put('deadlock-b')];
    await send('transaction', [a, b]);
    const answers = await Promise.all([a, b, a, b].map((first) => send('transaction', first === a ? [a, b] : [b, a])));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { body } = await server.request({ method: 'GET', url: '/fhir/Patient/deadlock-a/_history' });
    expect((body as Bundle).total).toBe(5);
  });

  it('refuses two entries about one resource, nested Bundles and what is no entry', async () => {
    const put = { resource: { ...patientOf('twice'), id: 'twice' }, request: { method: 'PUT', url: 'Patient/twice' } };
    expect(await send('transaction', [put, put])).toMatchObject({
      status: 400,
      body: { issue: [{ code: 'duplicate' }] },
    });
    expect(
      await send('transaction', [
        { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: '' } },
      ]),
    ).toMatchObject({ status: 405 });
    expect(await send('transaction', [{}])).toMatchObject({
      status: 400,
      body: { issue: [{ expression: ['Bundle.entry[0].request'] }] },
    });
    expect(await send('transaction', ['text', null])).toMatchObject({ status: 400 });
    expect(await send('history' as never, [])).toMatchObject({
      status: 400,
      body: { issue: [{ expression: ['Bundle.type'] }] },
    });
    expect(await send('transaction', [])).toMatchObject({ status: 200, body: { type: 'transaction-response' } });
  });

  it('lets others be heard while it creates much', async () => {
    let turns = 0;
    let isOver = false;
    const turned = () => {
      turns++;
      if (!isOver) setImmediate(turned);
    };
    const turnsAtWrite: number[] = [];
    server.store.beforeWrite((resource) => {
      if (resource.resourceType === 'Basic') {
        turnsAtWrite.push(turns);
        const begun = performance.now();
        while (performance.now() - begun < 1);
      }
      return resource;
    });
    const basic = { resourceType: 'Basic', code: { text: 'one of many' } };
    const request = { method: 'POST', url: 'Basic' };
    setImmediate(turned);
    const { status } = await send(
      'transaction',
      Array.from({ length: 60 }, () => ({ resource: basic, request })),
    );
    isOver = true;
    expect(status).toBe(200);
    expect(turnsAtWrite).toHaveLength(60);
    expect(turnsAtWrite.at(-1)! - turnsAtWrite[0]!).toBeGreaterThan(5);
  });

  it('shows what it wrote when asked to', async () => {
    const { body } = await send('transaction', [post(patientOf('shown'))], { prefer: 'return=representation' });
    expect(body.entry![0]).toMatchObject({
      resource: { identifier: [{ value: 'shown' }], meta: { versionId: '1' } },
      response: { etag: 'W/"1"' },
    });
  });
});

describe('batch', () => {
  it('answers each entry on its own, in order', async () => {
    const { status, body } = await send('batch', [
      post(patientOf('batch')),
      { request: { method: 'GET', url: 'Patient/none' } },
      post({ resourceType: 'Patient', gender: 'unheard-of' } as never),
      { request: { method: 'GET', url: '/Patient?identifier=urn:oid:1.2.3|batch' } },
      { request: { method: 'TRACE', url: 'Patient' } },
      { request: { method: 'GET', url: 'metadata' } },
    ]);
    expect(status).toBe(200);
    expect(body.type).toBe('batch-response');
    expect(body.entry!.map((entry) => entry.response!.status.slice(0, 3))).toEqual([
      '201',
      '404',
      '400',
      '200',
      '405',
      '200',
    ]);
    expect((body.entry![2]!.response!.outcome as OperationOutcome).issue[0]!.expression).toEqual([
      'Bundle.entry[2].resource.gender',
    ]);
    expect((body.entry![3]!.resource as Bundle).entry).toHaveLength(1);
    expect(server.commits).toEqual(['create create']);
    expect(server.audited.map(({ interaction, outcome }) => `${interaction} ${outcome}`)).toEqual([
      'read failed',
      'search-type success',
    ]);
  });

  it('refuses the entries the caller may not run, and runs the others', async () => {
    server.refused = ({ interaction }) => interaction === 'search-type';
    const { body } = await send('batch', [{ request: { method: 'GET', url: 'Patient' } }, post(patientOf('allowed'))]);
    expect(body.entry!.map((entry) => entry.response!.status)).toEqual(['403 Forbidden', '201 Created']);
    expect(server.audited).toMatchObject([
      { interaction: 'search-type', outcome: 'refused', target: { type: 'Patient' } },
    ]);
  });

  it('honours the conditions of each entry', async () => {
    await send('batch', [
      { resource: { ...patientOf('c'), id: 'cond' }, request: { method: 'PUT', url: 'Patient/cond' } },
    ]);
    const { body } = await send('batch', [
      {
        resource: { ...patientOf('c'), id: 'cond' },
        request: { method: 'PUT', url: 'Patient/cond', ifMatch: 'W/"9"' },
      },
      { request: { method: 'GET', url: 'Patient/cond', ifNoneMatch: 'W/"1"' } },
      { request: { method: 'GET', url: `${base}/Patient/cond/_history/1` } },
    ]);
    expect(body.entry!.map((entry) => entry.response!.status.slice(0, 3))).toEqual(['412', '304', '200']);
  });
});
