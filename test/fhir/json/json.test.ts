import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FhirError } from '../../../src/fhir/contract.ts';
import { keepLiterals, parseJson, parseSentJson, stringifyJson } from '../../../src/fhir/json/index.ts';

const roundTrip = (text: string) => stringifyJson(parseJson(text) as object);

describe('numbers', () => {
  it('keep the text they were written with', () => {
    for (const number of [
      '1.00',
      '0.10',
      '-0',
      '-0.0',
      '1e3',
      '1.5E-10',
      '100.0',
      '3.14159265358979323846',
      '12345678901234567890',
    ]) {
      for (const text of [`{"a":${number}}`, `{"a":[1,${number}]}`, `{"b":{"c":[{"a":${number},"d":2}]}}`]) {
        expect(roundTrip(text)).toBe(text);
      }
    }
  });

  it('are plain JavaScript numbers', () => {
    const { value } = parseJson('{"value":1.00}') as { value: unknown };
    expect(value).toBe(1);
    expect(Object.keys(parseJson('{"value":1.00}') as object)).toEqual(['value']);
    expect(JSON.stringify(parseJson('{"value":1.00}'))).toBe('{"value":1}');
  });

  it('keep it in copies made by spread and rest, and in Bundles and Parameters put around them', () => {
    const observation = parseJson('{"resourceType":"Observation","valueQuantity":{"value":7.20}}') as Record<
      string,
      unknown
    >;
    const { resourceType, ...rest } = observation;
    expect(stringifyJson({ id: 'a', ...rest })).toBe('{"id":"a","valueQuantity":{"value":7.20}}');
    expect(stringifyJson({ resourceType: 'Bundle', entry: [{ fullUrl: 'a' }, { resource: observation }] })).toContain(
      '7.20',
    );
    expect(stringifyJson({ parameter: [{ name: 'a', valueQuantity: observation.valueQuantity }] })).toContain('7.20');
    const inner = { entry: [{ resource: observation }] };
    expect(stringifyJson({ parameter: [{ name: 'a', resource: inner }] })).toContain('7.20');
    const copy = keepLiterals(observation, Object.fromEntries(Object.entries(observation)));
    expect(stringifyJson(copy)).toContain('7.20');
  });

  it('lose it when they are changed', () => {
    const value = parseJson('{"value":1.00,"other":2.50}') as { value: number };
    expect(stringifyJson({ ...value, value: 3 })).toBe('{"value":3,"other":2.50}');
  });

  it('are not looked for in strings', () => {
    const text = '{"a":"1.00","b":"\\"1.0,","c":"\\\\","d":1.5,"é":"[[[["}';
    expect(roundTrip(text)).toBe(text);
    expect(Object.getOwnPropertySymbols(parseJson(text))).toEqual([]);
  });

  it('come out as they went in, whatever the value (property)', () => {
    const literal = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String),
        fc.oneof(fc.constant(''), fc.stringMatching(/^\.[0-9]{1,25}$/)),
        fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?[0-9]{1,2}$/)),
      )
      .map((parts) => parts.join(''));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        literal,
        fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
        fc.constantFrom('true', 'false', 'null'),
        fc.array(tie('value') as fc.Arbitrary<string>, { maxLength: 4 }).map((items) => `[${items}]`),
        fc
          .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z"\\]{1,5}$/), tie('value') as fc.Arbitrary<string>), {
            maxLength: 4,
            selector: ([name]) => name,
          })
          .map((entries) => `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${item}`)}}`),
      ),
    })) as { value: fc.Arbitrary<string> };
    fc.assert(
      fc.property(value, (text) => {
        expect(roundTrip(`{"a":${text}}`)).toBe(`{"a":${text}}`);
      }),
    );
  });
});

describe('limits', () => {
  const refused = (text: string) => {
    try {
      parseJson(text);
    } catch (error) {
      if (error instanceof FhirError) return error.status;
      throw error;
    }
    return undefined;
  };

  it('refuse what nests deeper than any resource, before it is parsed', () => {
    expect(refused(`${'['.repeat(192)}${']'.repeat(192)}`)).toBeUndefined();
    expect(refused(`${'['.repeat(193)}${']'.repeat(193)}`)).toBe(400);
    expect(refused('{"a":'.repeat(1_000_000))).toBe(400);
  });

  it('refuse millions of empty objects', () => {
    expect(refused(`[${'{},'.repeat(2_000_000)}{}]`)).toBe(413);
  });

  it('leave what is not JSON to the parser', () => {
    for (const text of ['', '{"a', '{"a":1.0.0}', '{"a":01}', '{"a":1e}', '["\\"']) {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    }
  });
});

describe('names', () => {
  const refusal = (text: string) => {
    try {
      parseSentJson(text);
    } catch (error) {
      if (error instanceof FhirError) return { status: error.status, expression: error.outcome.issue[0]!.expression };
      throw error;
    }
    return undefined;
  };

  it.each([
    ['{"resourceType":"Patient","birthDate":"1950","birthDate":"1960"}', ['Patient.birthDate']],
    ['{"resourceType":"Patient","name":[{"text":"a"},{"text":"a","x":{"y":1},"text":"a"}]}', ['Patient.name[1].text']],
    ['{"resourceType":"Patient","birthDate":"1950","birth\\u0044ate" : "1950"}', ['Patient.birthDate']],
    ['{"resourceType":"Patient","MOREAU 1":1,"MOREAU 1":2}', undefined],
    ['[{"a":1,"a":1}]', undefined],
    ['{"a":"b,\\"a\\":{","c":{"a":[1,2],"a":3}}', undefined],
  ])('said twice are refused: %s', (text, expression) => {
    expect(refusal(text)).toEqual({ status: 400, expression });
  });

  it('are looked for in what was sent, whatever is in it (property)', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseSentJson(text)).toEqual(parseJson(text));
      }),
    );
    expect(refusal('{"a":{"b":1},"c":{"b":1},"d":[{"b":":"},{"b":1.0}]}')).toBeUndefined();
    expect(() => parseSentJson('{"a":1')).toThrow(SyntaxError);
  });
});
