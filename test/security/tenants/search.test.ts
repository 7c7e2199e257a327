import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createParameterRegistry, type Parameter } from '../../../src/fhir/search/parameters.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { searchedBy } from '../../fhir/search/searched-by.ts';
import { each, inB, nowhere, openWorld, secret, secretResource, types, type World } from './world.ts';

/** Every search parameter of every type, as the program itself lists them; by what B holds, asked by A. */
const registry = createParameterRegistry(loadSearchDefinitions(), interpretPath);

interface Probe {
  type: string;
  query: string;
}

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.close());

const parameters = types.flatMap((type) => [...registry.of(type).values()].map((parameter) => ({ type, parameter })));

/** Searches by values that resources of B have, one for each parameter that has any. */
const direct = parameters.flatMap(({ type, parameter }): (Probe & { parameter: Parameter })[] => {
  for (const variant of [0, 1]) {
    const value = searchedBy(parameter, secretResource(type, variant)).find(isOfB);
    if (value !== undefined) return [{ type, parameter, query: `${parameter.code}=${encodeURIComponent(value)}` }];
  }
  return [];
});

/** A value that nothing of A has: dates, numbers and codes are filled alike everywhere. */
function isOfB(value: string): boolean {
  return value.toUpperCase().includes(secret) || value.includes(inB);
}

/** By an id, to which resources of A refer too: into nowhere. */
function namesId({ query }: Probe): boolean {
  return query.includes(inB);
}

async function expectNothing(probes: readonly Probe[]): Promise<void> {
  const told: string[] = [];
  await each(probes, async ({ type, query }) => {
    const { status, text } = await world.ask({ path: `/fhir/${type}?${query}&_total=accurate` });
    const bundle = JSON.parse(text) as { total?: number; entry?: { search?: { mode: string } }[] };
    const shown = (bundle.entry ?? []).filter(({ search }) => search?.mode !== 'outcome').length;
    const isSilent = status === 200 && bundle.total === 0 && shown === 0;
    // A query that is not understood, or leads too far, is told so without asking any tenant.
    const isRefused = status === 400 || status === 422;
    if (!isSilent && !isRefused) told.push(`${status} ${bundle.total} ${type}?${query}`);
  });
  expect(told).toEqual([]);
}

describe('a search by what only another tenant holds', () => {
  it('finds something there, by most parameters: the probes are worth asking', async () => {
    let found = 0;
    for (const { type, query } of direct) {
      const resources = await world.store.search('bb', type as 'Patient', query).catch(() => []);
      if (resources.length > 0) found++;
    }
    expect(direct.length).toBeGreaterThan(700);
    expect(found / direct.length).toBeGreaterThan(0.95);
  }, 60_000);

  it(
    'finds nothing by any parameter of any type',
    () => expectNothing(direct.filter((probe) => !namesId(probe))),
    60_000,
  );

  it('finds by a reference what of its own refers there, as if it led nowhere', async () => {
    const different: string[] = [];
    await each(direct.filter(namesId), async ({ type, query }) => {
      // What A asked is in A's own trail, under either id.
      if (type === 'AuditEvent') return;
      const [there, nobody] = await Promise.all(
        [inB, nowhere].map((id) => world.ask({ path: `/fhir/${type}?${query.replace(inB, id)}&_total=accurate` })),
      );
      if (outline(there!.text) !== outline(nobody!.text)) different.push(`${type}?${query}`);
    });
    expect(different).toEqual([]);
  }, 60_000);

  it('finds nothing along any reference', async () => {
    const chains = direct
      .filter(({ parameter }) => parameter.type === 'reference')
      .flatMap(({ type, parameter: { code } }) => [{ type, query: `${code}:Patient.name=${secret}` }]);
    expect(chains.length).toBeGreaterThan(150);
    await expectNothing(chains);
  }, 60_000);

  it('finds nothing by who refers to it', async () => {
    const referring = parameters.filter(({ parameter }) => parameter.type === 'reference');
    await expectNothing(
      referring.map(({ type, parameter }) => ({
        type: 'Patient',
        query: `_has:${type}:${parameter.code}:_id=${inB}&identifier=${secret}-value-0`,
      })),
    );
    await expectNothing(
      referring.map(({ type, parameter }) => ({
        type: 'Organization',
        query: `_has:${type}:${parameter.code}:_id=${inB}`,
      })),
    );
  }, 60_000);

  it('finds nothing by filters, lists, texts, compartments and several types', async () => {
    await expectNothing(
      types.flatMap((type) => [
        { type, query: `_id=${inB}` },
        { type, query: `_text=${secret}` },
        { type, query: `_list=${inB}` },
        { type, query: `_filter=${encodeURIComponent(`_id eq ${inB}`)}` },
      ]),
    );
  }, 60_000);

  it('brings nothing along: what refers there is answered as what refers nowhere', async () => {
    const different: string[] = [];
    await each(types, async (type) => {
      // Who refers to it may be anything: looked for at types that are referred to most, as each reads the whole trail of A.
      const reverse = ['_revinclude=*', '_include=*&_revinclude:iterate=*&_total=accurate'];
      for (const query of ['_include=*', '_include:iterate=*', ...(mostReferredTo.includes(type) ? reverse : [])]) {
        const [there, nobody] = await Promise.all(
          [inB, nowhere].map((id) => world.ask({ path: `/fhir/${type}?_id=to-${id}&${query}` })),
        );
        const [one, other] = [there!, nobody!].map(({ status, text }) => `${status} ${outline(text)}`);
        if (one !== other || there!.text.includes(secret)) different.push(`${type}?${query}: ${one} / ${other}`);
      }
    });
    expect(different).toEqual([]);
  }, 120_000);
});

const mostReferredTo = ['Patient', 'Organization', 'Practitioner', 'Encounter', 'ServiceRequest', 'Observation'];

/** Which resources a Bundle shows, as what; not A's own trail, which grows with each request. */
function outline(text: string): string {
  const { entry = [], total } = JSON.parse(text) as {
    total?: number;
    entry?: { resource: { resourceType: string; id?: string }; search: { mode: string } }[];
  };
  const others = entry.filter(({ resource }) => resource.resourceType !== 'AuditEvent');
  const shown = others.map(({ resource, search }) => `${search.mode} ${resource.resourceType}/${resource.id ?? ''}`);
  return JSON.stringify([total, shown.sort()]).replaceAll(inB, 'ID').replaceAll(nowhere, 'ID');
}
