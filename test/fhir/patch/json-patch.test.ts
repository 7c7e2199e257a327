import { createPatch } from '@medplum/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FhirError } from '../../../src/fhir/index.ts';
import { parseJson, stringifyJson } from '../../../src/fhir/json/index.ts';
import { applyJsonPatch } from '../../../src/fhir/patch/json-patch.ts';

const op = (kind: string, path: string, rest: object = {}) => ({ op: kind, path, ...rest });

function refusal(document: unknown, patch: unknown): { status: number; expression: string | undefined } {
  try {
    applyJsonPatch(document, patch);
  } catch (error) {
    if (error instanceof FhirError)
      return { status: error.status, expression: error.outcome.issue[0]?.expression?.[0] };
    throw error;
  }
  throw new Error('the patch was applied');
}

describe('a JSON Patch', () => {
  it.each([
    ['adds a member', { a: 1 }, [op('add', '/b', { value: 2 })], { a: 1, b: 2 }],
    ['adds an element before another', { a: [1, 3] }, [op('add', '/a/1', { value: 2 })], { a: [1, 2, 3] }],
    ['adds at the end by its number', { a: [1] }, [op('add', '/a/1', { value: 2 })], { a: [1, 2] }],
    ['adds at the end by a dash', { a: [1] }, [op('add', '/a/-', { value: [2] })], { a: [1, [2]] }],
    ['replaces a member by adding it', { a: 1 }, [op('add', '/a', { value: null })], { a: null }],
    ['replaces the document', { a: 1 }, [op('add', '', { value: { b: 2 } })], { b: 2 }],
    ['removes a member', { a: 1, b: 2 }, [op('remove', '/a')], { b: 2 }],
    ['removes an element', { a: [1, 2, 3] }, [op('remove', '/a/1')], { a: [1, 3] }],
    ['replaces a value', { a: 1 }, [op('replace', '/a', { value: 9 })], { a: 9 }],
    ['replaces an element', { a: [1, 2] }, [op('replace', '/a/0', { value: 9 })], { a: [9, 2] }],
    ['moves a value', { a: { x: 1 }, b: {} }, [op('move', '/b/y', { from: '/a/x' })], { a: {}, b: { y: 1 } }],
    ['moves an element', { a: [1, 2, 3, 4] }, [op('move', '/a/3', { from: '/a/1' })], { a: [1, 3, 4, 2] }],
    ['moves a value to where it is', { a: 1 }, [op('move', '/a', { from: '/a' })], { a: 1 }],
    ['ignores members it does not know', { a: 1 }, [op('add', '/b', { value: 2, xyz: 1 })], { a: 1, b: 2 }],
    [
      'finds names with ~ and /',
      { 'a/b': 1, 'm~n': 2, '~1': 3 },
      [op('remove', '/a~1b'), op('remove', '/m~0n')],
      { '~1': 3 },
    ],
    ['reads ~01 as the name ~1', { '~1': 3 }, [op('test', '/~01', { value: 3 })], { '~1': 3 }],
    ['finds the empty name', { '': 1 }, [op('replace', '/', { value: 2 })], { '': 2 }],
    [
      'tests objects whatever the order',
      { a: { x: 1, y: [2] } },
      [op('test', '/a', { value: { y: [2], x: 1 } })],
      { a: { x: 1, y: [2] } },
    ],
  ])('%s', (_name, document, patch, expected) => {
    expect(applyJsonPatch(document, patch)).toEqual(expected);
  });

  it('copies values, not references to them', () => {
    const patch = [op('copy', '/b', { from: '/a' }), op('add', '/b/x', { value: 2 })];
    expect(applyJsonPatch({ a: { x: 1 } }, patch)).toEqual({ a: { x: 1 }, b: { x: 2 } });
  });

  it.each([
    ['the parent is missing', { q: 1 }, [op('add', '/a/b', { value: 1 })], 422],
    ['an index is beyond the end', { a: [1] }, [op('add', '/a/2', { value: 1 })], 422],
    ['an index has a leading zero', { a: [1, 2] }, [op('test', '/a/00', { value: 1 })], 422],
    ['an index has a sign', { a: [1, 2] }, [op('remove', '/a/-1')], 422],
    ['a dash names an element to remove', { a: [1] }, [op('remove', '/a/-')], 422],
    ['what is removed is missing', { a: 1 }, [op('remove', '/b')], 422],
    ['what is replaced is missing', { a: 1 }, [op('replace', '/b', { value: 1 })], 422],
    ['the path goes through a text', { a: 'text' }, [op('add', '/a/0', { value: 1 })], 422],
    ['an inherited property is meant', { a: 1 }, [op('test', '/constructor', { value: 1 })], 422],
    ['a value is moved into itself', { a: { b: 1 } }, [op('move', '/a/b', { from: '/a' })], 422],
    ['the document is removed', { a: 1 }, [op('remove', '')], 422],
    ['a test finds another value', { a: '10' }, [op('test', '/a', { value: 10 })], 422],
    ['a test finds a longer list', { a: [1, 2] }, [op('test', '/a', { value: [1] })], 422],
    ['a test finds nothing', { a: 1 }, [op('test', '/b', { value: null })], 422],
    ['the operation is unknown', { a: 1 }, [op('spam', '/a')], 400],
    ['the path is no pointer', { a: 1 }, [op('remove', 'a')], 400],
    ['the path has a bare ~', { a: 1 }, [op('remove', '/~')], 400],
    ['the path is missing', { a: 1 }, [{ op: 'remove' }], 400],
    ['the value is missing', { a: 1 }, [op('add', '/b')], 400],
    ['from is missing', { a: 1 }, [op('move', '/b')], 400],
    ['an operation is no object', { a: 1 }, ['remove'], 400],
    ['the patch is no list', { a: 1 }, op('remove', '/a'), 400],
  ])('is refused when %s', (_name, document, patch, status) => {
    expect(refusal(document, patch)).toMatchObject({ status });
  });

  it('names the element it could not change, and never its value', () => {
    const patient = { resourceType: 'Patient', name: [{ family: 'TEST-SECRET' }] };
    const patch = [op('test', '/name/0/family', { value: 'TEST-AUTRE' })];
    expect(refusal(patient, patch).expression).toBe('Patient.name[0].family');
    expect(() => applyJsonPatch(patient, patch)).toThrow(/^operation 1 of the patch: (?!.*SECRET)/);
  });

  const contained = { resourceType: 'Observation', id: 'o', valueQuantity: { value: 1, unit: 'x' } };
  it.each([
    ['/name/0/given/1', 'Patient.name[0].given[1]'],
    ['/name/0/_given/1/extension/0', 'Patient.name[0].given[1].extension[0]'],
    ['/_birthDate/extension/2/valueString', 'Patient.birthDate.extension[2].value'],
    ['/deceasedBoolean', 'Patient.deceased'],
    ['/multipleBirthInteger', 'Patient.multipleBirth'],
    ['/contained/0/valueQuantity/unit', 'Patient.contained[0].value.unit'],
    ['/contained/0/valueString', 'Patient.contained[0].value'],
    ['/extension/0/valueCodeableConcept/coding/0/code', 'Patient.extension[0].value.coding[0].code'],
    ['/name/-', 'Patient.name'],
    ['/name/01/family', 'Patient.name'],
    ['/name/family', 'Patient.name'],
    ['/contact/3/name/family', 'Patient.contact[3].name.family'],
    ['/birthDate/0', 'Patient.birthDate'],
    ['/unheardOf/0/x', 'Patient'],
    ['/given~1x/0', 'Patient'],
    ['/valueQuantity', 'Patient'],
    ['/constructor', 'Patient'],
    ['/resourceType', 'Patient'],
    ['', 'Patient'],
  ])('names the element of the pointer %s in FHIRPath', (path, expression) => {
    const patient = { resourceType: 'Patient', name: [{ family: 'TEST' }], contained: [contained] };
    expect(refusal(patient, [op('test', path, { value: 'other' })])).toEqual({ status: 422, expression });
  });

  it('names the element as it was then, in resources inside others, and where a value came from', () => {
    const patient = { resourceType: 'Patient' };
    const patch = [
      op('add', '/contained', { value: [contained] }),
      op('move', '/contained/0/valueString', { from: '/contained/0/valueRange' }),
    ];
    expect(refusal(patient, patch).expression).toBe('Patient.contained[0].value');
    const bundle = { resourceType: 'Bundle', entry: [{ resource: contained }] };
    expect(refusal(bundle, [op('remove', '/entry/0/resource/effectiveDateTime')]).expression).toBe(
      'Bundle.entry[0].resource.effective',
    );
    expect(refusal([], [op('remove', '/0')]).expression).toBe('Resource');
  });

  it('cannot reach the prototype of objects', () => {
    applyJsonPatch({ a: {} }, [op('add', '/a/__proto__', { value: { polluted: true } })]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(refusal({ a: {} }, [op('add', '/a/__proto__/x', { value: 1 })])).toMatchObject({ status: 422 });
  });

  it('cannot grow a document without end', () => {
    const doubling = Array.from({ length: 40 }, () => op('copy', '/a/-', { from: '/a' }));
    expect(refusal({ a: [1, 2, 3] }, doubling)).toMatchObject({ status: 422 });
    expect(refusal({}, Array(1001).fill(op('add', '/a', { value: 1 })))).toMatchObject({ status: 400 });
  });

  it('keeps decimals as they were written', () => {
    const document = parseJson('{"a":{"value":1.50},"b":{}}');
    const patch = parseJson(
      '[{"op":"add","path":"/b/low","value":2.00},{"op":"copy","path":"/c","from":"/a"},{"op":"move","path":"/b/high","from":"/a/value"}]',
    );
    expect(stringifyJson(applyJsonPatch(document, patch) as object)).toBe(
      '{"a":{},"b":{"low":2.00,"high":1.50},"c":{"value":1.50}}',
    );
  });

  it.each([
    ['{"a":1.00}', '[{"op":"replace","path":"/a","value":1}]', '{"a":1}'],
    ['{"a":1.00}', '[{"op":"add","path":"/a","value":1.0}]', '{"a":1.0}'],
    ['{"a":1.00}', '[{"op":"remove","path":"/a"},{"op":"add","path":"/a","value":1}]', '{"a":1}'],
    ['{"a":[1.0,2,3.0]}', '[{"op":"remove","path":"/a/0"}]', '{"a":[2,3.0]}'],
    [
      '{"a":[1,1]}',
      '[{"op":"add","path":"/a/1","value":1.0},{"op":"add","path":"/a/-","value":1.00}]',
      '{"a":[1,1.0,1,1.00]}',
    ],
    ['{"a":[1.0,1]}', '[{"op":"move","path":"/a/1","from":"/a/0"}]', '{"a":[1,1.0]}'],
    ['{"a":[1.0],"b":{}}', '[{"op":"copy","path":"/b/c","from":"/a/0"}]', '{"a":[1.0],"b":{"c":1.0}}'],
    [
      '{"a":{"v":1.5}}',
      '[{"op":"copy","path":"/b","from":"/a"},{"op":"replace","path":"/b/v","value":1.50}]',
      '{"a":{"v":1.5},"b":{"v":1.50}}',
    ],
    [
      '{"a":{"v":1.50}}',
      '[{"op":"copy","path":"/b","from":"/a"},{"op":"replace","path":"/b/v","value":1.500}]',
      '{"a":{"v":1.50},"b":{"v":1.500}}',
    ],
  ])('writes each number as it was given: %s and %s', (document, patch, expected) => {
    expect(stringifyJson(applyJsonPatch(parseJson(document), parseJson(patch)) as object)).toBe(expected);
  });

  it('made of the difference of two documents turns one into the other', () => {
    const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (from, to) => {
        fc.pre(![from, to].some((value) => /"(?:__proto__|constructor|prototype)"/.test(JSON.stringify(value))));
        const patch = createPatch(from, to);
        expect(JSON.parse(JSON.stringify(applyJsonPatch(structuredClone(from), patch)))).toEqual(
          JSON.parse(JSON.stringify(to)),
        );
      }),
      { numRuns: 300 },
    );
  });
});
