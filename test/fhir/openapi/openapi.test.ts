import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceTypesOf } from '../../../src/fhir/definitions/structure-file.ts';
import { r4Structure } from '../../../src/fhir/definitions/structure-r4.ts';
import { type TestServer, testServer } from '../rest/server.ts';

interface Operation {
  operationId: string;
  parameters: ({ $ref: string } | { name: string; in: string })[];
  requestBody?: { content: Record<string, object> };
  responses: Record<string, object>;
  security?: [];
}
interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; parameters: Record<string, { name: string; in: string }> };
}

let server: TestServer;
let document: Document;
beforeAll(async () => {
  server = await testServer();
  server.store.registerOperation({
    name: 'sign',
    type: 'Task',
    level: 'instance',
    affectsState: true,
    run: async () => ({ status: 204 }),
  });
  server.store.registerOperation({
    name: 'everywhere',
    level: 'type',
    affectsState: false,
    run: async () => ({ status: 204 }),
  });
  const answer = await server.request({
    method: 'GET',
    url: '/fhir/openapi.json',
    headers: { authorization: 'Bearer nobody' },
  });
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } });
  document = answer.body;
});
afterAll(() => server.close());

function operations(): [method: string, path: string, operation: Operation][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, string, Operation] => [method, path, operation]),
  );
}

describe('the OpenAPI document', () => {
  it('is open to anybody, for the address the server is reached by, compressed when wanted', async () => {
    expect(document).toMatchObject({ openapi: '3.1.0', servers: [{ url: 'http://hospital.example/fhir' }] });
    const compressed = await server.app.inject({
      method: 'GET',
      url: '/fhir/openapi.json',
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(JSON.parse(gunzipSync(compressed.rawPayload).toString())).toEqual(document);
    // It is kept in gzip: whoever takes brotli only reads it plain.
    const other = { method: 'GET', url: '/fhir/openapi.json', headers: { 'accept-encoding': 'br, gzip;q=0' } } as const;
    expect((await server.app.inject(other)).json()).toEqual(document);
    // One document for all: an address that names a tenant could name any.
    const tenant = await server.request({ method: 'GET', url: '/t/aa/fhir/openapi.json' });
    expect(tenant.status).toBe(404);
  });

  it('has the interactions of every type, with its search parameters and its body', () => {
    for (const type of resourceTypesOf(r4Structure)) {
      expect(Object.keys(document.paths[`/${type}`]!), type).toEqual(expect.arrayContaining(['get', 'post']));
      expect(document.paths[`/${type}/{id}`]!.get!.operationId).toBe(`read-${type}`);
    }
    const { get, post } = document.paths['/Patient']!;
    expect(get!.parameters).toContainEqual(expect.objectContaining({ name: 'birthdate', in: 'query' }));
    expect(get!.parameters).toContainEqual({ $ref: '#/components/parameters/_include' });
    expect(post!.requestBody!.content).toMatchObject({
      'application/fhir+json': { schema: { $ref: '#/components/schemas/Patient' } },
      'application/fhir+xml': {},
    });
    expect(document.paths['/AuditEvent/{id}']).not.toHaveProperty('put');
    expect(document.paths['/metadata']!.get!.security).toEqual([]);
    expect(document.paths['/']).toMatchObject({ post: { operationId: 'batch-or-transaction' } });
  });

  it('has the operations where they are offered', () => {
    expect(Object.keys(document.paths['/Task/{id}/$sign']!)).toEqual(['post']);
    expect(document.paths).not.toHaveProperty(['/Patient/{id}/$sign']);
    expect(Object.keys(document.paths['/Basic/$everywhere']!)).toEqual(['post', 'get']);
    expect(document.paths).toHaveProperty(['/Patient/$validate']);
  });

  it('describes types so that valid resources pass', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'https://api.example/openapi.json', components: document.components });
    const check = ajv.compile({ $ref: 'https://api.example/openapi.json#/components/schemas/Patient' });
    const patient = { resourceType: 'Patient', name: [{ given: ['a'] }], deceasedBoolean: false, birthDate: '1980' };
    expect(check(patient)).toBe(true);
    expect(check({ ...patient, resourceType: 'Person' })).toBe(false);
    expect(check({ ...patient, name: { given: ['a'] } })).toBe(false);
    expect(check({ ...patient, deceasedBoolean: 'no' })).toBe(false);
  });

  it('names each operation once, and declares the parameters of each path', () => {
    const ids = operations().map(([, , { operationId }]) => operationId);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const undeclared = operations().filter(([, path, { parameters }]) => {
      const declared = parameters
        .map((parameter) =>
          '$ref' in parameter ? document.components.parameters[parameter.$ref.split('/').at(-1)!]! : parameter,
        )
        .flatMap((parameter) => (parameter.in === 'path' ? [parameter.name] : []));
      const used = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      return JSON.stringify(declared) !== JSON.stringify(used);
    });
    expect(undeclared.map(([method, path]) => `${method} ${path}`)).toEqual([]);
  });

  it('has no reference that leads nowhere', () => {
    const references = new Set(
      [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map(([, pointer]) => pointer!),
    );
    const missing = [...references].filter((pointer) => {
      const found = pointer
        .slice(1)
        .split('/')
        .reduce<unknown>((value, step) => (value as Record<string, unknown>)?.[step], document);
      return found === undefined;
    });
    expect(missing).toEqual([]);
    expect(references.size).toBeGreaterThan(500);
  });
});
