/** Every route the server registers, and the AuditEvent it leaves; before its answer leaves. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isGranted } from '../../../src/access/policy.ts';
import { routes } from '../../../src/fhir/rest/routes.ts';
import { interactions } from './interactions-table.ts';
import { type Case, dicomwebRow, type Row, table } from './routes-table.ts';
import { type Ask, openServed, password, type Served, study } from './served.ts';

let served: Served;
/** What stands in braces in the table. */
const values: Record<string, string> = {};
beforeAll(async () => {
  served = await openServed();
  const { access } = served.server;
  for (const login of ['session-ok', 'session-target', 'session-signed'])
    await access.ensureAccount({
      ...{ tenant: 'aa', login, display: login, kind: 'person', reference: `Practitioner/${login}` },
      ...{ roles: ['radiologist'], password },
    });
  await access.signIn({ username: 'session-signed', password, network: '192.0.2.1', requestId: 'before' });
  await access.ensureAccount({
    ...{ tenant: 'aa', login: 'token-ris', display: 'RIS', kind: 'machine', reference: 'Device/ris', roles: ['ris'] },
  });
  for (const name of ['export', 'other']) values[name] = await exported();
  const { text } = await served.ask({ by: 'token:conformance', path: values.export! });
  values.file = below(JSON.parse(text).output[0].url);
  values.request = new URLSearchParams({
    ...{ response_type: 'code', client_id: 'viewer', redirect_uri: 'https://app.example/callback', state: 'x' },
    ...{ scope: 'launch/patient patient/*.rs', aud: `${served.server.httpUrl}/fhir` },
    ...{ code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' },
  }).toString();
  const instances = await served.ask({
    by: 'token:conformance',
    path: '/dicomweb/instances',
    headers: { accept: 'application/dicom+json' },
  });
  const [first] = JSON.parse(instances.text) as Record<string, { Value: string[] }>[];
  values.series = first!['0020000E']!.Value[0]!;
  values.instance = first!['00080018']!.Value[0]!;
}, 60_000);
afterAll(() => served?.close());

const below = (url: string) => url.replace(served.server.httpUrl, '');

/** Address of an export that is done. */
async function exported(): Promise<string> {
  const begun = await served.ask({
    ...{ by: 'token:conformance', path: '/fhir/Patient/$export?_type=Patient' },
    headers: { prefer: 'respond-async' },
  });
  const path = below(begun.headers.get('content-location')!);
  while ((await served.ask({ by: 'token:conformance', path })).status === 202)
    await new Promise((resolve) => setImmediate(resolve));
  return path;
}

/** With what is known only once the server runs. */
function filled(ask: Ask): Ask {
  const path = ask.path
    .replace(/\{(\w+)\}/g, (_all, name: string) => values[name]!)
    .replace(':study', study)
    .replace(':series', values.series!)
    .replace(':instance', values.instance!)
    .replace(':frames', '1')
    .replace('/bulkdata/*', '/bulkdata/7FE00010');
  return { ...ask, path };
}

/** The routes as the table names them: HEAD is GET without its body, and each tenant has the same. */
function rows(): { route: string; row: Row | undefined; inTenants: boolean }[] {
  const names = new Map<string, boolean>();
  for (const route of served.routes) {
    const [method = '', url = ''] = route.split(' ');
    const plain = url.replace('/t/:tenant', '');
    const name = `${method === 'HEAD' ? 'GET' : method} ${plain}`;
    names.set(name, names.get(name) || plain !== url);
  }
  return [...names].map(([route, inTenants]) => {
    const [method = '', url = ''] = route.split(' ');
    return {
      route,
      row: table[route] ?? (url.startsWith('/dicomweb/') ? dicomwebRow(method, url) : undefined),
      inTenants,
    };
  });
}

async function seen({ ask }: Case): Promise<{ status: number; leaves: string[] }> {
  const answer = await served.ask(filled(ask));
  return { status: answer.status, leaves: await answer.events() };
}
const expected = ({ status, leaves }: Case) => ({ status, leaves });

test('every route has its line, and every line its route', () => {
  const all = rows();
  expect(all.filter(({ row }) => row === undefined).map(({ route }) => route)).toEqual([]);
  const known = new Set(all.map(({ route }) => route));
  expect(Object.keys(table).filter((route) => !known.has(route))).toEqual([]);
});

test('what is done leaves its event: who, what, about whom', async () => {
  const wrong: unknown[] = [];
  for (const { route, row } of rows()) {
    if (!row || typeof row.done === 'string') continue;
    const left = await seen(row.done);
    if (JSON.stringify(left) !== JSON.stringify(expected(row.done)))
      wrong.push({ route, left, expected: expected(row.done) });
  }
  expect(wrong).toEqual([]);
}, 60_000);

test('what is refused leaves its event', async () => {
  const wrong: unknown[] = [];
  for (const { route, row } of rows()) {
    if (!row || typeof row.refused === 'string') continue;
    const left = await seen(row.refused);
    if (JSON.stringify(left) !== JSON.stringify(expected(row.refused)))
      wrong.push({ route, left, expected: expected(row.refused) });
  }
  expect(wrong).toEqual([]);
}, 60_000);

test('every interaction of the REST API leaves its event, done or refused', async () => {
  expect(Object.keys(interactions).sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  const wrong: unknown[] = [];
  for (const [name, { ask, done, refused }] of Object.entries(interactions)) {
    for (const [by, outcome, wanted] of [
      ['token:switchboard', '8', refused],
      ['token:conformance', '0', done],
    ] as const) {
      const path = `/fhir${ask.path.startsWith('?') ? '' : '/'}${ask.path}`;
      const answer = await served.ask({ ...ask, by, path });
      const left = await answer.events();
      const who = by.replace(':', '-');
      const [what = '', patient] = typeof wanted === 'string' ? wanted.split(' ') : [];
      const pattern = [`${what} ${outcome} ${who}`, ...(patient ? [patient] : [])].join(' ');
      const isRight =
        what === '' ? left.length === 0 : left.length === 1 && matches(left[0]!.replace(/ \(.*\)$/, ''), pattern);
      const isAnswered = what === '' || (outcome === '0' ? answer.status < 300 : answer.status === 403);
      if (!isRight || !isAnswered)
        wrong.push({ name, by, status: answer.status, left, wanted: pattern, text: answer.text.slice(0, 200) });
    }
  }
  expect(wrong).toEqual([]);
}, 60_000);

test('a batch leaves an event for each of its entries, a transaction one for all it wrote', async () => {
  const bundle = (type: string, entry: object[]) => ({ resourceType: 'Bundle', type, entry });
  const entries = [
    { request: { method: 'GET', url: 'Patient/p1' } },
    { request: { method: 'GET', url: 'Task/nobody' } },
  ];
  const write = { request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient' } };
  const left = async (by: string, body: object) =>
    (await served.ask({ by, method: 'POST', path: '/fhir', body })).events();
  expect(await left('token:conformance', bundle('batch', entries))).toEqual([
    'rest/read 0 token-conformance p1',
    'rest/read 4 token-conformance',
  ]);
  expect(await left('token:switchboard', bundle('batch', entries))).toEqual([
    'rest/read 8 token-switchboard',
    'rest/read 8 token-switchboard',
  ]);
  expect(await left('token:conformance', bundle('transaction', [write, entries[0]!]))).toEqual([
    expect.stringMatching(/^rest\/transaction 0 token-conformance [0-9a-f-]{36}$/),
    'rest/read 0 token-conformance p1',
  ]);
  expect(await left('token:switchboard', bundle('transaction', [write]))).toEqual(
    expect.arrayContaining(['rest/transaction 8 token-switchboard', 'rest/create 8 token-switchboard']),
  );
});

/** A star at the end is any patient: one whose id the server made. */
function matches(left: string, pattern: string): boolean {
  return pattern.endsWith(' *') ? left.startsWith(pattern.slice(0, -1)) : left === pattern;
}

test('every operation that is refused is told under its name, with what it was asked of', async () => {
  const wrong: unknown[] = [];
  for (const { name, type, level } of served.server.store.operations) {
    const demand = { interaction: 'operation', operation: name, ...(type ? { type } : {}) };
    if (isGranted(['switchboard'], demand)) continue;
    const at = [...(level === 'system' ? [] : [type ?? 'Patient']), ...(level === 'instance' ? ['nobody'] : [])];
    const path = `/fhir/${[...at, `$${name}`].join('/')}`;
    const told = ['operation', ...(level === 'system' ? [] : [type ?? 'Patient']), name].join(' ');
    const answer = await served.ask({
      by: 'token:switchboard',
      method: 'POST',
      path,
      body: { resourceType: 'Parameters' },
    });
    const left = await answer.events();
    if (answer.status !== 403 || left.length !== 1 || left[0] !== `rest/operation 8 token-switchboard (${told})`)
      wrong.push({ path, status: answer.status, left });
  }
  expect(wrong).toEqual([]);
}, 60_000);

test('in a tenant that did not accept the caller every route leaves one event, in the caller’s own', async () => {
  const wrong: unknown[] = [];
  for (const { route } of rows().filter(({ inTenants }) => inTenants)) {
    const [method = '', url = ''] = route.split(' ');
    if (method === 'OPTIONS' || url.endsWith('.css') || url.endsWith('/ws') || isNoMethod(method, url)) continue;
    const path = `/t/bb${url.replace('*', 'Patient').replace(':id', 'x').replace(':name', 'y')}`;
    const answer = await served.ask(filled({ by: 'token:conformance', method, path }));
    const left = await answer.events();
    if (answer.status !== 403 || left.join() !== 'rest/cross-tenant 8 token-conformance')
      wrong.push({ route, status: answer.status, left });
  }
  expect(wrong).toEqual([]);
}, 60_000);

function isNoMethod(method: string, url: string): boolean {
  return url.startsWith('/dicomweb/') && method !== 'GET' && table[`${method} ${url}`] === undefined;
}

test('a page of another site that makes the browser send something leaves the name of who it was sent as', async () => {
  for (const [method, path] of [
    ['POST', '/fhir/Patient'],
    ['DELETE', '/oauth2/account/sessions'],
    ['POST', '/oauth2/launch'],
    ['POST', '/dicomweb/studies'],
  ] as const) {
    const answer = await served.ask({
      by: 'session:radiologist',
      method,
      path,
      headers: { origin: 'https://evil.example' },
    });
    expect({ path, status: answer.status, left: await answer.events() }).toEqual({
      ...{ path, status: 403, left: ['rest/foreign-page 8 session-radiologist'] },
    });
  }
});

test('no refusal is answered before it is kept, whatever the route', async () => {
  const superuser = new pg.Client({ connectionString: served.server.database.adminUrl });
  await superuser.connect();
  try {
    const cases = rows().flatMap(({ row }) => (row && typeof row.refused !== 'string' ? [row.refused] : []));
    // Everything else that a sign-in counts would wait for itself.
    const asked = cases.filter(({ ask }) => ask.by !== undefined && !ask.path.startsWith('/oauth2/account/password'));
    await superuser.query('BEGIN');
    await superuser.query('LOCK TABLE fhir.journal IN SHARE ROW EXCLUSIVE MODE');
    const answered: string[] = [];
    const all = asked.map(async ({ ask, leaves }) => {
      const answer = await served.ask(filled(ask));
      answered.push(ask.path);
      return { answer, leaves };
    });
    // One that has nothing to tell comes back: the others had their time.
    for (let turns = 0; turns < 20; turns++) await served.ask({ by: 'token:radiologist', path: '/oauth2/userinfo' });
    expect(answered).toEqual([]);
    await superuser.query('COMMIT');
    for (const { answer, leaves } of await Promise.all(all)) expect(await answer.events()).toEqual(leaves);
  } finally {
    await superuser.end();
  }
}, 60_000);
