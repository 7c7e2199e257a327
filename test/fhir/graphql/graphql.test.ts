import type { AddressInfo } from 'node:net';
import { MedplumClient } from '@medplum/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { registerGraphql } from '../../../src/fhir/graphql/index.ts';
import { type TestServer, testServer } from '../rest/server.ts';

let server: TestServer;
const json = { 'content-type': 'application/json' };
const resources = [
  {
    resourceType: 'Patient',
    id: 'p',
    birthDate: '1980-01-02',
    _birthDate: { extension: [{ url: 'http://example.org/source', valueString: 'card' }] },
    contained: [{ resourceType: 'Organization', id: 'c', name: 'Contained' }],
    name: [
      { use: 'official', family: 'MOREAU', given: ['CAMILLE', 'ANNE'] },
      { use: 'usual', family: 'DURAND', given: ['CAM'] },
      { use: 'old', family: 'PETIT' },
    ],
    managingOrganization: { reference: '#c' },
    generalPractitioner: [{ reference: 'Practitioner/dr' }, { reference: 'Practitioner/gone' }],
  },
  { resourceType: 'Patient', id: 'q', name: [{ family: 'LEROY' }] },
  { resourceType: 'Practitioner', id: 'dr', name: [{ family: 'HOUSE' }] },
  ...Array.from({ length: 5 }, (_, n) => ({
    resourceType: 'Condition',
    id: `c${n}`,
    subject: { reference: 'Patient/p' },
    code: { text: `condition ${n}` },
    recordedDate: `2026-01-0${n + 1}`,
  })),
];

beforeAll(async () => {
  server = await testServer();
  registerGraphql(server.store);
  for (const payload of resources) {
    const url = `/fhir/${payload.resourceType}/${payload.id}`;
    const headers = { 'content-type': 'application/fhir+json' };
    const { status, text } = await server.request({ method: 'PUT', url, headers, payload });
    if (status !== 201) throw new Error(text);
  }
});
afterAll(() => server.close());
beforeEach(() => {
  server.refused = () => false;
  server.audited.length = 0;
});

type Answer = { data?: Record<string, never> | null; errors?: { message: string; path?: unknown[] }[] };

async function ask(query: string, variables: object = {}, url = '/fhir/$graphql') {
  const { status, body, headers } = await server.request({
    method: 'POST',
    url,
    headers: json,
    payload: { query, variables },
  });
  return { status, headers, ...(body as Answer) };
}

async function dataOf(query: string, variables: object = {}, url?: string): Promise<unknown> {
  const { data, errors } = await ask(query, variables, url);
  expect(errors).toBeUndefined();
  return data;
}

describe('$graphql', () => {
  it('reads a resource with the fields asked for, and the trail tells which', async () => {
    const { status, headers, data } = await ask(
      '{ Patient(id: "p") { __typename resourceType id who: birthDate _birthDate { extension { valueString } } name { family given } } }',
    );
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(data).toEqual({
      Patient: {
        __typename: 'Patient',
        resourceType: 'Patient',
        id: 'p',
        who: '1980-01-02',
        _birthDate: { extension: [{ valueString: 'card' }] },
        name: [
          { family: 'MOREAU', given: ['CAMILLE', 'ANNE'] },
          { family: 'DURAND', given: ['CAM'] },
          { family: 'PETIT', given: [] },
        ],
      },
    });
    expect(server.audited).toMatchObject([{ interaction: 'operation:$graphql', resources: [{ id: 'p' }] }]);
  });

  it('is asked by GET, by Parameters, as application/graphql, and on an instance', async () => {
    const query = 'query A($id: ID!) { Patient(id: $id) { id } } query B { Patient(id: "q") { id } }';
    const asked = new URLSearchParams({ query, operationName: 'A', variables: '{"id":"p"}' });
    const got = await server.request({ method: 'GET', url: `/fhir/$graphql?${asked}` });
    expect(got.body).toEqual({ data: { Patient: { id: 'p' } } });
    const parameters = {
      resourceType: 'Parameters',
      parameter: [{ name: 'query', valueString: '{ Patient(id: "q") { id } }' }],
    };
    const fhir = { 'content-type': 'application/fhir+json' };
    const posted = await server.request({ method: 'POST', url: '/fhir/$graphql', headers: fhir, payload: parameters });
    expect(posted.body).toEqual({ data: { Patient: { id: 'q' } } });
    const plain = { 'content-type': 'application/graphql' };
    const text = await server.request({
      method: 'POST',
      url: '/fhir/$graphql',
      headers: plain,
      payload: '{ Patient(id: "q") { id } }',
    });
    expect(text.body).toEqual({ data: { Patient: { id: 'q' } } });
    expect(await dataOf('{ id name(use: "usual") { family } }', {}, '/fhir/Patient/p/$graphql')).toEqual({
      id: 'p',
      name: [{ family: 'DURAND' }],
    });
    expect((await server.request({ method: 'GET', url: '/fhir/Patient/none/$graphql?query={id}' })).status).toBe(404);
  });

  it('answers MedplumClient', async () => {
    await server.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.app.server.address() as AddressInfo;
    const client = new MedplumClient({ baseUrl: `http://127.0.0.1:${port}/`, fhirUrlPath: 'fhir', fetch });
    client.setAccessToken('aa');
    expect(await client.graphql('{ Patient(id: "p") { id } }')).toEqual({ data: { Patient: { id: 'p' } } });
  });

  it('chooses among the values of a list', async () => {
    const names = async (args: string) => {
      const data = (await dataOf(`{ Patient(id: "p") { name(${args}) { family } } }`)) as {
        Patient: { name: { family: string }[] };
      };
      return data.Patient.name.map(({ family }) => family);
    };
    expect(await names('use: "official"')).toEqual(['MOREAU']);
    expect(await names('given: "CAM"')).toEqual(['DURAND']);
    expect(await names(`fhirpath: "given.exists()"`)).toEqual(['MOREAU', 'DURAND']);
    expect(await names(`fhirpath: "$index = 1"`)).toEqual(['DURAND']);
    expect(await names('_offset: 1, _count: 1')).toEqual(['DURAND']);
    const refused = await ask('{ Patient(id: "p") { name(fhirpath: "resolve()") { family } birthDate } }');
    expect(refused.errors).toHaveLength(1);
    expect(refused.data).toMatchObject({ Patient: { birthDate: '1980-01-02' } });
  });

  it('searches, with parameters whose hyphens are underscores', async () => {
    expect(await dataOf('{ PatientList(family: "MOREAU", _count: 5) { id } }')).toEqual({ PatientList: [{ id: 'p' }] });
    expect(await dataOf('{ PatientList(general_practitioner: "Practitioner/dr") { id } }')).toEqual({
      PatientList: [{ id: 'p' }],
    });
    for (const args of ['colour: "red"', '_include: "*"', '_filter: "x"', '_has: "y"', '_reference: subject']) {
      const { data, errors } = await ask(`{ PatientList(${args}) { id } }`);
      expect(errors, args).toHaveLength(1);
      expect(errors![0]!.path).toEqual(['PatientList']);
      expect(data).toEqual({ PatientList: [] });
    }
  });

  it('follows references out, in, and into contained resources', async () => {
    const data = await dataOf(`{ Patient(id: "p") {
      managingOrganization { resource { ... on Organization { name } } }
      generalPractitioner { reference resource(optional: true, type: Practitioner) { id ... on Practitioner { name { family } } ... on Patient { birthDate } } }
      ConditionList(_reference: patient, _sort: "recorded-date", _count: 2) { id subject { resource(type: Organization) { id } } }
    } }`);
    expect(data).toEqual({
      Patient: {
        managingOrganization: { resource: { name: 'Contained' } },
        generalPractitioner: [
          { reference: 'Practitioner/dr', resource: { id: 'dr', name: [{ family: 'HOUSE' }] } },
          { reference: 'Practitioner/gone', resource: null },
        ],
        ConditionList: [
          { id: 'c0', subject: { resource: null } },
          { id: 'c1', subject: { resource: null } },
        ],
      },
    });
    const missing = await ask('{ Patient(id: "p") { generalPractitioner { resource { id } } } }');
    expect(missing.errors).toMatchObject([{ path: ['Patient', 'generalPractitioner', 1, 'resource'] }]);
    expect(missing.data).toMatchObject({
      Patient: { generalPractitioner: [{ resource: { id: 'dr' } }, { resource: null }] },
    });
  });

  it('keeps contained resources apart from those stored under the same id', async () => {
    const headers = { 'content-type': 'application/fhir+json' };
    const payload = {
      resourceType: 'Encounter',
      id: 'holder',
      status: 'finished',
      class: { code: 'EMER' },
      contained: [
        // Named like somebody else, who is stored.
        { resourceType: 'Patient', id: 'p', managingOrganization: { reference: '#org' } },
        { resourceType: 'Organization', id: 'org', name: 'Inside', partOf: { reference: '#top' } },
        { resourceType: 'Organization', id: 'top', name: 'Above' },
      ],
      subject: { reference: '#p' },
    };
    const stored = await server.request({ method: 'PUT', url: '/fhir/Encounter/holder', headers, payload });
    expect(stored.status).toBe(201);
    // A reference inside what is contained is about its neighbours.
    expect(
      await dataOf(`{ Encounter(id: "holder") { subject { resource { ... on Patient { managingOrganization { resource {
        ... on Organization { name partOf { resource { ... on Organization { name } } } } } } } } } } }`),
    ).toEqual({
      Encounter: {
        subject: {
          resource: { managingOrganization: { resource: { name: 'Inside', partOf: { resource: { name: 'Above' } } } } },
        },
      },
    });
    // Nobody points to it: what points to the stored Patient/p is not told.
    const list = '{ ... on Patient { ConditionList(_reference: patient) { id } } }';
    for (const query of [
      `{ Encounter(id: "holder") { subject { resource ${list} } } }`,
      `{ Encounter(id: "holder") { contained ${list} } }`,
    ]) {
      const { data, errors } = await ask(query);
      expect(errors?.[0]?.message, query).toMatch(/contained/);
      expect(JSON.stringify(data)).not.toMatch(/c0/);
    }
  });

  it('pages a connection by its cursors, to the end', async () => {
    const seen: string[] = [];
    let cursor: string | null | undefined;
    do {
      const args = cursor ? `_cursor: "${cursor}"` : 'subject: "Patient/p", _sort: "-recorded-date", _count: 2';
      const data = (await dataOf(
        `{ ConditionConnection(${args}) { count pagesize next edges { mode resource { id } } } }`,
      )) as {
        ConditionConnection: {
          count: number;
          next: string | null;
          edges: { mode: string; resource: { id: string } }[];
        };
      };
      const { count, next, edges } = data.ConditionConnection;
      expect(count).toBe(5);
      seen.push(...edges.map(({ resource }) => resource.id));
      cursor = next;
    } while (cursor);
    expect(seen).toEqual(['c4', 'c3', 'c2', 'c1', 'c0']);
    const forged = Buffer.from('subject.name=x').toString('base64url');
    expect((await ask(`{ ConditionConnection(_cursor: "${forged}") { count } }`)).errors).toHaveLength(1);
  });

  it('flattens, slices, takes the first, and makes sure there is only one', async () => {
    expect(await dataOf('{ Patient(id: "p") { name @flatten { family given } } }')).toEqual({
      Patient: { family: ['MOREAU', 'DURAND', 'PETIT'], given: ['CAMILLE', 'ANNE', 'CAM'] },
    });
    expect(await dataOf('{ Patient(id: "p") { name @first { family } } }')).toEqual({
      Patient: { name: { family: 'MOREAU' } },
    });
    expect(await dataOf('{ Patient(id: "p") { name @flatten @first { family given @first } } }')).toEqual({
      Patient: { family: 'MOREAU', given: 'CAMILLE' },
    });
    expect(await dataOf('{ Patient(id: "p") { name @flatten @slice(path: "use") { family @singleton } } }')).toEqual({
      Patient: { 'family.official': 'MOREAU', 'family.usual': 'DURAND', 'family.old': 'PETIT' },
    });
    const several = await ask('{ Patient(id: "p") { name @flatten { family @singleton } } }');
    expect(several.errors![0]!.message).toMatch(/several values/);
    expect(
      await dataOf(
        'query ($no: Boolean!) { Patient(id: "p") { id @skip(if: true) birthDate @include(if: $no) gender } }',
        { no: false },
      ),
    ).toEqual({
      Patient: { gender: null },
    });
  });

  it('refuses a query that is none, before anything is read', async () => {
    for (const query of [
      '{ Patient(id: "p") { colour } }',
      '{ Cat { id } }',
      '{ Patient(id: "p") }',
      '{ Patient(id: "p") { id { x } } }',
      '{ Patient(id: "p") { ...F } } fragment F on Patient { ...F }',
      '{ Patient(id: "p") { ...F } }',
      '{ Patient(id: "p") { ... on HumanName { family } } }',
      '{ Patient(id: $id) { id } }',
      '{ Patient(id: "p") { id @upper } }',
      'mutation { PatientDelete(id: "p") { id } }',
      '{ __schema { types { name } } }',
      '{ Patient(id: "p", id: "q") { id } }',
      '{ Patient(id: "p") { id @include } }',
      '{ Patient(id: "p") { id @skip(if: "yes") } }',
      'query ($x: Boolean) { Patient(id: "p") { id @skip(if: $x) } }',
      'not a query',
    ]) {
      const { status, data, errors } = await ask(query);
      expect(status, query).toBe(400);
      expect(data).toBeUndefined();
      expect(errors!.length).toBeGreaterThan(0);
    }
    expect(server.audited.flatMap(({ resources: shown }) => shown)).toEqual([]);
    expect((await ask('query ($id: ID!) { Patient(id: $id) { id } }')).errors![0]!.message).toMatch(
      /\$id needs a value/,
    );
  });

  it('brings together what several fragments ask of one element', async () => {
    const whole = [
      { family: 'MOREAU', given: ['CAMILLE', 'ANNE'], use: 'official' },
      { family: 'DURAND', given: ['CAM'], use: 'usual' },
      { family: 'PETIT', given: [], use: 'old' },
    ];
    const fragments = 'fragment A on Patient { id name { family } } fragment B on Patient { name { given } }';
    expect(await dataOf(`{ Patient(id: "p") { ...A ...B id name { use } } } ${fragments}`)).toEqual({
      Patient: { id: 'p', name: whole },
    });
    const twice = '{ Patient(id: "p") { name(use: official) { family } name(use: official) { given } } }';
    expect(await dataOf(twice)).toEqual({ Patient: { name: [{ family: 'MOREAU', given: ['CAMILLE', 'ANNE'] }] } });
    const list =
      '{ ConditionList(_id: "c1") { id } ...C } fragment C on Query { ConditionList(_id: "c1") { recordedDate } }';
    expect(await dataOf(list)).toEqual({ ConditionList: [{ id: 'c1', recordedDate: '2026-01-02' }] });
    // What is said in two ways is not mixed.
    for (const asked of [
      'a: id a: birthDate',
      'a: name(use: official) { family } a: name { family }',
      'a: name @first { use } a: name { use }',
    ]) {
      const { data, errors } = await ask(`{ Patient(id: "p") { ${asked} birthDate } }`);
      expect(data, asked).toEqual({ Patient: { a: null, birthDate: '1980-01-02' } });
      expect(errors).toMatchObject([{ message: expect.stringMatching(/in two ways/), path: ['Patient', 'a'] }]);
    }
  });

  it('takes variables of the types they are declared with', async () => {
    const query = 'query ($x: Boolean!, $id: ID = "p") { Patient(id: $id) { id @include(if: $x) birthDate } }';
    expect(await dataOf(query, { x: false })).toEqual({ Patient: { birthDate: '1980-01-02' } });
    expect(await dataOf(query, { x: true })).toEqual({ Patient: { id: 'p', birthDate: '1980-01-02' } });
    const { status, errors } = await ask(query, { x: 'yes' });
    expect({ status, message: errors![0]!.message }).toEqual({ status: 400, message: 'The variable $x is Boolean!' });
    expect((await ask(query, { x: true, id: 7 })).errors![0]!.message).toBe('Patient/7 does not exist');
  });

  it('refuses what would cost too much', async () => {
    const deep = `{ Patient(id: "p") { ${'contact { name { extension { valueReference { identifier { assigner { identifier { assigner { '.repeat(4)}id${' }'.repeat(32)} } }`;
    expect((await ask(deep)).errors![0]!.message).toMatch(/deep|no field/);
    const wide = `{ ${Array.from({ length: 2_001 }, (_, n) => `a${n}: Patient(id: "p") { id }`).join(' ')} }`;
    expect((await ask(wide)).errors![0]!.message).toMatch(/at most|token/i);
    const bomb = `{ Patient(id: "p") { ...A } } fragment A on Patient { ...B ...B } ${'BCDEFGHIJKLMNO'
      .split('')
      .map(
        (name, index, all) =>
          `fragment ${name} on Patient { ${all[index + 1] ? `...${all[index + 1]} ...${all[index + 1]}` : 'id'} }`,
      )
      .join(' ')}`;
    expect((await ask(bomb)).errors![0]!.message).toMatch(/at most 2000 fields/);
    const many = `{ ${Array.from({ length: 400 }, (_, n) => `a${n}: ConditionList(subject: "Patient/p") { id }`).join(' ')} ${Array.from({ length: 110 }, (_, n) => `b${n}: ConditionList { id }`).join(' ')} }`;
    const { data, errors } = await ask(many);
    expect(errors![0]!.message).toMatch(/more than|longer than/);
    expect(data).toBeNull();
  });

  it.each([
    "family.matches('^(a+)+$')",
    "family.matches ('a')",
    "family.`m\\u0061tches`('a')",
    "family.replaceMatches('(a+)+$', 'b').exists()",
    "family.matchesFull('a')",
    'repeat(given).exists()',
    'resolve()',
    '%resource.exists()',
    "'a'.startsWith(given.first())",
    '(given | given).exists()',
    "(family & family) = 'xx'",
  ])('does not evaluate a FHIRPath that can take for ever: %s', async (path) => {
    const { errors, data } = await ask(
      `{ Patient(id: "p") { name(fhirpath: ${JSON.stringify(path)}) { family } birthDate } }`,
    );
    expect(errors![0]!.message).toMatch(/not taken here|cannot be read/);
    expect(data).toMatchObject({ Patient: { birthDate: '1980-01-02' } });
  });

  it('asks for the right to each type it reaches, once', async () => {
    const asked: string[] = [];
    server.refused = ({ type, interaction }) => {
      if (interaction !== 'operation') asked.push(`${interaction} ${type}`);
      return type === 'Condition' || type === 'Practitioner';
    };
    const { data, errors } = await ask(`{ Patient(id: "p") { id
      generalPractitioner { resource { id } }
      a: ConditionList(_reference: subject) { id } b: ConditionList(_reference: subject) { id } } }`);
    expect(errors!.map(({ path }) => path!.join('.'))).toEqual([
      'Patient.generalPractitioner.0.resource',
      'Patient.generalPractitioner.1.resource',
      'Patient.a',
      'Patient.b',
    ]);
    expect(data).toMatchObject({ Patient: { id: 'p', a: [], b: [] } });
    expect(asked.filter((each) => each.endsWith('Condition'))).toHaveLength(1);
    expect(asked.filter((each) => each.endsWith('Practitioner'))).toHaveLength(1);
    expect(server.audited.flatMap(({ resources: shown }) => shown.map(({ id }) => id))).toEqual(['p']);
  });
});
