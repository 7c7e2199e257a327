import type { Bundle, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compartmentTypes, routes } from '../../../src/fhir/rest/routes.ts';
import {
  comparable,
  each,
  inB,
  nowhere,
  openWorld,
  type Request,
  type ResourceTypeName,
  secret,
  types,
  type World,
} from './world.ts';

/** Every address of the RESTful API, as the routes list them, asked by A about an id of B and about one that nobody has. */
let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.close());

/** Differences between the two answers to a request that is made of an id; each is asked of a world that is the same for both. */
async function differences(requests: readonly ((id: string) => Request)[]): Promise<string[]> {
  const found: string[] = [];
  await each(requests, async (request) => {
    const there = await world.ask(request(inB));
    const nobody = await world.ask(request(nowhere));
    if (comparable(there) !== comparable(nobody) || there.text.includes(secret))
      found.push(`${request(inB).method ?? 'GET'} ${request(inB).path}: ${there.status} / ${nobody.status}`);
  });
  return found;
}

/** The addresses a pattern stands for: `:id` is the id asked about. */
function addresses(path: string): ((id: string) => string)[] {
  const ofType = path.includes(':type') ? types : [undefined];
  const compartments: readonly (string | undefined)[] = path.includes(':compartment')
    ? [...compartmentTypes]
    : [undefined];
  const members = path.includes(':member') ? (['Observation', 'Task', 'Patient'] as const) : [undefined];
  return ofType.flatMap((type) =>
    compartments.flatMap((compartment) =>
      members.map(
        (member) => (id: string) =>
          path
            .replace(':type', type ?? '')
            .replace(':compartment', compartment ?? '')
            .replace(':member', member ?? '')
            .replace(':id', id)
            .replace(':versionId', '1')
            // Everything on one page, with the trail or without it.
            .replace(/\*$/, '*?_count=1000'),
      ),
    ),
  );
}

describe('an address of what another tenant has', () => {
  const reading = routes.filter(({ method, path }) => method === 'GET' && /:id/.test(path) && !path.includes('$'));

  it('answers as one that nobody has: read, vread, history, compartments of every type', async () => {
    const requests = reading.flatMap(({ path }) =>
      addresses(path).map((address) => (id: string) => ({ path: `/fhir/${address(id)}` })),
    );
    expect(reading.length).toBeGreaterThan(4);
    expect(requests.length).toBeGreaterThan(450);
    expect(await differences(requests)).toEqual([]);
  }, 60_000);

  it('answers so to conditions, XML, pages, subsets and HEAD', async () => {
    const variants: Omit<Request, 'path'>[] = [
      { headers: { 'if-none-match': 'W/"1"' } },
      { headers: { 'if-modified-since': new Date().toUTCString() } },
      { headers: { accept: 'application/fhir+xml' } },
      { headers: { accept: 'text/html' } },
      { method: 'HEAD' },
    ];
    expect(
      await differences([
        ...variants.map((variant) => (id: string) => ({ ...variant, path: `/fhir/Patient/${id}` })),
        (id) => ({ path: `/fhir/Patient/${id}?_elements=name` }),
        (id) => ({ path: `/fhir/Binary/${id}`, headers: { accept: '*/*' } }),
        (id) => ({ path: `/fhir/Binary/${id}/_history/1`, headers: { accept: 'application/pdf' } }),
      ]),
    ).toEqual([]);
  });

  it('is in no history of a type or of everything', async () => {
    await each([...types.map((type) => `${type}/_history`), '_history'], async (path) => {
      const { status, text } = await world.ask({ path: `/fhir/${path}?_count=1000` });
      expect(status, path).toBe(200);
      expect(text.includes(secret), path).toBe(false);
    });
  }, 60_000);

  it('is in no search over several types', async () => {
    for (const query of [`_id=${inB}`, `_type=${types.slice(0, 40).join()}&_id=${inB}`, '_count=1000'])
      expect((await world.ask({ path: `/fhir?${query}` })).text.includes(secret), query).toBe(false);
  });
});

describe('a write about what another tenant has', () => {
  const writes = routes.filter(
    ({ method, path }) => method !== 'GET' && !path.includes('$') && !path.includes('_search'),
  );
  const identifier = (id: string) =>
    encodeURIComponent(id === inB ? `${secret}-system-0|${secret}-value-0` : 'no-system|no-value');
  const patch = [{ op: 'add', path: '/language', value: 'fr' }];
  const json = 'application/json-patch+json';

  const ofCases: readonly string[] = [
    'Patient',
    'ServiceRequest',
    'Task',
    'ImagingStudy',
    'DiagnosticReport',
    'Binary',
  ];

  it('is listed here for every address that writes', () => {
    expect(writes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      'DELETE :type',
      'DELETE :type/:id',
      'PATCH :type',
      'PATCH :type/:id',
      'POST :type',
      'PUT :type',
      'PUT :type/:id',
    ]);
  });

  it('does what it does to an id that nobody has, and to nothing of the other tenant', async () => {
    const before = await picture('bb');
    // The types share their code: one in four, and those that cases are made of; sql.test.ts tries the table of each.
    const requests = types
      .filter((type, index) => index % 4 === 0 || ofCases.includes(type))
      .filter((type) => !['AuditEvent', 'Subscription'].includes(type))
      .flatMap((type): ((id: string) => Request)[] => {
        const put = (id: string) => ({ resourceType: type, id });
        return [
          (id) => ({ method: 'DELETE', path: `/fhir/${type}?_id=${id}` }),
          (id) => ({ method: 'DELETE', path: `/fhir/${type}?identifier=${identifier(id)}` }),
          (id) => ({
            method: 'PATCH',
            path: `/fhir/${type}?_id=${id}`,
            body: patch,
            headers: { 'content-type': json },
          }),
          (id) => ({ method: 'PATCH', path: `/fhir/${type}/${id}`, body: patch, headers: { 'content-type': json } }),
          (id) => ({ method: 'DELETE', path: `/fhir/${type}/${id}` }),
          (id) => ({ method: 'PUT', path: `/fhir/${type}/${id}`, body: put(id), headers: { 'if-match': 'W/"1"' } }),
          (id) => ({
            method: 'PUT',
            path: `/fhir/${type}?identifier=${identifier(id)}`,
            body: put(`made-${id}`),
          }),
          (id) => ({
            method: 'POST',
            path: `/fhir/${type}`,
            body: { resourceType: type },
            headers: { 'if-none-exist': `_id=${id}` },
          }),
        ];
      });
    // One type after the other: what is written there is asked about by the next request.
    expect(await differences(requests)).toEqual([]);
    expect(await picture('bb')).toEqual(before);
  }, 120_000);

  it('creates under an id that only another tenant has', async () => {
    for (const id of [inB, nowhere]) {
      const put = await world.ask({
        ...{ method: 'PUT', path: `/fhir/Patient/${id}` },
        body: { resourceType: 'Patient', id, name: [{ text: 'OF A' }] },
      });
      expect(put.status).toBe(201);
      expect(JSON.parse(put.text).meta.versionId).toBe('1');
    }
    const theirs = await world.ask({ path: `/fhir/Patient/${inB}`, token: world.tokenB });
    expect(theirs.text).toContain(secret);
  });
});

describe('a Bundle about what another tenant has', () => {
  const entries = (id: string): Bundle['entry'] => [
    { request: { method: 'GET', url: `Observation/${id}` } },
    { request: { method: 'GET', url: `Observation/${id}/_history/1` } },
    { request: { method: 'GET', url: `Observation/${id}/_history` } },
    { request: { method: 'GET', url: `Observation?_id=${id}&_include=*` } },
    { request: { method: 'GET', url: `Patient?_has:Observation:patient:_id=${id}` } },
    { request: { method: 'GET', url: `Encounter/${id}/$everything` } },
    { request: { method: 'DELETE', url: `Observation?_id=${id}` } },
    { request: { method: 'PATCH', url: `Observation?_id=${id}` }, resource: binaryPatch },
    ...['http://127.0.0.1/t/bb/fhir', '../t/bb/fhir', '/t/bb/fhir', `${world.server.httpUrl}/t/bb/fhir`].map(
      (base) => ({
        request: { method: 'GET' as const, url: `${base}/Observation/${id}` },
      }),
    ),
  ];
  const binaryPatch: Resource = {
    ...{ resourceType: 'Binary', contentType: 'application/json-patch+json' },
    data: Buffer.from('[{"op":"add","path":"/language","value":"fr"}]').toString('base64'),
  };

  it('answers each entry of a batch as if nobody had it', async () => {
    const batch = (id: string): Request => ({
      ...{ method: 'POST', path: '/fhir' },
      body: { resourceType: 'Bundle', type: 'batch', entry: entries(id) },
    });
    expect(await differences([batch])).toEqual([]);
  });

  it('finds nothing to refer to, by literal, conditional and absolute references, nor to write upon', async () => {
    const before = await picture('bb');
    const observation = (subject: string): Resource => ({
      ...{ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: subject } },
    });
    const post = { method: 'POST' as const, url: 'Observation' };
    const identifier = (id: string) => (id === inB ? `${secret}-system-0|${secret}-value-0` : 'no|no');
    const transactions: ((id: string) => NonNullable<Bundle['entry']>)[] = [
      (id) => [{ request: post, resource: observation(`Encounter/${id}`) }],
      (id) => [{ request: post, resource: observation(`Encounter?identifier=${identifier(id)}`) }],
      (id) => [{ request: post, resource: observation(`${world.server.httpUrl}/t/bb/fhir/Encounter/${id}`) }],
      (id) => [
        {
          fullUrl: 'urn:uuid:0b0b0b0b-0000-4000-8000-000000000001',
          request: { ...post, ifNoneExist: `_id=${id}` },
          resource: observation('#'),
        },
      ],
      (id) => [{ request: { method: 'DELETE', url: `Encounter/${id}` } }],
      (id) => [{ request: { method: 'PUT', url: `Encounter/${id}`, ifMatch: 'W/"1"' }, resource: encounter(id) }],
      (id) => [
        { request: { method: 'GET', url: `Encounter/${id}` } },
        { request: { method: 'GET', url: `Encounter?_id=${id}` } },
      ],
    ];
    const encounter = (id: string): Resource => ({
      ...{ resourceType: 'Encounter', id, status: 'planned', class: { code: 'AMB' } },
    });
    expect(
      await differences(
        transactions.map((entry) => (id: string) => ({
          ...{ method: 'POST', path: '/fhir' },
          body: { resourceType: 'Bundle', type: 'transaction', entry: entry(id) },
        })),
      ),
    ).toEqual([]);
    expect(await picture('bb')).toEqual(before);
  });
});

/** How many versions a tenant has of each type, and when the last one was made. */
async function picture(tenant: string): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {};
  await each(types, async (type: ResourceTypeName) => {
    if (type === 'AuditEvent') return;
    const { rows } = await world.server.database.query(
      tenant,
      `SELECT count(*)::integer AS rows, sum(version)::integer AS versions, max(updated) AS last FROM fhir.${type.toLowerCase()} WHERE tenant = $1`,
      [tenant],
    );
    seen[type] = rows[0];
  });
  return seen;
}
