import type { CapabilityStatement, OperationDefinition, Parameters, Resource } from '@medplum/fhirtypes';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemContext } from '../../../src/fhir/index.ts';
import { openWholeServer, type WholeServer } from './whole-server.ts';

/**
 * Every operation that is announced, asked by GET (https://hl7.org/fhir/R4/operations.html#request: only those that do not affect the
 * state of the system): a link that is followed, fetched ahead or asked again must leave nothing behind but the trail.
 */
let whole: WholeServer;
let token: string;
let announced: { type?: string; name: string; definition: string }[];

/** With what each of them would leave something behind, if it could. */
const parameters: Readonly<Record<string, string>> = {
  'Composition/$document': 'id=one&persist=true',
  $closure: 'name=one',
  $reindex: '',
};

beforeAll(async () => {
  whole = await openWholeServer({ LIMIT_ACCOUNT_RATE: 'off', LIMIT_ADDRESS_RATE: 'off' });
  token = await whole.token('conformance');
  const context = systemContext('aa', 'system:seed', { now: () => new Date() });
  const subject = { reference: 'Patient/one' };
  const resources: Resource[] = [
    { resourceType: 'Patient', id: 'one' },
    { resourceType: 'Practitioner', id: 'one' },
    {
      ...{ resourceType: 'Composition', id: 'one', status: 'final', type: { text: 'x' }, subject, title: 'x' },
      ...{ date: '2026-01-01', author: [{ reference: 'Practitioner/one' }] },
    } as Resource,
  ];
  await whole.server.store.transaction(context, async (tx) => {
    for (const resource of resources) await tx.create(resource);
  });
  const { rest } = (await get('/fhir/metadata')).body as CapabilityStatement;
  const [{ operation = [], resource: types = [] }] = rest as [NonNullable<typeof rest>[number]];
  announced = [
    ...operation.map(({ name, definition }) => ({ name: name!, definition: definition! })),
    ...types.flatMap(({ type, operation: own = [] }) =>
      own.map(({ name, definition }) => ({ type: type!, name: name!, definition: definition! })),
    ),
  ];
}, 120_000);
afterAll(() => whole?.close());

async function ask(method: string, path: string, payload?: object): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${whole.server.httpUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      prefer: 'respond-async',
      ...(payload ? { 'content-type': 'application/fhir+json' } : {}),
    },
    ...(payload ? { body: JSON.stringify(payload) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}
const get = (path: string) => ask('GET', path);

/** Addresses of an operation; of one that every type has, those of one type stand for all. */
function addresses({ type, name }: { type?: string; name: string }): string[] {
  const query = parameters[`${type ? `${type}/` : ''}$${name}`];
  const of = type ? [type] : ['', 'Composition'];
  return of.flatMap((each) =>
    (each ? [each, `${each}/one`] : ['']).map((place) => {
      // An instance is named by its place already.
      const asked = place.includes('/') ? query?.replace(/\bid=one&/, '') : query;
      return `/fhir/${place ? `${place}/` : ''}$${name}${asked ? `?${asked}` : ''}`;
    }),
  );
}

/** Rows of every table but those of the trail, and of jobs: Bulk Data has exports begun by GET. */
async function rows(): Promise<Record<string, number>> {
  const client = new pg.Client(whole.server.database.adminUrl);
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname IN ('public', 'fhir', 'terminology') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND c.relname !~ '^(auditevent|audit_|journal|index_state|bulk_job|account_use|string_key|date_key|number_key)'`,
    );
    const counts = tables.rows.map(
      ({ name }) => `SELECT '${name.replaceAll("'", "''")}' AS name, count(*)::int FROM ${name}`,
    );
    const found = await client.query<{ name: string; count: number }>(counts.join(' UNION ALL '));
    return Object.fromEntries(found.rows.map(({ name, count }) => [name, count]));
  } finally {
    await client.end();
  }
}

it('an operation asked by GET leaves nothing behind, whatever its parameters', async () => {
  expect(announced.length).toBeGreaterThan(60);
  const before = await rows();
  for (const operation of announced) {
    for (const address of addresses(operation)) {
      const { status, body } = await get(address);
      expect(status, address).toBeLessThan(500);
      expect(typeof body === 'object' || status < 300, address).toBe(true);
    }
  }
  expect(await rows()).toEqual(before);
}, 120_000);

it('an operation whose definition says that it changes something is refused by GET, with 405 and an OperationOutcome', async () => {
  let refused = 0;
  // An operation of every type has one definition: it is read once, not 150 times.
  const read = new Map<string, ReturnType<typeof get>>();
  for (const { definition, ...operation } of announced) {
    const own = /\/(OperationDefinition\/[^/|]+)$/.exec(definition.replace('https://fhir.passerelle.example', ''))?.[1];
    const reading = read.get(definition) ?? get(`/fhir/${own}`);
    read.set(definition, reading);
    const found = await reading;
    const isOurs = definition.startsWith('https://fhir.passerelle.example/');
    if (isOurs) expect(found.status, definition).toBe(200);
    const registered = whole.server.store.operations.filter(
      ({ name, type }) => name === operation.name && (type === undefined || type === operation.type),
    );
    const definedBy = found.body as OperationDefinition;
    if (isOurs && registered.length > 0)
      expect(definedBy.affectsState, definition).toBe(registered.some(({ affectsState }) => affectsState));
    if (!registered.some(({ affectsState }) => affectsState)) continue;
    const statuses: number[] = [];
    for (const address of addresses(operation)) {
      const { status, body } = await get(address);
      statuses.push(status);
      if (status === 405) expect(body, address).toMatchObject({ resourceType: 'OperationOutcome' });
      // The operation exists at one of its levels, and only there.
      expect([404, 405], address).toContain(status);
    }
    expect(statuses, definition).toContain(405);
    refused++;
  }
  expect(refused).toBeGreaterThan(30);
}, 120_000);

it('a document is kept by POST alone, in Bundles too', async () => {
  const kept: Parameters = { resourceType: 'Parameters', parameter: [{ name: 'persist', valueBoolean: true }] };
  const path = 'Composition/one/$document?persist=true';
  expect(await get(`/fhir/${path}`)).toMatchObject({
    status: 405,
    body: { resourceType: 'OperationOutcome', issue: [{ code: 'not-supported' }] },
  });
  for (const type of ['batch', 'transaction']) {
    const entry = [
      { request: { method: 'POST', url: 'Basic' }, resource: { resourceType: 'Basic', code: { text: type } } },
      { request: { method: 'GET', url: path } },
    ];
    const { status, body } = await ask('POST', '/fhir', { resourceType: 'Bundle', type, entry });
    if (type === 'transaction') expect(status).toBe(405);
    else
      expect(body).toMatchObject({
        entry: [{ response: { status: '201 Created' } }, { response: { status: /^405/ } }],
      });
    // Beside what is written in the same transaction, what only reads stays allowed.
    const reading = [entry[0], { request: { method: 'GET', url: 'Composition/one/$document' } }];
    expect(await ask('POST', '/fhir', { resourceType: 'Bundle', type, entry: reading })).toMatchObject({
      status: 200,
      body: { entry: [{}, { response: { status: '200 OK' } }] },
    });
  }
  const answer = await ask('POST', '/fhir/Composition/one/$document', kept);
  expect(answer).toMatchObject({ status: 200, body: { resourceType: 'Bundle', meta: { versionId: '1' } } });
});
