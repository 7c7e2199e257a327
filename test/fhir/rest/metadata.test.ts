import type { CapabilityStatement, CapabilityStatementRestResource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateResource } from '../../../src/fhir/validation/index.ts';
import { type TestServer, testServer } from './server.ts';

let server: TestServer;
let statement: CapabilityStatement;
let resources: CapabilityStatementRestResource[];
beforeAll(async () => {
  server = await testServer();
  statement = (await server.request({ method: 'GET', url: '/fhir/metadata' })).body;
  resources = statement.rest![0]!.resource!;
});
afterAll(() => server.close());

const json = { 'content-type': 'application/fhir+json' };
const get = async (path: string, headers = {}) => server.request({ method: 'GET', url: `/fhir/${path}`, headers });

/** A value that a parameter of this type can be searched by. */
const searched: Record<string, string> = {
  number: '1',
  date: '2026',
  string: 'x',
  token: 'x',
  reference: 'Patient/x',
  quantity: '1',
  uri: 'urn:x',
  composite: 'x$x',
  special: '',
};

describe('the CapabilityStatement', () => {
  it('is valid', () => expect(validateResource(statement)).toEqual([]));

  it('names search parameters that can be searched by', async () => {
    for (const { type, searchParam } of resources) {
      const simple = searchParam!.filter(({ type: kind }) => kind !== 'composite' && kind !== 'special');
      const query = simple.map(({ name, type: kind }) => `${name}=${searched[kind!]}`).join('&');
      const { status, text } = await get(`${type}?${query}`);
      expect(status, `${type} ${text.slice(0, 300)}`).toBe(200);
    }
  });

  it('names the profiles that writes are held to, which can be read where they are ours', async () => {
    const profiles = (of: string) => resources.find(({ type }) => type === of)!.supportedProfile ?? [];
    expect(profiles('Patient')).toEqual([
      'https://fhir.passerelle.example/StructureDefinition/patient-ins',
      'http://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient',
    ]);
    expect(profiles('Flag')).toEqual([]);
    for (const { type, supportedProfile = [] } of resources)
      for (const url of supportedProfile.filter((each) => each.startsWith('https://fhir.passerelle.example/'))) {
        const { body } = await get(`StructureDefinition?url=${url}`);
        expect(body).toMatchObject({ entry: [{ resource: { url, type } }] });
      }
  });

  it('names includes both ways that can be asked for', async () => {
    for (const { type, searchInclude = [], searchRevInclude = [] } of resources) {
      expect(searchInclude).toContain('*');
      const query = [
        ...searchInclude.slice(0, 40).map((value) => `_include=${value}`),
        ...searchRevInclude.slice(0, 40).map((value) => `_revinclude=${value}`),
      ];
      const { status, text } = await get(`${type}?_id=none&${query.join('&')}`);
      expect(status, `${type} ${text.slice(0, 300)}`).toBe(200);
    }
    const patient = resources.find(({ type }) => type === 'Patient')!;
    expect(patient.searchRevInclude).toContain('Task:patient');
  });

  it('claims interactions that are there, and no others of R4', async () => {
    const asked: Record<string, (type: ResourceType) => Promise<{ status: number }>> = {
      read: (type) => get(`${type}/none`),
      vread: (type) => get(`${type}/none/_history/1`),
      'history-instance': (type) => get(`${type}/none/_history`),
      'history-type': (type) => get(`${type}/_history?_count=1`),
      'search-type': (type) => get(`${type}?_id=none`),
      create: (type) => server.request({ method: 'POST', url: `/fhir/${type}`, headers: json, payload: '{}' }),
      update: (type) => server.request({ method: 'PUT', url: `/fhir/${type}/none`, headers: json, payload: '{}' }),
      patch: (type) => server.request({ method: 'PATCH', url: `/fhir/${type}/none`, headers: json, payload: '[]' }),
      delete: (type) => server.request({ method: 'DELETE', url: `/fhir/${type}/none` }),
    };
    for (const { type, interaction } of resources) {
      const claimed = new Set(interaction!.map(({ code }) => code as string));
      for (const [code, ask] of Object.entries(asked))
        expect((await ask(type as ResourceType)).status !== 405, `${code} of ${type}`).toBe(
          claimed.has(code) || (type === 'AuditEvent' && code === 'update'),
        );
    }
    const whole = statement.rest![0]!.interaction!.map(({ code }) => code);
    expect(whole).toEqual(['transaction', 'batch', 'history-system', 'search-system']);
    expect((await get('?_type=Patient,Task')).status).toBe(200);
    expect((await get('_history?_count=1')).status).toBe(200);
  });

  it('claims the conditional interactions that are there', async () => {
    const [type, criteria] = ['Basic', 'identifier=urn:x|conditional'];
    const claims = resources.find((resource) => resource.type === type)!;
    const payload = {
      resourceType: 'Basic',
      identifier: [{ system: 'urn:x', value: 'conditional' }],
      code: { text: 'x' },
    };
    expect(claims).toMatchObject({
      conditionalCreate: true,
      conditionalUpdate: true,
      conditionalDelete: 'single',
      conditionalRead: 'full-support',
      updateCreate: true,
      versioning: 'versioned',
    });
    const headers = { ...json, 'if-none-exist': criteria };
    const create = () => server.request({ method: 'POST', url: `/fhir/${type}`, headers, payload });
    expect([(await create()).status, (await create()).status]).toEqual([201, 200]);
    const update = { method: 'PUT', url: `/fhir/${type}?${criteria}`, headers: json, payload } as const;
    expect((await server.request(update)).status).toBe(200);
    // Single: several matches are refused, none is deleted.
    await server.request({ method: 'POST', url: `/fhir/${type}`, headers: json, payload });
    const remove = () => server.request({ method: 'DELETE', url: `/fhir/${type}?${criteria}` });
    expect((await remove()).status).toBe(412);
    expect((await get(`${type}?${criteria}&_summary=count`)).body).toMatchObject({ total: 2 });
  });

  it('names compartments, formats and patch formats that are understood', async () => {
    const compartments = statement.rest![0]!.compartment!.map((url) => url.split('/').at(-1)!);
    expect(compartments.sort()).toEqual(['device', 'encounter', 'patient', 'practitioner', 'relatedperson']);
    for (const type of ['Device', 'Encounter', 'Patient', 'Practitioner', 'RelatedPerson'])
      expect((await get(`${type}/none/*`)).status, type).toBe(200);
    for (const format of statement.format!)
      expect((await get(`Patient?_format=${encodeURIComponent(format)}`)).status, format).toBe(200);
    const patient = { resourceType: 'Patient', id: 'patched' };
    await server.request({ method: 'PUT', url: '/fhir/Patient/patched', headers: json, payload: patient });
    const parts =
      '<part><name value="type"/><valueCode value="delete"/></part><part><name value="path"/><valueString value="Patient.gender"/></part>';
    const bodies: Record<string, string> = {
      'application/json-patch+json': '[{"op":"add","path":"/gender","value":"female"}]',
      'application/fhir+json': JSON.stringify({
        resourceType: 'Parameters',
        parameter: [
          {
            name: 'operation',
            part: [
              { name: 'type', valueCode: 'replace' },
              { name: 'path', valueString: 'Patient.gender' },
              { name: 'value', valueCode: 'male' },
            ],
          },
        ],
      }),
      'application/fhir+xml': `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>${parts}</parameter></Parameters>`,
    };
    expect(statement.patchFormat).toEqual(Object.keys(bodies));
    for (const [type, payload] of Object.entries(bodies)) {
      const { status, text } = await server.request({
        method: 'PATCH',
        url: '/fhir/Patient/patched',
        headers: { 'content-type': type },
        payload,
      });
      expect(status, `${type} ${text}`).toBe(200);
    }
    expect((await get('Patient/patched')).body).not.toHaveProperty('gender');
  });

  it('names operations that are found at one of their addresses', async () => {
    for (const { type, operation = [] } of resources.slice(0, 10)) {
      for (const { name } of operation) {
        const answers = await Promise.all(
          [`${type}/none/$${name}`, `${type}/$${name}`].map((path) =>
            server.request({ method: 'POST', url: `/fhir/${path}`, headers: json, payload: '{}' }),
          ),
        );
        const known = answers.filter(({ text }) => !text.includes('is not an operation of this address'));
        expect(known.length, `${type}/$${name}`).toBeGreaterThan(0);
      }
    }
  });
});
