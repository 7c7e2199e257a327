import type { Bundle, BundleEntry, OperationOutcome } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFhirStore, FhirError } from '../../../src/fhir/index.ts';
import { contextOf } from '../store/context.ts';
import { base, type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const patient = (value: string, rest: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:x', value }],
  ...rest,
});
const put = (url: string, resource: object) => ({ resource, request: { method: 'PUT', url } });
const post = (resource: { resourceType: string }, rest: object = {}) => ({
  resource,
  ...rest,
  request: { method: 'POST', url: resource.resourceType },
});
const remove = (url: string) => ({ request: { method: 'DELETE', url } });
const byIdentifier = (value: string) => `Patient?identifier=urn:x|${value}`;

async function send(
  entry: object[],
  headers = {},
): Promise<{ status: number; entries: BundleEntry[]; issue: OperationOutcome['issue'] }> {
  const { status, body } = await server.request({
    method: 'POST',
    url: '/fhir',
    headers: { 'content-type': 'application/fhir+json', ...headers },
    payload: { resourceType: 'Bundle', type: 'transaction', entry },
  });
  return { status, entries: (body as Bundle).entry ?? [], issue: (body as OperationOutcome).issue ?? [] };
}

const read = async (path: string) => (await server.request({ method: 'GET', url: `/fhir/${path}` })).body as never;

describe('a resource changed by two entries', () => {
  it.each([
    [
      'by its id and by criteria',
      [put('Patient/two', patient('two', { id: 'two' })), put(byIdentifier('two'), patient('two'))],
    ],
    ['by two criteria', [put(byIdentifier('two'), patient('two')), put('Patient?_id=two', patient('two'))]],
    ['by a deletion and criteria', [remove('Patient/two'), remove(byIdentifier('two'))]],
    ['by a deletion and an update', [remove(byIdentifier('two')), put('Patient/two', patient('two', { id: 'two' }))]],
    [
      'by an update and a patch',
      [
        put('Patient/two', patient('two', { id: 'two' })),
        { resource: { resourceType: 'Parameters' }, request: { method: 'PATCH', url: 'Patient/two' } },
      ],
    ],
    ['that both would create it', [put(byIdentifier('new'), patient('new')), put(byIdentifier('new'), patient('new'))]],
  ])('%s fails the transaction, and nothing is dropped', async (_name, entries) => {
    await send([put('Patient/two', patient('two', { id: 'two' }))]);
    const before = await read('Patient/two');
    const { status, issue } = await send([...entries, post(patient('bystander'))]);
    expect(status).toBe(400);
    expect(issue[0]).toMatchObject({ code: 'duplicate', expression: ['Bundle.entry[1]'] });
    expect(await read('Patient/two')).toEqual(before);
    expect(await read('Patient?identifier=urn:x%7Cbystander&_summary=count')).toMatchObject({ total: 0 });
  });
});

describe('references between entries', () => {
  it('by relative and absolute full URLs are read against the entry they are in', async () => {
    const observation = (subject: string, fullUrl: string) => ({
      ...post({
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        subject: { reference: subject },
      } as never),
      fullUrl,
    });
    const { entries } = await send([
      { ...post(patient('at-a')), fullUrl: 'http://a.example/fhir/Patient/1' },
      { ...post(patient('at-b')), fullUrl: 'http://b.example/fhir/Patient/1' },
      observation('Patient/1', 'http://a.example/fhir/Observation/1'),
      observation('Patient/1', 'http://b.example/fhir/Observation/1'),
      observation('http://b.example/fhir/Patient/1', 'urn:uuid:00000000-0000-4000-8000-000000000001'),
      observation('Patient/1', 'urn:uuid:00000000-0000-4000-8000-000000000002'),
    ]);
    const [a, b, ...observations] = entries.map(({ response }) =>
      response!.location!.slice(base.length + 1).replace(/\/_history.*/, ''),
    );
    const subjects = await Promise.all(
      observations.map(async (path) => ((await read(path)) as { subject: { reference: string } }).subject.reference),
    );
    // What has no address of its own means the server's Patient/1.
    expect(subjects).toEqual([a, b, b, 'Patient/1']);
  });

  it('are refused when two entries have one full URL', async () => {
    const fullUrl = 'urn:uuid:00000000-0000-4000-8000-000000000003';
    const linked = patient('linked', { link: [{ other: { reference: fullUrl }, type: 'seealso' }] });
    const { status, issue } = await send([
      post(patient('x'), { fullUrl }),
      post(patient('y'), { fullUrl }),
      post(linked),
    ]);
    expect(status).toBe(400);
    expect(issue[0]!.expression).toEqual(['Bundle.entry[1].fullUrl']);
  });

  it('by search name the element when they match nothing or several', async () => {
    await send([post(patient('several')), post(patient('several'))]);
    for (const value of ['nobody', 'several']) {
      const subject = { reference: byIdentifier(value) };
      const { status, issue } = await send([
        post({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject } as never),
      ]);
      expect(status).toBe(412);
      expect(issue[0]!.expression).toEqual(['Bundle.entry[0].resource.subject.reference']);
    }
  });

  it('to what does not exist name the entry, where existence is checked', async () => {
    const checking = await createFhirStore({ database: server.database, checkReferences: true });
    const work = checking.transaction(contextOf('aa'), (tx) =>
      tx.create({
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        contained: [{ resourceType: 'Patient', id: 'p' }],
        focus: [{ reference: '#p' }, { reference: 'Patient/nowhere' }],
      }),
    );
    const error = await work.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FhirError);
    expect((error as FhirError).outcome.issue).toMatchObject([
      { code: 'not-found', expression: ['Observation.focus[1].reference'] },
    ]);
  });
});

describe('a deletion comes first', () => {
  it('so that a condition in the same transaction does not find what goes', async () => {
    await send([put('Patient/goes', patient('goes', { id: 'goes' }))]);
    const create = post(patient('goes'));
    const { status, entries } = await send([
      { ...create, request: { ...create.request, ifNoneExist: 'identifier=urn:x|goes' } },
      remove(byIdentifier('goes')),
    ]);
    expect(status).toBe(200);
    expect(entries.map(({ response }) => response!.status)).toEqual(['201 Created', '204 No Content']);
  });
});

describe('what fails', () => {
  it('is named by its entry, in the request or in the resource', async () => {
    await send([put('Patient/version', patient('version', { id: 'version' }))]);
    const entry = put('Patient/version', patient('version', { id: 'version' }));
    const stale = { ...entry, request: { ...entry.request, ifMatch: 'W/"9"' } };
    expect(await send([post(patient('x')), stale])).toMatchObject({
      status: 412,
      issue: [{ expression: ['Bundle.entry[1]'] }],
    });
    const wrong = { ...entry, request: { ...entry.request, ifMatch: '?' } };
    expect(await send([wrong])).toMatchObject({
      status: 400,
      issue: [{ expression: ['Bundle.entry[0].request.ifMatch'] }],
    });
    expect(await send([remove('Patient')])).toMatchObject({
      status: 412,
      issue: [{ expression: ['Bundle.entry[0]'] }],
    });
    const create = post(patient('y'));
    expect(await send([{ ...create, request: { ...create.request, ifNoneExist: 'name:wrong.way=x' } }])).toMatchObject({
      status: 400,
      issue: [{ expression: ['Bundle.entry[0].request.ifNoneExist'] }],
    });
    const managed = patient('z', { managingOrganization: { reference: 'Organization?colour=red' } });
    expect(await send([post(managed)])).toMatchObject({
      status: 400,
      issue: [{ expression: ['Bundle.entry[0].resource.managingOrganization.reference'] }],
    });
  });
});

describe('answers', () => {
  it('tell outcomes when they are preferred, and heads without bodies', async () => {
    await send([put('Patient/head', patient('head', { id: 'head' }))]);
    const { entries } = await send([post(patient('told')), { request: { method: 'HEAD', url: 'Patient/head' } }], {
      prefer: 'return=OperationOutcome',
    });
    expect(entries[0]).toMatchObject({
      response: { status: '201 Created', outcome: { resourceType: 'OperationOutcome' } },
    });
    expect(entries[1]).toMatchObject({ response: { status: '200 OK', etag: 'W/"1"' } });
    expect(entries[1]).not.toHaveProperty('resource');
  });
});
