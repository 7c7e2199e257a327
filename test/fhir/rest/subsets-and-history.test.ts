import type { Bundle, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { periodOf } from '../../../src/fhir/rest/instants.ts';
import { type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  for (const active of [true, false, true]) await put(active);
  await server.request({ method: 'DELETE', url: '/fhir/Patient/p' });
});
afterAll(() => server.close());

const json = { 'content-type': 'application/fhir+json' };
const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

function put(active: boolean, rest: Partial<Patient> = {}) {
  const payload: Patient = {
    resourceType: 'Patient',
    id: 'p',
    active,
    birthDate: '1980-05-11',
    photo: [{ title: 'x' }],
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
    ...rest,
  };
  return server.request({ method: 'PUT', url: `/fhir/Patient/${payload.id}`, headers: json, payload });
}

const get = (path: string, headers = {}) => server.request({ method: 'GET', url: `/fhir/${path}`, headers });
const versions = ({ entry = [] }: Bundle) => entry.map(({ response }) => Number(/\d+/.exec(response!.etag!)![0]));

describe('_summary and _elements', () => {
  it.each([
    ['_elements=birthDate', ['birthDate']],
    ['_summary=text', ['text']],
    ['_summary=data', ['active', 'birthDate', 'photo']],
    ['_summary=true', ['active', 'birthDate']],
  ])('%s reduces a read, a version and a history, and marks them', async (query, kept) => {
    const elements = (resource: object) =>
      Object.keys(resource)
        .filter((name) => !['resourceType', 'id', 'meta'].includes(name))
        .sort();
    await put(true, { id: 'whole' });
    const answers = await Promise.all(
      [`Patient/whole?${query}`, `Patient/p/_history/1?${query}`].map(
        async (path) => (await get(path)).body as Patient,
      ),
    );
    const history: Bundle = (await get(`Patient/p/_history?${query}`)).body;
    for (const resource of [...answers, ...history.entry!.flatMap(({ resource: one }) => one ?? [])]) {
      expect(elements(resource)).toEqual(kept);
      expect((resource as Patient).meta!.tag).toEqual([subsetted]);
    }
    expect(history.entry).toHaveLength(4);
  });

  it('give nothing that could be stored back as if it were whole', async () => {
    await put(true, { id: 'back' });
    const reduced: Patient = (await get('Patient/back?_elements=birthDate')).body;
    expect(await put(true, reduced)).toMatchObject({
      status: 422,
      body: { issue: [{ expression: ['Patient.meta.tag[0]'] }] },
    });
    const tagged = { op: 'add', path: '/meta/tag', value: [subsetted] };
    const patched = await server.request({
      method: 'PATCH',
      url: '/fhir/Patient/back',
      headers: { 'content-type': 'application/json-patch+json' },
      payload: JSON.stringify([tagged]),
    });
    expect(patched.status).toBe(422);
    expect((await get('Patient/back')).headers.etag).toBe('W/"1"');
  });

  it('are the only parameters of a read, unless handling is lenient', async () => {
    await put(true, { id: 'lenient' });
    expect((await get('Patient/lenient?colour=red')).status).toBe(400);
    expect((await get('Patient/lenient?_summary=count')).status).toBe(400);
    expect((await get('Patient/lenient?colour=red', { prefer: 'handling=lenient' })).status).toBe(200);
  });
});

describe('history', () => {
  it('goes either way, page by page', async () => {
    expect(versions((await get('Patient/p/_history')).body)).toEqual([4, 3, 2, 1]);
    expect(versions((await get('Patient/p/_history?_sort=_lastUpdated')).body)).toEqual([1, 2, 3, 4]);
    const seen: number[] = [];
    for (let path: string | undefined = 'Patient/p/_history?_sort=_lastUpdated&_count=3'; path; ) {
      const page: Bundle = (await get(path)).body;
      seen.push(...versions(page));
      path = page.link!.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\//, '');
    }
    expect(seen).toEqual([1, 2, 3, 4]);
    expect((await get('Patient/p/_history?_sort=birthDate')).status).toBe(400);
  });

  it('tells deletions with what made them', async () => {
    const bundle: Bundle = (await get('Patient/p/_history?_count=1')).body;
    expect(bundle.entry![0]).toMatchObject({
      fullUrl: expect.stringMatching(/Patient\/p$/),
      request: { method: 'DELETE', url: 'Patient/p' },
      response: { status: '204', etag: 'W/"4"' },
    });
    expect(bundle.entry![0]).not.toHaveProperty('resource');
  });

  it('_at shows the versions that were current then', async () => {
    const first: Patient = (await get('Patient/p/_history/1')).body;
    const year = new Date().getUTCFullYear();
    expect(versions((await get(`Patient/p/_history?_at=${year}`)).body)).toEqual([4, 3, 2, 1]);
    expect(versions((await get('Patient/p/_history?_at=1999')).body)).toEqual([]);
    const deleted = versions((await get(`Patient/p/_history?_at=${year + 1}`)).body);
    expect(deleted).toEqual([4]);
    const atFirst = versions((await get(`Patient/p/_history?_at=${first.meta!.lastUpdated}`)).body);
    expect(atFirst).toContain(1);
    expect(versions((await get(`Patient/_history?_at=${year + 1}&_count=100`)).body)).toContain(4);
    expect(versions((await get('Patient/p/_history?_at=9999')).body)).toEqual([4]);
    for (const day of ['2026-02-30', '2026-13-01', '2026-00', '2026-01-32', '0000'])
      expect((await get(`Patient/p/_history?_at=${day}`)).status, day).toBe(400);
    expect((await get('Patient/p/_history?_since=2026-02-30T00:00:00Z')).status).toBe(400);
    // A leap second is one of the seconds that FHIR has.
    for (const leap of ['2016-12-31T23:59:60Z', '2016-12-31T23:59:60.5%2B01:00']) {
      expect(versions((await get(`Patient/p/_history?_since=${leap}`)).body)).toEqual([4, 3, 2, 1]);
      expect(versions((await get(`Patient/p/_history?_at=${leap}`)).body)).toEqual([]);
    }
  });

  it('takes no cursor of a moment that is none', async () => {
    for (const moment of ['2026-13-45 25:61:61+00', '2026-02-30 10:00:00+00', '2026-10-10 20:01:01+99']) {
      const cursor = Buffer.from(JSON.stringify([moment, 'Patient', 'p', 1])).toString('base64url');
      expect((await get(`Patient/p/_history?_cursor=${cursor}`)).status, moment).toBe(400);
    }
  });

  it.each([
    ['2026', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2026-12', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['2026-01-01T10:30', '2026-01-01T10:30:00.000Z', '2026-01-01T10:31:00.000Z'],
    ['2026-01-01T10:30:15 02:00', '2026-01-01T08:30:15.000Z', '2026-01-01T08:30:16.000Z'],
    ['2026-01-01T10:30:15.250Z', '2026-01-01T10:30:15.250Z', '2026-01-01T10:30:15.251Z'],
  ])('%s is a period', (text, from, to) => {
    const period = periodOf('_at', text);
    expect([period.from.toISOString(), period.to.toISOString()]).toEqual([from, to]);
  });
});

describe('conditions of single writes', () => {
  it('If-None-Match: * lets one of many create', async () => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, () =>
        server.request({
          method: 'PUT',
          url: '/fhir/Patient/only',
          headers: { ...json, 'if-none-match': '*' },
          payload: { resourceType: 'Patient', id: 'only' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(15).fill(412)]);
    await server.request({ method: 'DELETE', url: '/fhir/Patient/only' });
    const again = await server.request({
      method: 'PUT',
      url: '/fhir/Patient/only',
      headers: { ...json, 'if-none-match': '*' },
      payload: { resourceType: 'Patient', id: 'only' },
    });
    expect([again.status, again.headers.etag]).toEqual([201, 'W/"3"']);
  });

  it('32 creates of one identifier over HTTP leave one resource', async () => {
    const answers = await Promise.all(
      Array.from({ length: 32 }, () =>
        server.request({
          method: 'POST',
          url: '/fhir/Patient',
          headers: { ...json, 'if-none-exist': 'identifier=urn:x|http' },
          payload: { resourceType: 'Patient', identifier: [{ system: 'urn:x', value: 'http' }] },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(31).fill(200), 201]);
    expect((await get('Patient?identifier=urn:x%7Chttp')).body).toMatchObject({ entry: [{}] });
  });

  it('a deletion by criteria deletes one, none, or is refused', async () => {
    for (const id of ['d1', 'd2', 'd3'])
      await put(true, { id, identifier: [{ system: 'urn:x', value: id === 'd1' ? 'one' : 'two' }] });
    const remove = (value: string) =>
      server.request({ method: 'DELETE', url: `/fhir/Patient?identifier=urn:x%7C${value}` });
    expect((await remove('one')).headers.etag).toBe('W/"2"');
    expect((await remove('one')).headers.etag).toBeUndefined();
    expect((await remove('two')).status).toBe(412);
    expect((await get('Patient/d2')).status).toBe(200);
  });
});
