import type { Parameters, Resource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  comparable,
  each,
  inB,
  nowhere,
  openWorld,
  type Request,
  referringResource,
  secret,
  type World,
} from './world.ts';

/** Every operation that is registered, asked by A about an id, a url or a person of B, and about those that nobody has. */
let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.close());

type Argument = NonNullable<Parameters['parameter']>[number];
/** What B alone has, by the id asked about; of texts, what nobody has is as long. */
const textOf = (id: string, text: string) =>
  id === inB ? `${secret}-${text}` : `NOBODYS-${text}`.slice(0, secret.length + 1 + text.length);
const url = (id: string) => textOf(id, 'url-0');
const code = (id: string) => textOf(id, 'code-0');
const person = (id: string): Resource => ({
  resourceType: 'Patient',
  identifier: [{ system: textOf(id, 'system-0'), value: textOf(id, 'value-0') }],
  name: [{ family: textOf(id, 'family-0'), given: [textOf(id, 'given-0')] }],
  birthDate: '2026-03-04',
});

/**
 * What makes an operation look for something, by its name. An operation that is registered and not listed here fails: whoever adds one
 * says how another tenant could be asked by it.
 */
const asking: Readonly<Record<string, (id: string) => Argument[]>> = {
  'ask-swap': (id) => [
    { name: 'with', valueReference: { reference: `Slot/${id}` } },
    { name: 'reason', valueString: 'away' },
  ],
  attachment: () => [],
  'break-glass': () => [{ name: 'reason', valueString: 'no other way' }],
  closure: (id) => [{ name: 'name', valueString: id }],
  diff: (id) => [
    { name: 'from', valueString: `Patient/${id}` },
    { name: 'to', valueString: `Patient/${id}/_history/1` },
  ],
  document: (id) => [{ name: 'id', valueUri: `Composition/${id}` }],
  everything: () => [{ name: '_count', valueInteger: 50 }],
  events: () => [],
  expand: (id) => [{ name: 'url', valueUri: url(id) }],
  exclude: (id) => [
    { name: 'practitioner', valueReference: { reference: `Practitioner/${id}` } },
    { name: 'reason', valueString: 'no trust' },
  ],
  export: (id) => [{ name: 'patient', valueReference: { reference: `Patient/${id}` } }],
  'get-ws-binding-token': (id) => [{ name: 'id', valueId: id }],
  graphql: (id) => [{ name: 'query', valueString: graph(id) }],
  import: (id) => [{ name: 'input', part: [{ name: 'url', valueUrl: `Binary/${id}` }] }],
  lastn: (id) => [{ name: 'subject', valueString: `Patient/${id}` }],
  lookup: (id) => [
    { name: 'system', valueUri: url(id) },
    { name: 'code', valueCode: code(id) },
  ],
  match: (id) => [
    { name: 'resource', resource: person(id) },
    { name: 'count', valueInteger: 10 },
  ],
  meta: () => [],
  'meta-add': () => [{ name: 'meta', valueMeta: { tag: [{ system: 'x', code: 'y' }] } }],
  'meta-delete': () => [{ name: 'meta', valueMeta: { tag: [{ system: 'x', code: 'y' }] } }],
  'on-duty': () => [{ name: 'at', valueDateTime: '2026-11-22T02:00:00+01:00' }],
  penalties: () => [{ name: 'month', valueString: '2026-11' }],
  'plan-duty': (id) => [
    { name: 'practitioner', valueReference: { reference: `Practitioner/${id}` } },
    ...[
      { name: 'day', valueString: '2026-12-24' },
      { name: 'from', valueString: '20:00' },
      { name: 'to', valueString: '08:00' },
    ],
  ],
  publish: (id) => [
    { name: 'establishment', valueReference: { reference: `Organization/${id}` } },
    { name: 'month', valueString: '2026-12' },
  ],
  radiologists: () => [],
  read: () => [],
  reindex: () => [],
  'reindex-status': (id) => [{ name: 'job', valueId: id }],
  reinstate: (id) => [{ name: 'practitioner', valueReference: { reference: `Practitioner/${id}` } }],
  rota: () => [{ name: 'month', valueString: '2026-11' }],
  status: (id) => [{ name: 'id', valueId: id }],
  subsumes: (id) => [
    { name: 'system', valueUri: url(id) },
    { name: 'codeA', valueCode: code(id) },
    { name: 'codeB', valueCode: code(id) },
  ],
  swap: (id) => [{ name: 'with', valueReference: { reference: `Slot/${id}` } }],
  translate: (id) => [
    { name: 'url', valueUri: url(id) },
    { name: 'system', valueUri: textOf(id, 'source-0') },
    { name: 'code', valueCode: code(id) },
  ],
  validate: () => [{ name: 'resource', resource: referringResource('Basic', inB) }],
  'validate-code': (id) => [
    { name: 'url', valueUri: url(id) },
    { name: 'code', valueCode: code(id) },
  ],
  worklist: (id) => [{ name: 'establishment', valueString: id }],
};

/** What is not asked about at all: what a case lets its people do. */
const ofCases: ReadonlySet<ResourceType> = new Set(['Task', 'DetectedIssue']);

function graph(id: string): string {
  return `{ Patient(id: "${id}") { name { family } } ObservationList(patient: "Patient/${id}") { id code { text } subject { resource { ... on Patient { name { family } } } } } }`;
}

describe('an operation', () => {
  it('is known here, whatever is registered', () => {
    const unknown = world.server.store.operations
      .filter(({ name, type }) => !(name in asking) && !(type && ofCases.has(type)))
      .map(({ name, type }) => `${type ?? ''}/$${name}`);
    expect(unknown).toEqual([]);
  });

  it('answers about what another tenant has as about what nobody has', async () => {
    const requests = world.server.store.operations.flatMap(({ name, type, level, affectsState }) => {
      const types: (ResourceType | undefined)[] = type || level === 'system' ? [type] : ['Patient', 'Basic', 'Binary'];
      return types.flatMap((of) => {
        const path = (id: string) =>
          ['/fhir', ...(of ? [of] : []), ...(level === 'instance' ? [id] : []), `$${name}`].join('/');
        const given = asking[name] ?? (() => []);
        const post = (id: string): Request => ({
          ...{ method: 'POST', path: path(id), headers: { prefer: 'respond-async' } },
          body: { resourceType: 'Parameters', parameter: given(id) } satisfies Parameters,
        });
        const get = (id: string): Request => ({
          path: `${path(id)}?${queryOf(given(id))}`,
          headers: { prefer: 'respond-async' },
        });
        return affectsState ? [post] : [post, get];
      });
    });
    expect(requests.length).toBeGreaterThan(60);
    expect(await differences(requests)).toEqual([]);
  }, 60_000);

  it('follows no reference of its own resources into another tenant', async () => {
    const followed = [
      'Patient/to-ID/$everything',
      'Encounter/to-ID/$everything',
      'Composition/to-ID/$document?persist=false',
      'Observation/$lastn?subject=Patient/ID',
      'Binary/to-ID',
      'Group/to-ID/$export',
      'Patient/$everything?_count=100',
    ];
    const requests = followed.map((path) => (id: string) => ({
      path: `/fhir/${path.replaceAll('ID', id)}`,
      headers: { prefer: 'respond-async', accept: 'application/fhir+json' },
    }));
    expect(await differences(requests)).toEqual([]);
    const query = (id: string) =>
      `{ Observation(id: "to-${id}") { subject { reference resource { ... on Patient { name { family } } } } } }`;
    const graphs = (id: string) => ({ path: `/fhir/$graphql?query=${encodeURIComponent(query(id))}` });
    expect(await differences([graphs])).toEqual([]);
  }, 60_000);
});

describe('terminology that a tenant loaded or stored', () => {
  it('is not told to another one, nor that it is there', async () => {
    const body = {
      ...{ resourceType: 'CodeSystem', url: 'https://b.example/secret-codes', status: 'active', content: 'complete' },
      concept: [{ code: 'one', display: `${secret} one` }],
    };
    const stored = await world.ask({ method: 'POST', path: '/fhir/CodeSystem', body, token: world.tokenB });
    expect(stored.status).toBe(201);
    const ask = (system: string, token: string) =>
      world.ask({ path: `/fhir/CodeSystem/$lookup?system=${encodeURIComponent(system)}&code=one`, token });
    expect((await ask(body.url, world.tokenB)).text).toContain(secret);
    const [there, nobody] = [
      await ask(body.url, world.tokenA),
      await ask('https://b.example/nobodys-code', world.tokenA),
    ];
    const plain = (text: string) => text.replaceAll(/https:\/\/b\.example\/[\w-]+/g, 'URL');
    expect(plain(there.text)).toBe(plain(nobody.text));
    expect(there.status).toBe(nobody.status);
  });

  it('does not decide what another one may store, nor does a profile', async () => {
    const profile = {
      ...{ resourceType: 'StructureDefinition', url: 'https://b.example/strict', name: 'Strict', status: 'active' },
      ...{ kind: 'resource', abstract: false, type: 'Patient', derivation: 'constraint' },
      baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
      differential: { element: [{ id: 'Patient.gender', path: 'Patient.gender', min: 1 }] },
    };
    const stored = await world.ask({
      method: 'POST',
      path: '/fhir/StructureDefinition',
      body: profile,
      token: world.tokenB,
    });
    expect(stored.status).toBe(201);
    const declared = (url: string): Request => ({
      ...{ method: 'POST', path: '/fhir/Patient/$validate' },
      body: { resourceType: 'Patient', meta: { profile: [url] } },
    });
    const plain = (text: string) => text.replaceAll(/https:\/\/b\.example\/\w+/g, 'URL');
    const [there, nobody] = [
      await world.ask(declared(profile.url)),
      await world.ask(declared('https://b.example/nobody')),
    ];
    expect(plain(there.text)).toBe(plain(nobody.text));
    const own = await world.ask({ ...declared(profile.url), token: world.tokenB });
    expect(own.text).toContain('gender');
  });
});

async function differences(requests: readonly ((id: string) => Request)[]): Promise<string[]> {
  const found: string[] = [];
  await each(requests, async (request) => {
    const [there, nobody] = [await world.ask(request(inB)), await world.ask(request(nowhere))];
    const [one, other] = [there, nobody].map((answer) => plain(comparable(answer)));
    // What was asked for is quoted back.
    const isQuoted = JSON.stringify(request(inB)).includes(secret);
    const isAboutId = JSON.stringify(request(inB)) !== JSON.stringify(request(nowhere));
    if ((isAboutId && one !== other) || (!isQuoted && there.text.includes(secret)))
      found.push(`${request(inB).path}: ${one!.slice(0, 300)} / ${other!.slice(0, 300)}`);
  });
  return found;
}

function plain(text: string): string {
  return text.replaceAll(/(?:SECRETB|NOBODYS)-\w+(?:-\d)?/g, 'TEXT');
}

function queryOf(given: readonly Argument[]): string {
  return given
    .flatMap(({ name, resource, part, ...value }) =>
      resource || part ? [] : [`${name}=${encodeURIComponent(String(Object.values(value)[0]))}`],
    )
    .join('&');
}
