import type { OperationOutcome, StructureDefinition } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../rest/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const canonical = 'http://hospital.example/StructureDefinition/named-patient';
const colour = 'http://hospital.example/StructureDefinition/colour';

/** A patient of the hospital has a name, and an identifier of its own system. */
const profile: StructureDefinition = {
  resourceType: 'StructureDefinition',
  url: canonical,
  name: 'NamedPatient',
  status: 'active',
  kind: 'resource',
  abstract: false,
  type: 'Patient',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
  derivation: 'constraint',
  differential: {
    element: [
      { id: 'Patient', path: 'Patient' },
      {
        id: 'Patient.identifier',
        path: 'Patient.identifier',
        min: 1,
        slicing: { discriminator: [{ type: 'value', path: 'system' }], rules: 'open' },
      },
      { id: 'Patient.identifier:own', path: 'Patient.identifier', sliceName: 'own', min: 1, max: '1' },
      { id: 'Patient.identifier:own.system', path: 'Patient.identifier.system', min: 1, fixedUri: 'urn:oid:1.2.3' },
      {
        id: 'Patient.name',
        path: 'Patient.name',
        min: 1,
        constraint: [
          { key: 'own-1', severity: 'error', human: 'A family name', expression: 'family.exists()' },
          { key: 'own-2', severity: 'warning', human: 'A given name', expression: 'given.exists()' },
        ],
      },
    ],
  },
};

const extension: StructureDefinition = {
  resourceType: 'StructureDefinition',
  url: colour,
  name: 'Colour',
  status: 'active',
  kind: 'complex-type',
  abstract: false,
  type: 'Extension',
  context: [{ type: 'element', expression: 'Patient' }],
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Extension',
  derivation: 'constraint',
  differential: {
    element: [
      { id: 'Extension', path: 'Extension' },
      { id: 'Extension.url', path: 'Extension.url', fixedUri: colour },
      { id: 'Extension.value[x]', path: 'Extension.value[x]', min: 1, type: [{ code: 'code' }] },
    ],
  },
};

const patient = (more: object = {}) => ({ resourceType: 'Patient', meta: { profile: [canonical] }, ...more });
const good = patient({ identifier: [{ system: 'urn:oid:1.2.3', value: '1' }], name: [{ family: 'TEST' }] });

const json = { 'content-type': 'application/fhir+json' };
const post = (path: string, resource: object, tenant = 'aa') =>
  server.request({
    method: 'POST',
    url: `/fhir/${path}`,
    headers: { ...json, authorization: `Bearer ${tenant}` },
    payload: JSON.stringify(resource),
  });
const put = (path: string, resource: object, tenant = 'aa') =>
  server.request({
    method: 'PUT',
    url: `/fhir/${path}`,
    headers: { ...json, authorization: `Bearer ${tenant}` },
    payload: JSON.stringify(resource),
  });
const issuesOf = (body: OperationOutcome) =>
  body.issue.map(({ severity, code, expression }) => `${severity} ${code} ${expression ?? ''}`);

describe('a profile the tenant has stored', () => {
  it('is not known before: the declaration is a warning of $validate, and stored as it is', async () => {
    const { body } = await post('Patient/$validate', good);
    expect(issuesOf(body)).toEqual(['information informational ', 'warning not-found Patient.meta.profile[0]']);
    expect((await post('Patient', patient())).status).toBe(201);
  });

  it('refuses what declares it and does not conform, as soon as it is stored', async () => {
    expect((await put('StructureDefinition/named-patient', { ...profile, id: 'named-patient' })).status).toBe(201);
    const refused = await post('Patient', patient({ name: [{ given: ['x'] }] }));
    expect(refused.status).toBe(400);
    expect(issuesOf(refused.body)).toEqual([
      'error required Patient.identifier',
      'error required Patient.identifier',
      'error invariant Patient.name[0]',
    ]);
    expect((await post('Patient', good)).status).toBe(201);
    expect((await post('Patient', { resourceType: 'Patient' })).status).toBe(201);
  });

  it('is of its tenant only', async () => {
    expect((await post('Patient', patient(), 'bb')).status).toBe(201);
  });

  it('holds in its new form as soon as it is changed, and no more when it is deleted', async () => {
    const { differential, ...rest } = profile;
    const relaxed = { ...rest, id: 'named-patient', differential: { element: differential!.element.slice(0, 1) } };
    expect((await put('StructureDefinition/named-patient', relaxed)).status).toBe(200);
    expect((await post('Patient', patient())).status).toBe(201);
    await put('StructureDefinition/named-patient', { ...profile, id: 'named-patient' });
    expect((await post('Patient', patient())).status).toBe(400);
    await server.request({ method: 'DELETE', url: '/fhir/StructureDefinition/named-patient' });
    expect((await post('Patient', patient())).status).toBe(201);
  });

  it('may derive from another stored one', async () => {
    await put('StructureDefinition/named-patient', { ...profile, id: 'named-patient' });
    const derived = {
      ...profile,
      id: 'derived',
      url: `${canonical}-2`,
      baseDefinition: canonical,
      differential: { element: [{ id: 'Patient.gender', path: 'Patient.gender', min: 1 }] },
    };
    await put('StructureDefinition/derived', derived);
    const refused = await post('Patient', { ...good, meta: { profile: [`${canonical}-2`] }, name: undefined });
    expect(issuesOf(refused.body).sort()).toEqual(['error required Patient.gender', 'error required Patient.name']);
  });

  it('and a stored extension: its value and its place', async () => {
    await put('StructureDefinition/colour', { ...extension, id: 'colour' });
    const at = (holder: object) => post('Patient', { resourceType: 'Patient', ...holder });
    expect((await at({ extension: [{ url: colour, valueCode: 'red' }] })).status).toBe(201);
    expect(issuesOf((await at({ extension: [{ url: colour, valueString: 'red' }] })).body)).toEqual([
      'error structure Patient.extension[0].value',
    ]);
    expect(issuesOf((await at({ name: [{ extension: [{ url: colour, valueCode: 'red' }] }] })).body)).toEqual([
      'error structure Patient.name[0].extension[0]',
    ]);
  });
});

describe('$validate', () => {
  const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });

  it('says what is wrong, how much, and where', async () => {
    const { status, body } = await post('Patient/$validate', {
      resourceType: 'Patient',
      gender: 'x',
      birthDate: '2024-13',
    });
    expect(status).toBe(200);
    expect(issuesOf(body)).toEqual(['error code-invalid Patient.gender', 'error value Patient.birthDate']);
  });

  it('tells warnings beside what is fine', async () => {
    const { body } = await post('Patient/$validate', good);
    expect(issuesOf(body)).toEqual(['information informational ', 'warning invariant Patient.name[0]']);
  });

  it('takes a profile: one of the base, of R4, of a French guide, of ours, a stored one', async () => {
    const against = async (resource: object, profile: string) => {
      const type = (resource as { resourceType: string }).resourceType;
      const { body } = await post(
        `${type}/$validate`,
        parameters({ name: 'resource', resource }, { name: 'profile', valueUri: profile }),
      );
      return issuesOf(body).filter((issue) => issue.startsWith('error'));
    };
    const { meta: _, ...plain } = good as Record<string, unknown>;
    expect(await against(plain, 'http://hl7.org/fhir/StructureDefinition/Patient')).toEqual([]);
    expect(await against(plain, 'http://hl7.org/fhir/StructureDefinition/Observation')).not.toEqual([]);
    expect(await against(plain, canonical)).toEqual([]);
    expect(await against({ resourceType: 'Patient' }, canonical)).toHaveLength(3);
    expect(
      await against(
        { resourceType: 'Observation', status: 'final', code: { text: 'x' } },
        'http://hl7.org/fhir/StructureDefinition/heartrate',
      ),
    ).not.toEqual([]);
    const french = 'http://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient';
    expect(await against({ resourceType: 'Patient' }, french)).not.toEqual([]);
    expect(await against(plain, 'http://nowhere.example/profile')).toEqual(['error not-found Patient']);
  });

  it('has modes', async () => {
    const mode = (valueCode: string) => ({ name: 'mode', valueCode });
    const resource = { resourceType: 'Patient', id: 'p' };
    const at = async (path: string, ...parameter: object[]) =>
      issuesOf((await post(path, parameters(...parameter))).body);
    await put('Patient/p', resource);
    expect(await at('Patient/$validate', mode('create'), { name: 'resource', resource })).toEqual([
      'information informational ',
    ]);
    expect(await at('Patient/q/$validate', mode('update'), { name: 'resource', resource })).toEqual([
      'error value Patient.id',
    ]);
    expect(await at('Patient/p/$validate', mode('delete'))).toEqual(['information informational ']);
    expect(await at('Patient/q/$validate', mode('delete'))).toEqual(['error not-found ']);
    expect((await post('Patient/$validate', parameters(mode('profile'), { name: 'resource', resource }))).status).toBe(
      400,
    );
    expect((await post('Patient/$validate', parameters(mode('guess'), { name: 'resource', resource }))).status).toBe(
      400,
    );
    expect(issuesOf((await server.request({ url: '/fhir/Patient/p/$validate' })).body)).toEqual([
      'information informational ',
    ]);
  });

  it('asks the terminology for codes of value sets that are not at hand', async () => {
    await put('CodeSystem/stone', {
      resourceType: 'CodeSystem',
      id: 'stone',
      url: 'http://hospital.example/stone',
      status: 'active',
      content: 'complete',
      concept: [{ code: 'granite' }],
    });
    await put('ValueSet/stones', {
      resourceType: 'ValueSet',
      id: 'stones',
      url: 'http://hospital.example/stones',
      status: 'active',
      compose: { include: [{ system: 'http://hospital.example/stone' }] },
    });
    await put('StructureDefinition/stony', {
      ...profile,
      id: 'stony',
      url: 'http://hospital.example/stony',
      type: 'Basic',
      baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Basic',
      differential: {
        element: [
          {
            id: 'Basic.code',
            path: 'Basic.code',
            binding: { strength: 'required', valueSet: 'http://hospital.example/stones' },
          },
        ],
      },
    });
    const basic = (code: string) => ({
      resourceType: 'Basic',
      meta: { profile: ['http://hospital.example/stony'] },
      code: { coding: [{ system: 'http://hospital.example/stone', code }] },
    });
    expect((await post('Basic', basic('granite'))).status).toBe(201);
    expect(issuesOf((await post('Basic', basic('butter'))).body)).toEqual(['error code-invalid Basic.code']);
  });
});
