import type {
  CapabilityStatement,
  OperationDefinition,
  OperationOutcome,
  Parameters,
  Patient,
  ResourceType,
  Task,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FhirError } from '../../../src/fhir/index.ts';
import { validateResource } from '../../../src/fhir/validation/index.ts';
import { base, type TestServer, testServer } from './server.ts';

let server: TestServer;
const task: Task = { resourceType: 'Task', id: 'case', status: 'requested', intent: 'order' };
const json = { 'content-type': 'application/fhir+json' };

beforeAll(async () => {
  server = await testServer();
  server.store.registerOperation({
    name: 'finish',
    type: 'Task',
    level: 'instance',
    affectsState: true,
    async run({ tx, id, ifMatch, parameters }) {
      const stored = await tx.read('Task', id!);
      const reason = parameters.parameter?.find(({ name }) => name === 'reason')?.valueString;
      if (!reason) throw new FhirError(422, 'business-rule', 'a reason is needed');
      return tx.update({ ...stored, status: 'completed', statusReason: { text: reason } }, ifMatch ? { ifMatch } : {});
    },
  });
  server.store.registerOperation({
    name: 'echo',
    level: 'system',
    affectsState: false,
    run: async ({ parameters, resource }) => resource ?? parameters,
  });
  await server.request({ method: 'PUT', url: '/fhir/Task/case', headers: json, payload: task });
});
afterAll(() => server.close());
beforeEach(() => {
  server.audited.length = 0;
  server.commits.length = 0;
  server.refused = () => false;
});

describe('operations', () => {
  it('runs in one transaction, named in the audit trail, and answers the new version', async () => {
    const payload: Parameters = { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: 'done' }] };
    const call = (headers = {}) =>
      server.request({ method: 'POST', url: '/fhir/Task/case/$finish', headers: { ...json, ...headers }, payload });
    expect(await call()).toMatchObject({
      status: 200,
      body: { status: 'completed', meta: { versionId: '2' } },
      headers: { etag: 'W/"2"' },
    });
    expect(server.commits).toEqual(['operation:Task/$finish update']);
    expect(server.audited).toEqual([]);
    expect(await call({ 'if-match': 'W/"1"' })).toMatchObject({ status: 412 });
  });

  it('hands on the refusal of the room that offers it', async () => {
    const answer = await server.request({
      method: 'POST',
      url: '/fhir/Task/case/$finish',
      headers: json,
      payload: { resourceType: 'Parameters' },
    });
    expect(answer).toMatchObject({ status: 422, body: { issue: [{ code: 'business-rule' }] } });
  });

  it('checks Parameters before the operation sees them', async () => {
    const payload = { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: 7 }] };
    const answer = await server.request({ method: 'POST', url: '/fhir/Task/case/$finish', headers: json, payload });
    expect(answer).toMatchObject({ status: 400, body: { issue: [{ expression: ['Parameters.parameter[0].value'] }] } });
  });

  it('is reached by GET only when it changes nothing, and then audited as a read', async () => {
    expect(await server.request({ method: 'GET', url: '/fhir/Task/case/$finish' })).toMatchObject({ status: 405 });
    expect(await server.request({ method: 'GET', url: '/fhir/$echo?a=1&a=2' })).toMatchObject({
      status: 200,
      body: {
        parameter: [
          { name: 'a', valueString: '1' },
          { name: 'a', valueString: '2' },
        ],
      },
    });
    // Parameters are nobody's record: the trail names what was asked about, not what was answered.
    expect(server.audited).toMatchObject([{ interaction: 'operation:$echo', outcome: 'success', resources: [] }]);
    expect(await server.request({ method: 'POST', url: '/fhir/$echo', headers: json, payload: task })).toMatchObject({
      body: { resourceType: 'Task' },
    });
    expect(
      await server.request({ method: 'POST', url: '/fhir/Task/$finish', headers: json, payload: {} }),
    ).toMatchObject({ status: 404 });
  });

  it('asks permission by its name', async () => {
    server.refused = ({ operation }) => operation === 'finish';
    expect(
      await server.request({ method: 'POST', url: '/fhir/Task/case/$finish', headers: json, payload: {} }),
    ).toMatchObject({ status: 403 });
    expect(server.audited).toMatchObject([
      { interaction: 'operation:Task/$finish', outcome: 'refused', target: { type: 'Task', id: 'case' } },
    ]);
  });

  it('runs inside a transaction Bundle', async () => {
    const payload = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          resource: { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: 'in a bundle' }] },
          request: { method: 'POST', url: 'Task/case/$finish' },
        },
      ],
    };
    const answer = await server.request({ method: 'POST', url: '/fhir/', headers: json, payload });
    expect(answer).toMatchObject({
      status: 200,
      body: { entry: [{ resource: { statusReason: { text: 'in a bundle' } }, response: { status: '200 OK' } }] },
    });
  });
});

describe('$validate', () => {
  const validate = (url: string, payload: object) => server.request({ method: 'POST', url, headers: json, payload });

  it('says what is wrong with a resource, and stores nothing', async () => {
    const bad = { resourceType: 'Patient', gender: 'x', colour: 'blue' };
    const { status, body } = await validate('/fhir/Patient/$validate', bad);
    expect(status).toBe(200);
    expect((body as OperationOutcome).issue.map((issue) => [issue.severity, issue.expression![0]])).toEqual([
      ['error', 'Patient.gender'],
      ['error', 'Patient.colour'],
    ]);
    expect(server.commits).toEqual([]);
  });

  it('takes the resource in Parameters, and says when all is well', async () => {
    const parameters = (resource: object) => ({
      resourceType: 'Parameters',
      parameter: [{ name: 'resource', resource }],
    });
    const fine = { issue: [{ severity: 'information' }] };
    expect(await validate('/fhir/Task/$validate', parameters(task))).toMatchObject({ status: 200, body: fine });
    expect(await validate('/fhir/Patient/$validate', parameters(task))).toMatchObject({
      body: { issue: [{ severity: 'error', code: 'invalid' }] },
    });
    expect(await validate('/fhir/Task/$validate', { resourceType: 'Parameters' })).toMatchObject({ status: 400 });
  });

  it('validates an instance as it is stored', async () => {
    expect(await server.request({ method: 'GET', url: '/fhir/Task/case/$validate' })).toMatchObject({
      status: 200,
      body: { issue: [{ severity: 'information' }] },
    });
    expect(await server.request({ method: 'GET', url: '/fhir/Task/none/$validate' })).toMatchObject({ status: 404 });
  });

  it('does not pretend to know a profile', async () => {
    const payload = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'profile', valueUri: 'http://example.org/p' },
        { name: 'resource', resource: task },
      ],
    };
    expect(await validate('/fhir/Task/$validate', payload)).toMatchObject({
      body: { issue: [{ severity: 'error', code: 'not-found' }] },
    });
  });
});

describe('/metadata', () => {
  it('tells, to anybody, what the code serves, in a valid CapabilityStatement', async () => {
    const { status, body } = await server.request({
      method: 'GET',
      url: '/fhir/metadata',
      headers: { authorization: 'Bearer nobody' },
    });
    const statement: CapabilityStatement = body;
    expect(status).toBe(200);
    expect(validateResource(statement)).toEqual([]);
    const rest = statement.rest![0]!;
    expect(statement.implementation!.url).toBe(base);
    expect(rest.resource).toHaveLength(146);
    expect(rest.interaction!.map(({ code }) => code)).toEqual([
      ...['transaction', 'batch', 'history-system', 'search-system'],
    ]);
    const taskResource = rest.resource!.find(({ type }) => type === 'Task')!;
    expect(taskResource.interaction!.map(({ code }) => code).sort()).toEqual([
      ...['create', 'delete', 'history-instance', 'history-type', 'patch', 'read', 'search-type', 'update', 'vread'],
    ]);
    expect(taskResource.searchParam!.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['_id', '_lastUpdated', 'business-status', 'owner']),
    );
    expect(taskResource.operation).toEqual(
      expect.arrayContaining([
        { name: 'finish', definition: 'https://fhir.passerelle.example/OperationDefinition/Task-finish' },
        { name: 'validate', definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate' },
      ]),
    );
    expect(rest.operation).toContainEqual({
      name: 'echo',
      definition: 'https://fhir.passerelle.example/OperationDefinition/echo',
    });
  });

  it('is open whatever the guards say, and tells what cannot be changed', async () => {
    server.refused = () => true;
    const { status, body } = await server.request({ method: 'GET', url: '/fhir/metadata' });
    expect(status).toBe(200);
    const trail = (body as CapabilityStatement).rest![0]!.resource!.find(({ type }) => type === 'AuditEvent')!;
    expect(trail).toMatchObject({ updateCreate: true, conditionalUpdate: false, conditionalDelete: 'not-supported' });
    expect(trail.interaction!.map(({ code }) => code)).not.toContain('update');
    server.refused = () => false;
    const event = {
      resourceType: 'AuditEvent',
      id: 'e',
      type: { code: 'rest' },
      recorded: '2026-01-01T00:00:00Z',
      agent: [{ requestor: true }],
      source: { observer: { display: 'x' } },
    };
    const put = () => server.request({ method: 'PUT', url: '/fhir/AuditEvent/e', headers: json, payload: event });
    expect((await put()).status).toBe(201);
    expect(await put()).toMatchObject({ status: 405, body: { resourceType: 'OperationOutcome' } });
  });

  it('names the search parameters and includes that the store answers', async () => {
    const statement: CapabilityStatement = (await server.request({ method: 'GET', url: '/fhir/metadata' })).body;
    for (const { type, searchParam, searchInclude } of statement.rest![0]!.resource!) {
      const served = server.store.searchParameters(type as ResourceType);
      expect([...searchParam!].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(served);
      const references = served.filter((parameter) => parameter.type === 'reference');
      expect(searchInclude).toEqual(['*', ...references.map(({ name }) => `${type}:${name}`)]);
    }
  });

  it('serves the definition of every operation it names', async () => {
    const read = await server.request({ method: 'GET', url: '/fhir/OperationDefinition/Task-finish' });
    expect(read).toMatchObject({
      status: 200,
      body: { code: 'finish', resource: ['Task'], instance: true, system: false, affectsState: true },
    });
    expect(validateResource(read.body as OperationDefinition)).toEqual([]);
    const url = encodeURIComponent('https://fhir.passerelle.example/OperationDefinition/echo');
    const search = await server.request({ method: 'GET', url: `/fhir/OperationDefinition?url=${url}` });
    expect(search).toMatchObject({
      body: { entry: [{ fullUrl: `${base}/OperationDefinition/echo`, resource: { code: 'echo' } }] },
    });
    expect(await server.request({ method: 'GET', url: '/fhir/OperationDefinition?status=draft' })).toMatchObject({
      body: { type: 'searchset' },
    });
  });

  it('lets a stored resource be served beside them', async () => {
    const stored = {
      resourceType: 'CodeSystem',
      id: 'mine',
      status: 'draft',
      content: 'complete',
      url: 'http://example.org/cs',
    };
    await server.request({ method: 'PUT', url: '/fhir/CodeSystem/mine', headers: json, payload: stored });
    const found: Patient = (await server.request({ method: 'GET', url: '/fhir/CodeSystem/mine' })).body;
    expect(found.id).toBe('mine');
  });
});
