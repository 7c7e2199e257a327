import type { Observation, Parameters, ParametersParameter, Patient, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { FhirError } from '../../../src/fhir/index.ts';
import { parseJson, stringifyJson } from '../../../src/fhir/json/index.ts';
import { patchedResource } from '../../../src/fhir/patch/index.ts';
import { validateResource } from '../../../src/fhir/validation/index.ts';
import { processorMs } from '../../support/processor-time.ts';

type Parts = Record<string, Omit<ParametersParameter, 'name'>>;

function operation(type: string, path: string, parts: Parts = {}): ParametersParameter {
  return {
    name: 'operation',
    part: [
      { name: 'type', valueCode: type },
      { name: 'path', valueString: path },
      ...Object.entries(parts).map(([name, value]) => ({ name, ...value })),
    ],
  };
}

function patched<R extends Resource>(resource: R, ...parameter: ParametersParameter[]): R {
  const patch: Parameters = { resourceType: 'Parameters', parameter };
  return patchedResource(JSON.stringify(resource), patch) as R;
}

function refusal(resource: Resource, ...parameter: ParametersParameter[]): { status: number; expression?: string[] } {
  try {
    patched(resource, ...parameter);
  } catch (error) {
    if (error instanceof FhirError) return { status: error.status, expression: error.outcome.issue[0]?.expression };
    throw error;
  }
  throw new Error('the patch was applied');
}

const patient: Patient = {
  resourceType: 'Patient',
  id: 'p',
  birthDate: '1980-05-11',
  identifier: [
    { system: 'urn:oid:1.2.3', value: 'a' },
    { system: 'urn:oid:1.2.3', value: 'b' },
    { system: 'urn:oid:1.2.3', value: 'c' },
  ],
  name: [
    { use: 'official', family: 'TEST-MOREAU', given: ['Camille', 'Louise'] },
    { use: 'nickname', given: ['Cam'] },
  ],
};
const values = ({ identifier }: Patient) => identifier?.map(({ value }) => value).join('');

describe('add', () => {
  it('sets an element that is not there, and appends to a list', () => {
    const name = { name: { valueString: 'gender' }, value: { valueCode: 'female' } };
    expect(patched(patient, operation('add', 'Patient', name)).gender).toBe('female');
    const identifier = { name: { valueString: 'identifier' }, value: { valueIdentifier: { value: 'd' } } };
    expect(values(patched(patient, operation('add', 'Patient', identifier)))).toBe('abcd');
    const first = { name: { valueString: 'photo' }, value: { valueAttachment: { title: 'x' } } };
    expect(patched(patient, operation('add', 'Patient', first)).photo).toEqual([{ title: 'x' }]);
  });

  it('does not replace what is there', () => {
    const again = { name: { valueString: 'birthDate' }, value: { valueDate: '1990-01-01' } };
    expect(refusal(patient, operation('add', 'Patient', again))).toMatchObject({
      status: 422,
      expression: ['Parameters.parameter[0]'],
    });
  });

  it('puts a choice under the property of its type', () => {
    const deceased = (value: Parts[string]) =>
      patched(patient, operation('add', 'Patient', { name: { valueString: 'deceased' }, value }));
    expect(deceased({ valueBoolean: true })).toMatchObject({ deceasedBoolean: true });
    expect(deceased({ valueDateTime: '2026-01-02' })).toMatchObject({ deceasedDateTime: '2026-01-02' });
    const wrong = { name: { valueString: 'deceased' }, value: { valueQuantity: { value: 1 } } };
    expect(refusal(patient, operation('add', 'Patient', wrong))).toMatchObject({ status: 422 });
  });

  it('builds elements without a type of their own from parts', () => {
    const contact: Parts = {
      name: { valueString: 'contact' },
      value: {
        part: [
          { name: 'name', valueHumanName: { text: 'TEST-PROCHE' } },
          { name: 'gender', valueCode: 'male' },
          { name: 'telecom', valueContactPoint: { system: 'phone', value: '1' } },
          { name: 'telecom', valueContactPoint: { system: 'phone', value: '2' } },
        ],
      },
    };
    expect(patched(patient, operation('add', 'Patient', contact)).contact).toEqual([
      {
        name: { text: 'TEST-PROCHE' },
        gender: 'male',
        telecom: [
          { system: 'phone', value: '1' },
          { system: 'phone', value: '2' },
        ],
      },
    ]);
  });

  it('reaches the extensions of a primitive', () => {
    const extension = { url: 'http://example.org/precise', valueBoolean: true };
    // R4 has no parameter of type Extension: it is built from its parts.
    const part = [
      { name: 'url', valueUri: extension.url },
      { name: 'value', valueBoolean: true },
    ];
    const adding = { name: { valueString: 'extension' }, value: { part } };
    expect(patched(patient, operation('add', 'Patient.birthDate', adding))).toMatchObject({
      birthDate: '1980-05-11',
      _birthDate: { extension: [extension] },
    });
    expect(patched(patient, operation('add', 'Patient.name[0].given[1]', adding)).name![0]).toMatchObject({
      given: ['Camille', 'Louise'],
      _given: [null, { extension: [extension] }],
    });
  });

  it('refuses names the type does not have and places that are not one', () => {
    const wrong = { name: { valueString: 'colour' }, value: { valueString: 'x' } };
    expect(refusal(patient, operation('add', 'Patient', wrong))).toMatchObject({ status: 400 });
    const text = { name: { valueString: 'text' }, value: { valueString: 'x' } };
    expect(refusal(patient, operation('add', 'Patient.name', text))).toMatchObject({ status: 422 });
    expect(refusal(patient, operation('add', 'Patient.contact', text))).toMatchObject({ status: 422 });
  });
});

describe('insert', () => {
  const at = (index: number, value = 'n') => ({
    index: { valueInteger: index },
    value: { valueIdentifier: { value } },
  });

  it('puts an element at any place of a list, there or not yet', () => {
    expect(values(patched(patient, operation('insert', 'Patient.identifier', at(0))))).toBe('nabc');
    expect(values(patched(patient, operation('insert', 'Patient.identifier', at(2))))).toBe('abnc');
    expect(values(patched(patient, operation('insert', 'Patient.identifier', at(3))))).toBe('abcn');
    const photo = { index: { valueInteger: 0 }, value: { valueAttachment: { title: 'x' } } };
    expect(patched(patient, operation('insert', 'Patient.photo', photo)).photo).toHaveLength(1);
  });

  it('keeps the extensions of primitives beside their values', () => {
    const extension = [{ url: 'http://example.org/x', valueBoolean: true }];
    const before = {
      ...patient,
      name: [{ given: ['A', 'B'], _given: [null, { extension }] }],
    } as unknown as Patient;
    const one = { index: { valueInteger: 1 }, value: { valueString: 'N' } };
    const { name } = patched(before, operation('insert', 'Patient.name[0].given', one));
    expect(name).toEqual([{ given: ['A', 'N', 'B'], _given: [null, null, { extension }] }]);
    const moved = { source: { valueInteger: 1 }, destination: { valueInteger: 0 } };
    expect(patched(before, operation('move', 'Patient.name[0].given', moved)).name).toEqual([
      { given: ['B', 'A'], _given: [{ extension }, null] },
    ]);
    const first = patched(before, operation('delete', 'Patient.name[0].given[0]')).name;
    expect(first).toEqual([{ given: ['B'], _given: [{ extension }] }]);
  });

  it.each([4, -1])('refuses index %d of a list of three', (index) => {
    expect(refusal(patient, operation('insert', 'Patient.identifier', at(index)))).toMatchObject({ status: 422 });
  });

  it('refuses what is no list', () => {
    const one = { index: { valueInteger: 0 }, value: { valueDate: '1990-01-01' } };
    expect(refusal(patient, operation('insert', 'Patient.birthDate', one))).toMatchObject({ status: 422 });
    expect(refusal(patient, operation('insert', 'Patient.identifier[0]', at(0)))).toMatchObject({ status: 400 });
  });
});

describe('delete', () => {
  it('removes one element, and takes it well when there is none', () => {
    expect(patched(patient, operation('delete', 'Patient.birthDate'))).not.toHaveProperty('birthDate');
    expect(values(patched(patient, operation('delete', 'Patient.identifier[1]')))).toBe('ac');
    expect(values(patched(patient, operation('delete', "Patient.identifier.where(value = 'c')")))).toBe('ab');
    expect(patched(patient, operation('delete', 'Patient.deceased'))).toEqual(patient);
    expect(patched(patient, operation('delete', "Patient.identifier.where(value = 'z')"))).toEqual(patient);
  });

  it('takes away the list, or the element, that held nothing else', () => {
    const after = patched(patient, operation('delete', "Patient.name.where(use='nickname').given.first()"));
    expect(after.name![1]).toEqual({ use: 'nickname' });
    const bare: Patient = { resourceType: 'Patient', name: [{ text: 'x' }], active: true };
    expect(patched(bare, operation('delete', 'Patient.name.text'))).toEqual({ resourceType: 'Patient', active: true });
  });

  it('does not remove several, nor the resource', () => {
    expect(refusal(patient, operation('delete', 'Patient.identifier'))).toMatchObject({ status: 422 });
    expect(refusal(patient, operation('delete', 'Patient'))).toMatchObject({ status: 422 });
  });
});

describe('replace', () => {
  it('sets the value of one element', () => {
    const on = (path: string, value: Parts[string]) => patched(patient, operation('replace', path, { value }));
    expect(on('Patient.birthDate', { valueDate: '1990-01-01' }).birthDate).toBe('1990-01-01');
    expect(on('Patient.name[0].given[1]', { valueString: 'Zoé' }).name![0]!.given).toEqual(['Camille', 'Zoé']);
    expect(on("name.where(use = 'official').family", { valueString: 'TEST-B' }).name![0]!.family).toBe('TEST-B');
    expect(on('Patient.identifier.last().value', { valueString: 'z' }).identifier![2]!.value).toBe('z');
  });

  it('changes the type of a choice', () => {
    const observation: Observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      valueQuantity: { value: 1, unit: 'mg' },
    };
    const to = (path: string, value: Parts[string]) => patched(observation, operation('replace', path, { value }));
    expect(to('Observation.value', { valueString: 'négatif' })).toMatchObject({ valueString: 'négatif' });
    expect(to('Observation.value', { valueString: 'négatif' })).not.toHaveProperty('valueQuantity');
    expect(to('Observation.value.ofType(Quantity).unit', { valueString: 'g' })).toMatchObject({
      valueQuantity: { value: 1, unit: 'g' },
    });
    expect(to('(Observation.value as Quantity).value', { valueDecimal: 2 }).valueQuantity!.value).toBe(2);
  });

  it('finds extensions by their url', () => {
    const before: Patient = { ...patient, extension: [{ url: 'http://a', valueCode: 'x' }, { url: 'http://b' }] };
    const after = patched(
      before,
      operation('replace', "Patient.extension('http://a').value", { value: { valueCode: 'y' } }),
    );
    expect(after.extension![0]).toEqual({ url: 'http://a', valueCode: 'y' });
  });

  it('keeps a decimal as it was written, before and after', () => {
    const text = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.0}}';
    const patch = parseJson(
      '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Observation"},{"name":"name","valueString":"component"},{"name":"value","part":[{"name":"code","valueCodeableConcept":{"text":"y"}},{"name":"value","valueQuantity":{"value":2.50}}]}]}]}',
    );
    const after = stringifyJson(patchedResource(text, patch));
    expect(after).toContain('"valueQuantity":{"value":1.0}');
    expect(after).toContain('"valueQuantity":{"value":2.50}');
  });

  it('writes each number as it was given, in its place', () => {
    const text = (value: string) =>
      `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}}}`;
    const apply = (before: string, ...operations: ParametersParameter[]) =>
      stringifyJson(patchedResource(before, { resourceType: 'Parameters', parameter: operations }));
    const path = 'Observation.value.ofType(Quantity).value';
    expect(apply(text('1.00'), operation('replace', path, { value: { valueDecimal: 1 } }))).toBe(text('1'));
    const part = [
      { name: 'url', valueUri: 'http://example.org/x' },
      { name: 'value', valueBoolean: true },
    ];
    const adding = { name: { valueString: 'extension' }, value: { part } };
    expect(apply(text('1.00'), operation('add', path, adding))).toContain('"value":1.00,"_value"');
    const sequence = (numbers: string) =>
      `{"resourceType":"MolecularSequence","coordinateSystem":0,"quality":[{"type":"snp","roc":{"sensitivity":[${numbers}]}}]}`;
    const list = 'MolecularSequence.quality[0].roc.sensitivity';
    expect(apply(sequence('1.0,2,1'), operation('delete', `${list}[0]`))).toBe(sequence('2,1'));
    const moved = { source: { valueInteger: 0 }, destination: { valueInteger: 2 } };
    expect(apply(sequence('1.0,1,2.00'), operation('move', list, moved))).toBe(sequence('1,2.00,1.0'));
    const patch = parseJson(
      `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"insert"},{"name":"path","valueString":"${list}"},{"name":"index","valueInteger":1},{"name":"value","valueDecimal":3.0}]}]}`,
    );
    expect(stringifyJson(patchedResource(sequence('1.0,2.00'), patch))).toBe(sequence('1.0,3.0,2.00'));
  });

  it('needs exactly one element', () => {
    const value = { value: { valueString: 'x' } };
    expect(refusal(patient, operation('replace', 'Patient.maritalStatus.text', value))).toMatchObject({ status: 422 });
    expect(refusal(patient, operation('replace', 'Patient.name.given', value))).toMatchObject({ status: 422 });
  });
});

describe('move', () => {
  it.each([
    [0, 2, 'bca'],
    [2, 0, 'cab'],
    [1, 1, 'abc'],
  ])('from %d to %d', (source, destination, expected) => {
    const parts = { source: { valueInteger: source }, destination: { valueInteger: destination } };
    expect(values(patched(patient, operation('move', 'Patient.identifier', parts)))).toBe(expected);
  });

  it.each([
    [3, 0],
    [0, 3],
  ])('not from %d to %d of three', (source, destination) => {
    const parts = { source: { valueInteger: source }, destination: { valueInteger: destination } };
    expect(refusal(patient, operation('move', 'Patient.identifier', parts))).toMatchObject({ status: 422 });
  });
});

describe('a patch', () => {
  it('runs its operations in order and names the one that failed', () => {
    const add = operation('add', 'Patient', { name: { valueString: 'gender' }, value: { valueCode: 'female' } });
    const replace = operation('replace', 'Patient.gender', { value: { valueCode: 'male' } });
    expect(patched(patient, add, replace).gender).toBe('male');
    expect(refusal(patient, add, add).expression).toEqual(['Parameters.parameter[1]']);
  });

  it('leaves a valid resource valid', () => {
    const name = { name: { valueString: 'gender' }, value: { valueCode: 'female' } };
    expect(validateResource(patched(patient, operation('add', 'Patient', name)))).toEqual([]);
  });

  it.each([
    ['no expression', 'Patient..name', 400],
    ['an element unknown', 'Patient.colour', 400],
    ['a union', 'Patient.name | Patient.contact.name', 400],
    ['a value that is no element', "'text'", 400],
    ['a regular expression', "Patient.name.where(family.matches('(a+)+$'))", 400],
    ['a regular expression behind an escape', "Patient.name.where(family.`m\\u0061tches`('(a+)+$'))", 400],
    ['a filter that begins at the top again', 'Patient.name.where(%resource.name.exists())', 400],
    ['a filter that begins at the top again in an argument', "Patient.name.where('a'.startsWith(name.family))", 400],
    ['a filter that looks for doubles', 'Patient.name.where((given | given).exists())', 400],
    ['a filter that makes a text grow', "Patient.name.where((family & family) = 'aa')", 400],
    ['a walk over everything', 'Patient.descendants()', 400],
    ['a path too long', `Patient${'.name'.repeat(300)}`, 400],
  ])('is refused when its path is %s', (_name, path, status) => {
    expect(refusal(patient, operation('delete', path))).toMatchObject({ status });
  });

  it.each([
    ['%resource.identifier.all(', 'true'],
    ["'a'.startsWith(identifier.all(", "'a'.exists()"],
  ])('does not evaluate filters inside filters on the whole: %s', (nesting, end) => {
    // Each level would go through all 60 again, for each of the level around it.
    const wide: Patient = {
      resourceType: 'Patient',
      identifier: Array.from({ length: 60 }, (_, n) => ({ value: `${n}` })),
    };
    const depth = 12;
    const closing = ')'.repeat((nesting.match(/\(/g) ?? []).length * depth);
    const path = `Patient.where(${nesting.repeat(depth)}${end}${closing}).birthDate`;
    const spent = processorMs(() => {
      expect(refusal(wide, operation('delete', path))).toMatchObject({ status: 400 });
    });
    expect(spent).toBeLessThan(1000);
  });

  it('filters by what is below an element, at any depth', () => {
    const kept = (criteria: string) =>
      values(patched(patient, operation('delete', `Patient.identifier.where(${criteria})`)));
    expect(kept("value = 'b' and system.startsWith('urn:')")).toBe('ac');
    expect(kept("value.exists($this = 'b') and type.coding.all(code.exists())")).toBe('ac');
    expect(kept("value in ('b')")).toBe('ac');
    const contact: Patient = {
      ...patient,
      contact: [{ telecom: [{ value: '1' }] }, { telecom: [{ value: '2', rank: 2 }] }],
    };
    const after = patched(contact, operation('delete', 'Patient.contact.where(telecom.where(rank > 1).exists())'));
    expect(after.contact).toEqual([{ telecom: [{ value: '1' }] }]);
  });

  it.each([
    ['another name', { name: 'change', part: [] }],
    ['no type', { name: 'operation', part: [{ name: 'path', valueString: 'Patient' }] }],
    [
      'a part twice',
      {
        name: 'operation',
        part: [
          { name: 'type', valueCode: 'add' },
          { name: 'type', valueCode: 'add' },
        ],
      },
    ],
    ['an unknown type', operation('upsert', 'Patient.birthDate')],
    ['no value', operation('replace', 'Patient.birthDate')],
  ] as [string, ParametersParameter][])('is refused when an operation has %s', (_name, parameter) => {
    expect(refusal(patient, parameter)).toMatchObject({ status: 400 });
  });

  it('gives a reference to what the resource contains, or will contain', () => {
    const organization = { resourceType: 'Organization', id: 'o', name: 'TEST' } as const;
    const manager = operation('add', 'Patient', {
      name: { valueString: 'managingOrganization' },
      value: { valueReference: { reference: '#o' } },
    });
    const contain = operation('add', 'Patient', {
      name: { valueString: 'contained' },
      value: { resource: organization },
    });
    const expected = { ...patient, contained: [organization], managingOrganization: { reference: '#o' } };
    expect(patched({ ...patient, contained: [organization] }, manager)).toEqual(expected);
    expect(patched(patient, manager, contain)).toEqual(expected);
    // What leads nowhere then is a matter of the result.
    expect(validateResource(patched(patient, manager))).toMatchObject([
      { expression: ['Patient.managingOrganization.reference'] },
    ]);
    const wrong = operation('add', 'Patient', {
      name: { valueString: 'managingOrganization' },
      value: { valueReference: { reference: 'nowhere at all' } },
    });
    expect(refusal(patient, wrong)).toMatchObject({ status: 400 });
  });

  it('cannot change the type or the id of a resource', () => {
    const text = JSON.stringify(patient);
    for (const [path, value] of [
      ['/id', 'other'],
      ['/resourceType', 'Person'],
    ])
      expect(() => patchedResource(text, [{ op: 'replace', path, value }])).toThrow(/cannot change/);
    expect(() => patchedResource(text, [{ op: 'remove', path: '/id' }])).toThrow(/cannot change/);
    expect(() => patchedResource(text, [{ op: 'add', path: '', value: [] }])).toThrow(/cannot change/);
    expect(refusal(patient, operation('replace', 'Patient.id', { value: { valueId: 'other' } }))).toMatchObject({
      status: 422,
      expression: ['Patient.id'],
    });
  });

  it('travels in a Binary where a resource is needed', () => {
    const data = (patch: unknown) => Buffer.from(JSON.stringify(patch)).toString('base64');
    const binary = { resourceType: 'Binary', contentType: 'application/json-patch+json' };
    const patch = [{ op: 'replace', path: '/birthDate', value: '1990-01-01' }];
    expect(patchedResource(JSON.stringify(patient), { ...binary, data: data(patch) })).toMatchObject({
      birthDate: '1990-01-01',
    });
    expect(() => patchedResource('{}', { ...binary, contentType: 'text/plain', data: data(patch) })).toThrow();
    expect(() => patchedResource('{}', { ...binary, data: 'e30' })).toThrow();
    expect(() => patchedResource('{}', { resourceType: 'Patient' })).toThrow();
    expect(() => patchedResource('{}', undefined)).toThrow();
  });
});
