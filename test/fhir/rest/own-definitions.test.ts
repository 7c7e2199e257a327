import type { Bundle, CodeSystem } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArtefacts } from '../../../src/fhir/rest/artefacts.ts';
import { base, type TestServer, testServer } from './server.ts';

const own = readArtefacts()
  .filter(({ resourceType }) => resourceType === 'CodeSystem')
  .map(({ id }) => id!);
const stored = ['mine-1', 'mine-2', 'mine-3', 'mine-4'];

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  await server.store.transaction(
    {
      tenant: 'aa',
      actor: { reference: 'Device/x', display: 'x', account: 'x', kind: 'system', roles: [] },
      requestId: 'r',
      interaction: 'create',
      now: () => new Date(),
    },
    async (tx) => {
      for (const id of stored)
        await tx.create<CodeSystem>({ resourceType: 'CodeSystem', id, status: 'draft', content: 'complete' });
    },
  );
});
afterAll(() => server.close());

async function search(query: string): Promise<Bundle> {
  const { status, body, text } = await server.request({ method: 'GET', url: `/fhir/CodeSystem?${query}` });
  expect(status, text).toBe(200);
  return body;
}

const link = (bundle: Bundle, name: string) => bundle.link!.find(({ relation }) => relation === name)?.url;
const queryOf = (url: string) => url.slice(url.indexOf('?') + 1);
const idsOf = (bundle: Bundle) => (bundle.entry ?? []).map(({ resource }) => resource!.id!);

async function follow(from: Bundle, name: 'next' | 'previous'): Promise<Bundle[]> {
  const pages = [from];
  for (let url = link(from, name); url !== undefined; url = link(pages.at(-1)!, name))
    pages.push(await search(queryOf(url)));
  return pages;
}

describe('our own definitions in a search', () => {
  it.each([1, 3, own.length, own.length + 2, own.length + stored.length, 100])(
    'come first, in pages of %i, once each, forth and back, with one total and the way to the first page',
    async (count) => {
      const query = `_sort=_id&_total=accurate&_count=${count}`;
      const first = await search(query);
      const pages = await follow(first, 'next');
      expect(pages.flatMap(idsOf)).toEqual([...own, ...stored]);
      for (const page of pages) {
        expect(page.entry!.length).toBeLessThanOrEqual(count);
        expect(page.total).toBe(own.length + stored.length);
        expect(link(page, 'first')).toBe(`${base}/CodeSystem?${query}`);
      }
      const back = await follow(pages.at(-1)!, 'previous');
      expect(back.toReversed().flatMap(idsOf)).toEqual([...own, ...stored]);
    },
  );

  it('are counted where only a number is asked for', async () => {
    for (const query of ['_summary=count', '_count=0']) {
      const bundle = await search(query);
      expect(bundle.total).toBe(own.length + stored.length);
      expect(bundle).not.toHaveProperty('entry');
    }
  });

  it('come along with what names them by a canonical, and are what chains lead to', async () => {
    const payload = {
      resourceType: 'QuestionnaireResponse',
      status: 'completed',
      questionnaire: 'https://fhir.passerelle.example/Questionnaire/serious-announcement',
    };
    const headers = { 'content-type': 'application/fhir+json' };
    expect(
      (await server.request({ method: 'POST', url: '/fhir/QuestionnaireResponse', headers, payload })).status,
    ).toBe(201);
    const along = '_include=QuestionnaireResponse:questionnaire';
    for (const address of [`QuestionnaireResponse?${along}`, `?_type=QuestionnaireResponse&${along}`]) {
      const { body } = await server.request({ method: 'GET', url: `/fhir/${address}`.replace('/?', '?') });
      const { entry } = body as Bundle;
      expect(entry!.map(({ resource, search: how }) => `${how!.mode} ${resource!.resourceType}`)).toEqual([
        'match QuestionnaireResponse',
        'include Questionnaire',
      ]);
      expect(entry![1]!.fullUrl).toBe(`${base}/Questionnaire/serious-announcement`);
    }
    const back = `Questionnaire?url=${payload.questionnaire}&_revinclude=QuestionnaireResponse:questionnaire`;
    const told: Bundle = (await server.request({ method: 'GET', url: `/fhir/${back}` })).body;
    expect(told.entry!.map(({ resource, search: how }) => `${how!.mode} ${resource!.resourceType}`)).toEqual([
      'match Questionnaire',
      'include QuestionnaireResponse',
    ]);
    const chain = encodeURIComponent('annonce');
    const { body } = await server.request({
      method: 'GET',
      url: `/fhir/QuestionnaireResponse?questionnaire.title=${chain}`,
    });
    expect((body as Bundle).entry).toHaveLength(1);
  });

  it('are reduced like any other', async () => {
    const { entry } = await search('_elements=url&_count=1');
    expect(Object.keys(entry![0]!.resource!).sort()).toEqual([
      'content',
      'id',
      'meta',
      'resourceType',
      'status',
      'url',
    ]);
    expect(entry![0]!.resource!.meta!.tag).toMatchObject([{ code: 'SUBSETTED' }]);
    const [summary] = (await search('_summary=true&_count=1')).entry!;
    expect(summary!.resource).not.toHaveProperty('concept');
  });

  it('have an address, and are left out by criteria that are not about them', async () => {
    const [name] = own;
    const url = `https://fhir.passerelle.example/CodeSystem/${name}`;
    const { entry } = await search(`url=${url}`);
    expect(entry).toMatchObject([
      { fullUrl: `${base}/CodeSystem/${name}`, search: { mode: 'match' }, resource: { url } },
    ]);
    expect(idsOf(await search('status=draft'))).toHaveLength(stored.length);
  });

  it('take no cursor that was not made for them', async () => {
    for (const place of [
      ['n', null, 'x'],
      ['n', null, '-1'],
      ['p', null, '99999999'],
    ]) {
      const cursor = Buffer.from(JSON.stringify(place)).toString('base64url');
      const answer = await server.request({ method: 'GET', url: `/fhir/CodeSystem?_cursor=${cursor}` });
      expect(answer).toMatchObject({ status: 400, body: { issue: [{ expression: ['http._cursor'] }] } });
    }
  });
});
