import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { generateSearchParameters } from '../../../scripts/generate-search-parameters.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { dateColumns } from '../../../src/fhir/search/date-columns.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';

it('the committed definitions are what the generator makes of the R4 ones', () => {
  const committed = readFileSync('src/fhir/definitions/search-parameters.generated.json', 'utf8');
  expect(committed).toBe(generateSearchParameters());
});

it('loading the definitions takes less than 50 ms', () => {
  const times = [1, 2, 3].map(() => {
    const start = performance.now();
    loadSearchDefinitions();
    return performance.now() - start;
  });
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
