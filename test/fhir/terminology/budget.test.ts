import type { ValueSet } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBudget } from '../../../src/fhir/terminology/budget.ts';
import { type TestServer, testServer } from '../rest/server.ts';

let server: TestServer;
const headers = { 'content-type': 'application/fhir+json' };
const set = (compose: ValueSet['compose'], url = 'urn:test:vs:sent'): ValueSet => ({
  resourceType: 'ValueSet',
  url,
  status: 'active',
  compose,
});
const times = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));

beforeAll(async () => {
  server = await testServer();
  const payload = {
    ...set({ include: [{ system: 'urn:x', concept: [{ code: 'a' }] }] }, 'urn:test:vs:one'),
    id: 'one',
  };
  await server.request({ method: 'PUT', url: '/fhir/ValueSet/one', headers, payload });
});
afterAll(() => server.close());

const expand = (payload: object) => server.request({ method: 'POST', url: '/fhir/ValueSet/$expand', headers, payload });

const tooCostly = { status: 422, body: { issue: [{ code: 'too-costly' }] } };

describe('a value set sent along', () => {
  it('is refused beyond a thousand parts, before any of them is looked up', async () => {
    const include = (count: number) => times(count, (n) => ({ system: `urn:x:${n}`, concept: [{ code: 'a' }] }));
    expect(await expand(set({ include: include(1_001) }))).toMatchObject(tooCostly);
    expect(await expand(set({ include: include(600), exclude: include(600) }))).toMatchObject(tooCostly);
    const filter = times(1_000, () => ({ property: 'concept', op: 'is-a' as const, value: 'a' }));
    expect(await expand(set({ include: [{ system: 'urn:x', filter }] }))).toMatchObject(tooCostly);
    expect(await expand(set({ include: include(20) }))).toMatchObject({ status: 200 });
  });

  it('is refused when it imports the same value set again and again', async () => {
    const imports = (count: number) => ({ include: [{ valueSet: times(count, () => 'urn:test:vs:one') }] });
    expect(await expand(set(imports(201)))).toMatchObject(tooCostly);
    expect(await expand(set(imports(20)))).toMatchObject({ status: 200 });
  });

  it('is refused when it is no valid resource, also as a body of its own', async () => {
    const invalid = {
      resourceType: 'ValueSet',
      compose: { include: [{ system: 'urn:x', concept: [{ display: 'a' }] }] },
    };
    expect(await expand(invalid)).toMatchObject({ status: 400 });
    expect(await expand(set({ include: [{ system: 'urn:x', concept: 'a' as never }] }))).toMatchObject({ status: 400 });
  });
});

describe('a budget', () => {
  it('has an end in time that further questions share', () => {
    let now = 0;
    const budget = openBudget(() => now);
    now = 10_000;
    budget.time();
    const another = budget.another();
    now = 10_001;
    expect(() => budget.time()).toThrow('too long');
    expect(() => another.time()).toThrow('too long');
  });

  it('counts parts anew for a further question', () => {
    const budget = openBudget();
    budget.parts(1_000);
    expect(() => budget.parts(1)).toThrow('more than 1000 parts');
    expect(() => budget.another().parts(1_000)).not.toThrow();
  });
});
