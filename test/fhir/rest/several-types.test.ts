import type { Bundle, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { base, type TestServer, testServer } from './server.ts';

let server: TestServer;
const json = { 'content-type': 'application/fhir+json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

beforeAll(async () => {
  server = await testServer();
  const subject = { reference: 'Patient/p' };
  for (const resource of [
    { resourceType: 'Patient', id: 'p', name: [{ family: 'TEST-MOREAU' }] },
    { resourceType: 'Patient', id: 'q', name: [{ family: 'TEST-AUTRE' }] },
    { resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'x' }, subject },
    { resourceType: 'Flag', id: 'f', status: 'active', code: { text: 'x' }, subject },
    { resourceType: 'Organization', id: 'org', name: 'CH-EXEMPLE' },
  ]) {
    const url = `/fhir/${resource.resourceType}/${resource.id}`;
    expect((await server.request({ method: 'PUT', url, headers: json, payload: resource })).status).toBe(201);
  }
});
afterAll(() => server.close());
beforeEach(() => {
  server.audited.length = 0;
  server.refusals.length = 0;
  server.refused = () => false;
});

async function found(path: string): Promise<string[]> {
  const { status, body, text } = await server.request({ method: 'GET', url: `/fhir${path}` });
  expect(status, text).toBe(200);
  return ((body as Bundle).entry ?? []).map(({ fullUrl }) => fullUrl!.slice(base.length + 1)).sort();
}

describe('a search of the system', () => {
  it('finds resources of every type, or of those named', async () => {
    expect(await found('?_count=50')).toEqual([
      'Flag/f',
      'Observation/o',
      'Organization/org',
      'Patient/p',
      'Patient/q',
    ]);
    expect(await found('?_type=Flag,Patient&_id=p,f')).toEqual(['Flag/f', 'Patient/p']);
    expect(server.audited.at(-1)).toMatchObject({ interaction: 'search-system', query: '?_type=Flag,Patient&_id=p,f' });
  });

  it('leaves out types the caller may not search, and refuses them by name', async () => {
    server.refused = ({ interaction, type }) => interaction === 'search-type' && type === 'Patient';
    expect(await found('?_count=50')).toEqual(['Flag/f', 'Observation/o', 'Organization/org']);
    // Nobody asked for them: nothing of it is for the trail.
    expect(server.refusals).toEqual([]);
    const named = await server.request({ method: 'GET', url: '/fhir?_type=Flag,Patient' });
    expect(named.status).toBe(403);
    expect(server.refusals).toEqual(['search-type Patient']);
    const chained = await server.request({ method: 'GET', url: '/fhir?_type=Observation&patient.family=test' });
    expect(chained.status).toBe(403);
    server.refused = ({ interaction }) => interaction === 'search-type' || interaction === 'search-system';
    expect((await server.request({ method: 'GET', url: '/fhir' })).status).toBe(403);
  });

  it('goes by POST too, with parameters in the address and in the body', async () => {
    const { status, body } = await server.request({
      method: 'POST',
      url: '/fhir/_search?_type=Patient',
      headers: form,
      payload: '_id=p',
    });
    expect(status).toBe(200);
    expect((body as Bundle).entry).toHaveLength(1);
    const typed = await server.request({
      method: 'POST',
      url: '/fhir/Patient/_search?family=test-moreau',
      headers: form,
      payload: '_id=p,q',
    });
    expect((typed.body as Bundle).entry).toHaveLength(1);
  });

  it('refuses what is no type', async () => {
    expect(await server.request({ method: 'GET', url: '/fhir?_type=Unicorn' })).toMatchObject({
      status: 400,
      body: { issue: [{ expression: ['http._type'] }] },
    });
  });

  it('pages forth and back', async () => {
    const first = (await server.request({ method: 'GET', url: '/fhir?_type=Patient,Flag&_count=2' })).body as Bundle;
    const link = (bundle: Bundle, name: string) =>
      bundle.link!.find(({ relation }) => relation === name)?.url.replace('http://hospital.example', '');
    const second = (await server.request({ method: 'GET', url: link(first, 'next')! })).body as Bundle;
    expect(second.entry).toHaveLength(1);
    const back = (await server.request({ method: 'GET', url: link(second, 'previous')! })).body as Bundle;
    expect(back.entry!.map(({ fullUrl }) => fullUrl)).toEqual(first.entry!.map(({ fullUrl }) => fullUrl));
  });
});

describe('a search in a compartment', () => {
  it('finds what is in it, of one type or of all', async () => {
    expect(await found('/Patient/p/Observation')).toEqual(['Observation/o']);
    expect(await found('/Patient/q/Observation')).toEqual([]);
    expect(await found('/Patient/p/*?_count=50')).toEqual(['Flag/f', 'Observation/o', 'Patient/p']);
    expect(await found('/Patient/p/Observation?status=preliminary')).toEqual([]);
  });

  it('tells the trail, and its links, where it looked', async () => {
    const { body } = await server.request({ method: 'GET', url: '/fhir/Patient/p/Observation?status=final' });
    expect((body as Bundle).link![0]!.url).toBe(`${base}/Patient/p/Observation?status=final`);
    expect(server.audited).toMatchObject([{ query: 'Patient/p/Observation?status=final', outcome: 'success' }]);
  });

  it('is refused where the type is, and leaves it out of everything', async () => {
    server.refused = ({ interaction, type }) => interaction === 'search-type' && type === 'Observation';
    expect((await server.request({ method: 'GET', url: '/fhir/Patient/p/Observation' })).status).toBe(403);
    expect(await found('/Patient/p/*')).toEqual(['Flag/f', 'Patient/p']);
  });

  it('is not there for types without a compartment', async () => {
    expect((await server.request({ method: 'GET', url: '/fhir/Organization/org/Patient' })).status).toBe(404);
    expect((await server.request({ method: 'GET', url: '/fhir/Patient/p/Organization' })).status).toBe(400);
  });
});

describe('a search that looks into other types', () => {
  it.each([
    ['a chain', 'Observation?subject:Patient.family=test-moreau'],
    ['_has', 'Organization?_has:Patient:organization:family=test'],
    ['_filter', 'Observation?_filter=patient.family eq "x"'],
    ['a list', 'Organization?_list=x'],
  ])('by %s needs the right to search them', async (_name, query) => {
    const [type, criteria] = query.split('?') as [ResourceType, string];
    const touched = server.store.typesTouched([type], encodeURI(criteria), 'aa').tested;
    const other = [...touched].find((type) => !query.startsWith(type))!;
    server.refused = ({ interaction, type }) => interaction === 'search-type' && type === other;
    expect((await server.request({ method: 'GET', url: encodeURI(`/fhir/${query}`) })).status).toBe(403);
  });
});
