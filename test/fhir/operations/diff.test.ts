import type { Parameters, Patient, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../../../src/fhir/json/index.ts';
import { changesBetween } from '../../../src/fhir/operations/changes.ts';
import { patchedResource } from '../../../src/fhir/patch/index.ts';
import { validateResource } from '../../../src/fhir/validation/index.ts';
import { type OperationServer, operationServer } from './server.ts';

/** `type path` of each operation. */
const outline = ({ parameter = [] }: Parameters) =>
  parameter.map(({ part }) => [part![0]!.valueCode, part![1]!.valueString].join(' '));

describe('changes between two resources', () => {
  const patient: Patient = {
    resourceType: 'Patient',
    birthDate: '1980-01-02',
    name: [{ family: 'MOREAU', given: ['CAMILLE', 'ANNE'] }],
    deceasedBoolean: false,
  };

  it('are none between a resource and itself', () => {
    expect(changesBetween(patient, structuredClone(patient), [])).toEqual({ resourceType: 'Parameters' });
  });

  it('name the innermost element, by its FHIRPath', () => {
    const after: Patient = {
      ...patient,
      name: [{ family: 'MOREAU', given: ['CAMILLE', 'ANNA'] }, { text: 'second' }],
      deceasedDateTime: '2026-01-01',
      gender: 'female',
    };
    delete after.deceasedBoolean;
    const changes = changesBetween(patient, after, []);
    expect(outline(changes).sort()).toEqual([
      'add Patient',
      'add Patient',
      'replace Patient.deceased',
      'replace Patient.name[0].given[1]',
    ]);
    expect(validateResource(changes)).toEqual([]);
  });

  it('carry extensions of primitives, parts without a type of their own, and contained resources', () => {
    const after: Patient = {
      ...patient,
      _birthDate: { extension: [{ url: 'http://e', valueString: 'about' }] },
      contact: [{ gender: 'male', name: { family: 'X' } }],
      contained: [{ resourceType: 'Organization', id: 'o', name: 'O' }],
    } as Patient;
    const changes = changesBetween(patient, after, []);
    expect(changes.parameter!.map(({ part }) => part!.at(-1))).toEqual([
      {
        name: 'value',
        valueDate: '1980-01-02',
        _valueDate: { extension: [{ url: 'http://e', valueString: 'about' }] },
      },
      {
        name: 'value',
        part: [
          { name: 'gender', valueCode: 'male' },
          { name: 'name', valueHumanName: { family: 'X' } },
        ],
      },
      { name: 'value', resource: { resourceType: 'Organization', id: 'o', name: 'O' } },
    ]);
  });

  it('keep every number as it was written, and tell when it was written otherwise', () => {
    const observation = (value: string, more = '') =>
      parseJson(
        `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}}${more}}`,
      ) as Resource;
    const component = (value: string) =>
      `,"component":[{"code":{"text":"y"},"valueSampledData":{"origin":{"value":0},"period":${value},"dimensions":1},"referenceRange":[{"low":{"value":2.50},"text":"n"}]}]`;
    const written = (from: Resource, to: Resource) => stringifyJson(changesBetween(from, to, []));
    expect(written(observation('1.0'), observation('1.0'))).toBe('{"resourceType":"Parameters"}');
    expect(written(observation('1.0'), observation('1.00'))).toContain(
      '{"name":"path","valueString":"Observation.value.value"},{"name":"value","valueDecimal":1.00}',
    );
    expect(written(observation('1.00'), observation('1'))).toContain('"valueDecimal":1}');
    expect(written(observation('7'), observation('7', component('10.0')))).toMatch(/"period":10\.0,.*"value":2\.50/);
    expect(written(observation('7', component('10')), observation('7', component('10.00')))).toContain(
      '"valueDecimal":10.00',
    );
    const charge = (factor: string) =>
      parseJson(`{"resourceType":"ChargeItem","factorOverride":${factor}}`) as Resource;
    expect(written(charge('0.5'), charge('0.50'))).toContain('"valueDecimal":0.50');
  });

  it.each([
    [
      'an element that is called resourceType',
      { resourceType: 'ExampleScenario', status: 'draft', instance: [{ resourceId: 'a', resourceType: 'Patient' }] },
      { resourceType: 'ExampleScenario', status: 'draft', instance: [{ resourceId: 'a', resourceType: 'Person' }] },
    ],
    [
      'a reference to what is contained',
      { resourceType: 'Patient', contained: [{ resourceType: 'Organization', id: 'o', name: 'O' }] },
      {
        resourceType: 'Patient',
        contained: [{ resourceType: 'Organization', id: 'o', name: 'O' }],
        managingOrganization: { reference: '#o' },
      },
    ],
    [
      'a number that is written otherwise',
      parseJson('{"resourceType":"ChargeItem","status":"billable","factorOverride":0.5}'),
      parseJson('{"resourceType":"ChargeItem","status":"billable","factorOverride":0.50}'),
    ],
  ] as [string, Resource, Resource][])('are taken by PATCH: %s', (_name, from, to) => {
    const patch = parseJson(stringifyJson(changesBetween(from, to, [])));
    expect(stringifyJson(patchedResource(stringifyJson(from), patch))).toBe(stringifyJson(to));
  });

  it('turn the first into the second when applied in order', () => {
    const word = fc.constantFrom('A', 'B', 'C', 'D');
    const name = fc.record(
      {
        family: word,
        given: fc.array(word, { minLength: 1, maxLength: 4 }),
        use: fc.constantFrom('usual', 'official'),
      },
      { requiredKeys: ['given'] },
    );
    const any = fc.record(
      {
        resourceType: fc.constant('Patient' as const),
        active: fc.boolean(),
        name: fc.array(name, { minLength: 1, maxLength: 4 }),
        deceasedBoolean: fc.boolean(),
      },
      { requiredKeys: ['resourceType'] },
    );
    fc.assert(
      fc.property(any, any, (from, to) => {
        expect(applied(from as Patient, changesBetween(from as Patient, to as Patient, []))).toEqual(to);
      }),
      { numRuns: 500 },
    );
  });
});

/** FHIRPath Patch for the paths that changesBetween writes, as short as can be. */
function applied(resource: Resource, { parameter = [] }: Parameters): unknown {
  const result = structuredClone(resource) as unknown as Record<string, unknown>;
  const property = (name: string) => (name === 'deceased' ? 'deceasedBoolean' : name);
  const lists = new Set(['name', 'given']);
  for (const { part = [] } of parameter) {
    const named = (name: string) => part.find((each) => each.name === name)!;
    const steps = named('path')
      .valueString!.split('.')
      .slice(1)
      .flatMap((step) => {
        const [, name, index] = /^(\w+)(?:\[(\d+)\])?$/.exec(step)!;
        return index === undefined ? [property(name!)] : [property(name!), Number(index)];
      });
    const value = () => Object.entries(named('value')).find(([key]) => key.startsWith('value'))![1];
    const at = (path: (string | number)[]) =>
      path.reduce((node, step) => (node as never)[step], result as unknown) as never;
    switch (named('type').valueCode) {
      case 'add': {
        const name = property(named('name').valueString!);
        const target = at(steps) as Record<string, unknown>;
        if (lists.has(name)) target[name] = [...((target[name] as unknown[]) ?? []), value()];
        else target[name] = value();
        break;
      }
      case 'insert':
        (at(steps) as unknown[]).splice(named('index').valueInteger!, 0, value());
        break;
      case 'replace':
        (at(steps.slice(0, -1)) as Record<string | number, unknown>)[steps.at(-1)!] = value();
        break;
      case 'delete': {
        const target = at(steps.slice(0, -1)) as Record<string | number, unknown> | unknown[];
        if (Array.isArray(target)) target.splice(steps.at(-1) as number, 1);
        else delete target[steps.at(-1)!];
      }
    }
    for (const name of lists)
      if (Array.isArray(result[name]) && (result[name] as unknown[]).length === 0) delete result[name];
  }
  return result;
}

describe('$diff', () => {
  let server: OperationServer;
  beforeAll(async () => {
    server = await operationServer();
    const patient: Patient & { id: string } = { resourceType: 'Patient', id: 'p', active: true };
    await server.put(patient, { ...patient, gender: 'male' }, { ...patient, active: false });
    await server.put(
      { resourceType: 'Patient', id: 'q', active: true },
      { resourceType: 'Organization', id: 'o', name: 'O' },
    );
  });
  afterAll(() => server.close());

  it('compares the current version with the one before, or any two', async () => {
    const last = await server.get<Parameters>('/fhir/Patient/p/$diff');
    expect(outline(last.body)).toEqual(['replace Patient.active', 'delete Patient.gender']);
    const first = await server.get<Parameters>('/fhir/Patient/p/$diff?from=1&to=2');
    expect(outline(first.body)).toEqual(['add Patient']);
    const withMeta = await server.get<Parameters>('/fhir/Patient/p/$diff?from=1&to=2&includeMeta=true');
    expect(outline(withMeta.body)).toContain('replace Patient.meta.versionId');
  });

  it('compares two resources of one type, or versions of them', async () => {
    const { body } = await server.get<Parameters>('/fhir/$diff?from=Patient/q&to=Patient/p/_history/2');
    expect(outline(body)).toEqual(['add Patient']);
    expect(server.audited.at(-1)!.resources.map(({ id }) => id)).toEqual(['q', 'p']);
    expect(await server.get('/fhir/$diff?from=Patient/q&to=Organization/o')).toMatchObject({ status: 400 });
    expect(await server.get('/fhir/$diff?from=Patient/q&to=Patient/none')).toMatchObject({ status: 404 });
    expect(await server.get('/fhir/Patient/q/$diff')).toMatchObject({ status: 400 });
    expect(await server.get('/fhir/Patient/p/$diff?from=9')).toMatchObject({ status: 404 });
  });

  it('asks for the right to read each of them', async () => {
    server.refused = ({ interaction, type }) => interaction === 'read' && type === 'Patient';
    expect(await server.get('/fhir/$diff?from=Patient/q&to=Patient/p')).toMatchObject({ status: 403 });
    server.refused = () => false;
  });
});
