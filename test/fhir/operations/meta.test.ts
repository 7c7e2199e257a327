import type { Meta, Parameters, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type OperationServer, operationServer } from './server.ts';

let server: OperationServer;
const red = { system: 'http://example.org/tags', code: 'red', display: 'Rouge' };
const blue = { system: 'http://example.org/tags', code: 'blue' };
const secret = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
const profile = 'http://example.org/profile';

beforeAll(async () => {
  server = await operationServer();
  await server.put(
    { resourceType: 'Patient', id: 'p', meta: { tag: [red], security: [secret] } },
    { resourceType: 'Organization', id: 'o', name: 'TEST', meta: { profile: [profile], tag: [red, blue] } },
  );
});
afterAll(() => server.close());
beforeEach(() => {
  server.refused = () => false;
});

const metaOf = ({ body }: { body: Parameters }): Meta => body.parameter![0]!.valueMeta!;
const named = (valueMeta: Meta): Parameters => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'meta', valueMeta }],
});

it('$meta of a resource is its meta', async () => {
  const answer = await server.get<Parameters>('/fhir/Patient/p/$meta');
  expect(metaOf(answer)).toMatchObject({ versionId: '1', tag: [red], security: [secret] });
  expect(await server.get('/fhir/Patient/none/$meta')).toMatchObject({ status: 404 });
});

it('$meta of a type, and of everything, is what is in use there, without what the caller may not see', async () => {
  expect(metaOf(await server.get<Parameters>('/fhir/Patient/$meta'))).toEqual({ tag: [red], security: [secret] });
  expect(metaOf(await server.get<Parameters>('/fhir/$meta'))).toEqual({
    profile: [profile],
    tag: [blue, red],
    security: [secret],
  });
  server.refused = ({ type, interaction }) => type === 'Patient' && interaction === 'search-type';
  expect(metaOf(await server.get<Parameters>('/fhir/$meta'))).toEqual({ profile: [profile], tag: [blue, red] });
});

it('$meta-add adds each label once, as a new version; adding it again makes none', async () => {
  const add = () =>
    server.post('/fhir/Patient/p/$meta-add', named({ tag: [{ ...red, display: 'other' }, blue], profile: [profile] }));
  expect(metaOf(await add())).toMatchObject({ versionId: '2', tag: [red, blue], profile: [profile] });
  expect(metaOf(await add())).toMatchObject({ versionId: '2' });
});

it('$meta-add adds to a list that says something twice', async () => {
  await server.put({ resourceType: 'Patient', id: 'twice', meta: { profile: [profile, profile] } });
  const other = 'http://example.org/other';
  const added = await server.post('/fhir/Patient/twice/$meta-add', named({ profile: [other] }));
  expect(metaOf(added)).toMatchObject({ versionId: '2', profile: [profile, other] });
});

it('$meta-delete takes labels away, whatever their display, and leaves no empty list', async () => {
  const gone = named({ tag: [blue, { ...red, display: 'x' }], security: [{ ...secret, version: '1' }] });
  expect(metaOf(await server.post('/fhir/Patient/p/$meta-delete', gone))).toMatchObject({
    versionId: '3',
    profile: [profile],
  });
  const { body } = await server.get<Patient>('/fhir/Patient/p');
  expect(body.meta).not.toHaveProperty('tag');
  expect(body.meta).not.toHaveProperty('security');
});

it('changing labels is an update: it needs that right, a Meta, and the version asked for', async () => {
  expect(await server.post('/fhir/Patient/p/$meta-add', { resourceType: 'Parameters' })).toMatchObject({ status: 400 });
  server.refused = ({ interaction }) => interaction === 'update';
  expect(await server.post('/fhir/Patient/p/$meta-add', named({ tag: [blue] }))).toMatchObject({ status: 403 });
  server.refused = () => false;
  const stale = await server.request({
    method: 'POST',
    url: '/fhir/Patient/p/$meta-add',
    headers: { 'content-type': 'application/fhir+json', 'if-match': 'W/"1"' },
    payload: named({ tag: [blue] }),
  });
  expect(stale.status).toBe(412);
});
