import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../rest/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  for (const resource of resources) await put(resource);
  await put({ ...patient, active: false });
});
afterAll(() => server.close());

/** What Chromium sends when somebody types an address. */
const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8' };

const script = '<script>alert("x")</script>';
const patient = {
  resourceType: 'Patient',
  id: 'page-1',
  text: {
    status: 'additional',
    div:
      '<div xmlns="http://www.w3.org/1999/xhtml" class="a" style="color: red"><p id="b">Zoé &lt; <a href="Organization/page-o">là</a></p>' +
      '<a name="empty"/><img src="https://tracker.example/a.png" alt="image"/><a href="//evil.example/">ailleurs</a></div>',
  },
  name: [{ family: `TEST-${script}`, given: ['Zoé'] }],
  managingOrganization: { reference: 'Organization/page-o' },
  photo: [{ url: 'javascript:alert(1)', title: 'https://example.org/a?b=1&c=2' }],
};
const resources = [
  { resourceType: 'Organization', id: 'page-o', name: 'CH-EXEMPLE' },
  patient,
  { resourceType: 'Observation', id: 'page-2', status: 'final', code: { text: 'pH' }, valueQuantity: { value: 7.2 } },
  { resourceType: 'Binary', id: 'page-3', contentType: 'text/html', data: Buffer.from(script).toString('base64') },
  ...['a', 'b', 'c'].map((id) => ({ resourceType: 'Basic', id: `page-${id}`, code: { text: `Fiche ${id}` } })),
];

async function put(resource: { resourceType: string; id: string; [element: string]: unknown }) {
  const url = `/fhir/${resource.resourceType}/${resource.id}`;
  const headers = { 'content-type': 'application/fhir+json' };
  const { status } = await server.request({ method: 'PUT', url, headers, payload: resource });
  expect([200, 201]).toContain(status);
}

async function page(path: string, headers: Record<string, string> = browser) {
  const response = await server.request({ method: 'GET', url: path, headers });
  expect(response.headers['content-type'], path).toBe('text/html; charset=utf-8');
  // Of whatever was sent, nothing runs, and nothing is loaded from elsewhere.
  const tags = [...response.text.matchAll(/<[^>]*>/g)].join('');
  expect(tags).not.toMatch(/<script|\son\w+=|\sstyle=|"javascript:|src="http/);
  return response;
}

describe('the page of a resource', () => {
  it('is what a browser gets, and nobody else', async () => {
    expect((await page('/fhir/Patient/page-1')).status).toBe(200);
    expect((await page('/fhir/Patient/page-1?_format=html', {})).status).toBe(200);
    const fetched = await server.request({ method: 'GET', url: '/fhir/Patient/page-1', headers: { accept: '*/*' } });
    expect(fetched.headers).toMatchObject({ 'content-type': 'application/fhir+json; charset=utf-8', vary: 'Accept' });
    expect((await page('/fhir/Patient/page-1')).headers).toMatchObject({
      'cache-control': 'no-store',
      vary: expect.stringContaining('Accept'),
    });
  });

  it('has a twin in XML that the browser shows and does not save', async () => {
    const url = '/fhir/Patient/page-1?_format=xml';
    const shown = await server.request({ method: 'GET', url, headers: browser });
    expect(shown.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(shown.text).toContain('<Patient xmlns="http://hl7.org/fhir">');
    const fetched = await server.request({ method: 'GET', url, headers: { accept: '*/*' } });
    expect(fetched.headers['content-type']).toBe('application/fhir+xml; charset=utf-8');
  });

  it('is audited like any read', async () => {
    server.audited.length = 0;
    await page('/fhir/Patient/page-1');
    expect(server.audited).toMatchObject([{ interaction: 'read', outcome: 'success', resources: [{ id: 'page-1' }] }]);
  });

  it('shows coloured JSON in which everything is escaped and references are links', async () => {
    const { text } = await page('/fhir/Patient/page-1');
    expect(text).toContain('TEST-&lt;script&gt;alert(');
    expect(text).toContain(
      '<span class="key">&quot;resourceType&quot;</span>: <span class="string">&quot;Patient&quot;</span>',
    );
    expect(text).toContain('<a href="/fhir/Organization/page-o">&quot;Organization/page-o&quot;</a>');
    expect(text).toContain('<a href="https://example.org/a?b=1&amp;c=2">');
    expect(text).toContain('<span class="string">&quot;javascript:alert(1)&quot;</span>');
  });

  it('shows the narrative without its styles, its pictures from elsewhere and its links to nowhere', async () => {
    const { text } = await page('/fhir/Patient/page-1');
    expect(text).toContain(
      '<div><p>Zoé &lt; <a href="/fhir/Organization/page-o">là</a></p><a></a><img alt="image"><a>ailleurs</a></div>',
    );
  });

  it('keeps the text of decimals', async () => {
    const payload =
      '{"resourceType":"Basic","id":"page-d","code":{"text":"a"},"extension":[{"url":"https://a.example","valueDecimal":1.00}]}';
    const headers = { 'content-type': 'application/fhir+json' };
    await server.request({ method: 'PUT', url: '/fhir/Basic/page-d', headers, payload });
    expect((await page('/fhir/Basic/page-d')).text).toContain('<span class="number">1.00</span>');
  });

  it('leads to its other forms, its history and its versions', async () => {
    const { text } = await page('/fhir/Patient/page-1');
    for (const href of [
      '/fhir/Patient/page-1?_format=json&amp;_pretty=true',
      '/fhir/Patient/page-1?_format=xml&amp;_pretty=true',
      '/fhir/Patient/page-1/_history',
      '/fhir/Patient/page-1/_history/1',
      '/fhir/Patient',
    ])
      expect(text).toContain(`href="${href}"`);
    const past = await page('/fhir/Patient/page-1/_history/1');
    expect(past.text).toContain('href="/fhir/Patient/page-1">Version actuelle');
    const history = await page('/fhir/Patient/page-1/_history');
    expect(history.text).toContain('href="/fhir/Patient/page-1/_history/2"');
    expect(history.text).toContain('modification');
  });

  it('of a Binary is the file itself, unless the page is asked for', async () => {
    const file = await server.request({ method: 'GET', url: '/fhir/Binary/page-3', headers: browser });
    expect(file).toMatchObject({
      text: script,
      headers: { 'content-security-policy': expect.stringMatching(/^sandbox; default-src 'none';/) },
    });
    expect((await page('/fhir/Binary/page-3?_format=html')).text).toContain('contentType');
  });

  it('says who is looking', async () => {
    expect((await page('/fhir/Patient/page-1')).text).toContain('Test · aa');
  });
});

describe('the page of a search', () => {
  it('has a field for every parameter of the type, filled with what was asked, others too', async () => {
    const { text } = await page('/fhir/Patient?family=test&name:exact=%22%3E%3Cb%3E');
    for (const name of ['birthdate', 'identifier', '_lastUpdated', '_sort'])
      expect(text).toContain(`<input name="${name}" value=""`);
    expect(text).toContain('<input name="family" value="test"');
    expect(text).toContain('<input name="name:exact" value="&quot;&gt;&lt;b&gt;"');
  });

  it('searches with the fields that are filled', async () => {
    const { status, text } = await page('/fhir/Patient?family=TEST&birthdate=&identifier=&_sort=');
    expect(status).toBe(200);
    expect(text).toContain('<a href="/fhir/Patient/page-1">Patient/page-1</a>');
    expect(text).toContain('Zoé TEST-&lt;script&gt;');
  });

  it('stays in the compartment it is in', async () => {
    const { text } = await page('/fhir/Patient/page-1/Observation');
    expect(text).toContain('<h1>Patient/page-1/Observation</h1>');
    expect(text).toContain('<form action="/fhir/Patient/page-1/Observation"');
  });

  it('turns pages by links', async () => {
    const first = await page('/fhir/Basic?_count=2&_id=page-a,page-b,page-c');
    const next = /<a href="([^"]*)" rel="next">Page suivante<\/a>/.exec(first.text)![1]!.replaceAll('&amp;', '&');
    expect(next).toMatch(/^\/fhir\/Basic\?/);
    const second = await page(next);
    const shown = [first, second].map(({ text }) => [...text.matchAll(/>Basic\/(page-[abc])</g)].map(([, id]) => id));
    expect(shown.map(({ length }) => length)).toEqual([2, 1]);
    expect(shown.flat().sort()).toEqual(['page-a', 'page-b', 'page-c']);
  });

  it('shows an error in French, the form still there', async () => {
    const { status, text } = await page('/fhir/Patient?%3Cscript%3E=1');
    expect(status).toBe(400);
    expect(text).toContain('400 – Demande incorrecte');
    expect(text).toContain('<strong>Erreur</strong> : non pris en charge');
    expect(text).toContain('&lt;script&gt;');
    expect(text).toContain('<form action="/fhir/Patient"');
  });
});

describe('the start page', () => {
  it('lists the types, and leads to what the server says of itself', async () => {
    const { text } = await page('/fhir');
    for (const href of ['/fhir/Patient', '/fhir/VisionPrescription', '/fhir/metadata', '/fhir/openapi.json'])
      expect(text).toContain(`href="${href}"`);
    expect((await page('/fhir/')).text).toBe(text);
  });

  it('keeps to the address the tenant is reached by', async () => {
    const { text } = await page('/t/aa/fhir');
    expect(text).toContain('href="/t/aa/fhir/Patient"');
  });

  it('is for browsers only', async () => {
    const json = await server.request({ method: 'GET', url: '/fhir', headers: { accept: 'application/fhir+json' } });
    expect(json.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
  });

  it('brings a style sheet that everybody may read and keep', async () => {
    const { text } = await page('/fhir');
    const url = /<link rel="stylesheet" href="([^"]+)">/.exec(text)![1]!;
    const sheet = await server.request({ method: 'GET', url, headers: { authorization: 'Bearer nobody' } });
    expect(sheet).toMatchObject({ status: 200, headers: { 'content-type': 'text/css; charset=utf-8' } });
    expect(sheet.headers['cache-control']).toContain('immutable');
  });
});

describe('pages of failures', () => {
  it('say where to sign in', async () => {
    for (const path of ['/fhir', '/fhir/Patient', '/fhir/Patient/page-1', '/fhir/nothing']) {
      const { status, text } = await page(path, { ...browser, authorization: 'Bearer nobody' });
      expect(status).toBe(401);
      expect(text).toContain('<a href="/">Connectez-vous à la page d’accueil</a>');
      expect(text).not.toContain('<form');
    }
  });

  it('tell what is not there, was deleted or may not be seen', async () => {
    await server.request({ method: 'DELETE', url: '/fhir/Basic/page-c' });
    server.refused = ({ type }) => type === 'Account';
    expect((await page('/fhir/Basic/none')).text).toContain('404 – Introuvable');
    expect((await page('/fhir/Basic/page-c')).text).toContain('410 – Ressource supprimée');
    expect((await page('/fhir/Account')).text).toContain('403 – Accès refusé');
    expect((await page('/fhir/Shoe')).status).toBe(404);
  });
});

describe('the capability statement', () => {
  it('has a page for everybody', async () => {
    const { status, text } = await page('/fhir/metadata', { ...browser, authorization: 'Bearer nobody' });
    expect(status).toBe(200);
    expect(text).toContain('CapabilityStatement');
  });
});
