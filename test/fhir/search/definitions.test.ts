import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateSearchParameters } from '../../../scripts/generate-search-parameters.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { dateColumns } from '../../../src/fhir/search/date-columns.ts';
import { createMatcher } from '../../../src/fhir/search/match.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { processorMs } from '../../support/processor-time.ts';

it('the committed definitions are what the generator makes of the R4 ones', () => {
  const committed = readFileSync('src/fhir/definitions/search-parameters.generated.json', 'utf8');
  expect(committed).toBe(generateSearchParameters());
});

it('loading the definitions takes less than 50 ms', () => {
  const times = [1, 2, 3].map(() => processorMs(() => void loadSearchDefinitions()));
  expect(Math.min(...times)).toBeLessThan(50);
});

it('every date with a column is a single-valued date parameter of R4', () => {
  const definitions = loadSearchDefinitions();
  for (const [type, codes] of Object.entries(dateColumns)) {
    for (const code of codes) {
      expect(definitions.parameters(type).find((parameter) => parameter.code === code)).toMatchObject({ type: 'date' });
    }
  }
});

it('a SearchParameter of ours is searched like one of R4, also when only an interpreter can evaluate it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
  const parameter = (code: string, type: string, expression: string) =>
    writeFileSync(
      join(folder, `${code}.json`),
      JSON.stringify({
        resourceType: 'SearchParameter',
        url: `https://fhir.passerelle.example/SearchParameter/${code}`,
        status: 'active',
        base: ['Task'],
        code,
        type,
        expression,
      }),
    );
  parameter('deadline', 'date', 'Task.restriction.period.end');
  parameter('late', 'token', "Task.extension('https://example.org/late').value.ofType(boolean)");
  parameter('long', 'token', "Task.note.text.iif($this.length() > 3, 'yes', 'no')");
  const registry = createParameterRegistry(loadSearchDefinitions(folder), interpretPath);
  const task = {
    resourceType: 'Task',
    restriction: { period: { end: '2026-01-01T08:00:00Z' } },
    extension: [{ url: 'https://example.org/late', valueBoolean: true }],
    note: [{ text: 'abcdef' }],
  };
  const select = (code: string) => registry.of('Task').get(code)!.select(task);
  expect(select('deadline')).toEqual(['2026-01-01T08:00:00Z']);
  expect(select('late')).toEqual([true]);
  expect(select('long')).toEqual(['yes']);
  expect(registry.of('Patient').has('deadline')).toBe(false);
});

it('no two parameters of any types share a number in the tables of ordered values', () => {
  const registry = createParameterRegistry(loadSearchDefinitions(), interpretPath);
  const names = new Map<number, string>();
  for (const type of registry.types) {
    for (const { code, key, facets } of registry.of(type).values()) {
      const own: [number, string][] = [
        [key, `${type}.${code}`],
        ...(facets ?? []).map((facet): [number, string] => [facet.key, `${type} ${facet.name}`]),
      ];
      for (const [number, name] of own) {
        expect(names.get(number) ?? name).toBe(name);
        names.set(number, name);
      }
    }
  }
  expect(names.size).toBeGreaterThan(2500);
});

describe('a composite of ours', () => {
  const composite = (...parts: [type: string, expression: string][]) => {
    const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
    const define = (code: string, content: object) =>
      writeFileSync(
        join(folder, `${code}.json`),
        JSON.stringify({
          resourceType: 'SearchParameter',
          url: `https://fhir.passerelle.example/SearchParameter/${code}`,
          status: 'active',
          base: ['Task'],
          code,
          ...content,
        }),
      );
    for (const [n, [type, expression]] of parts.entries())
      define(`part-${n}`, { type, expression: `Task.input.${expression}` });
    define('paired', {
      type: 'composite',
      expression: 'Task.input',
      component: parts.map(([, expression], n) => ({
        definition: `https://fhir.passerelle.example/SearchParameter/part-${n}`,
        expression,
      })),
    });
    return createParameterRegistry(loadSearchDefinitions(folder), interpretPath);
  };
  const task = {
    resourceType: 'Task',
    input: [
      { type: { coding: [{ code: 'count' }] }, valueInteger: 3 },
      { type: { coding: [{ code: 'since' }] }, valueDate: '2026-03-04' },
      { type: { coding: [{ code: 'link' }] }, valueUri: 'http://example.org/a' },
      { type: { coding: [{ code: 'of' }] }, valueReference: { reference: 'Patient/1' } },
      { type: { coding: [{ code: 'note' }] }, valueString: 'Étendu' },
    ],
  };

  it.each([
    ['number', 'value.ofType(integer)', 'count$gt2', 'count$gt3'],
    ['date', 'value.ofType(date)', 'since$ge2026-03', 'since$sa2026-03'],
    ['uri', 'value.ofType(uri)', 'link$http://example.org/a', 'of$http://example.org/a'],
    ['reference', 'value.ofType(Reference)', 'of$Patient/1', 'link$Patient/1'],
    ['string', 'value.ofType(string)', 'note$etend', 'count$etend'],
  ])('pairs a token with a %s', (type, expression, found, missed) => {
    const matches = createMatcher({ registry: composite(['token', 'type'], [type, expression]) });
    expect(matches('Task', `paired=${encodeURIComponent(found)}`)(task)).toBe(true);
    expect(matches('Task', `paired=${encodeURIComponent(missed)}`)(task)).toBe(false);
  });

  it.each([
    [['token', 'type']],
    [
      ['date', 'value.ofType(date)'],
      ['quantity', 'value.ofType(Quantity)'],
    ],
    [
      ['token', 'type'],
      ['composite', 'value'],
    ],
  ] as [string, string][][])('of parts that no row can hold is refused when it is read: %s', (...parts) => {
    expect(() => composite(...parts).of('Task')).toThrow('cannot be paired');
  });
});
