import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../../../src/fhir/json/index.ts';
import { parseXml, stringifyXml } from '../../../src/fhir/xml/index.ts';
import { sorted } from './sorted.ts';

const folders = ['../shared/fixtures/fhir-r4/resources', '../shared/fixtures/fhir-fr', 'fhir-profiles'];

describe.each(folders.filter((folder) => existsSync(folder)))('the resources of %s', (folder) => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.json') && !name.endsWith('index.json'),
  );
  const resources = files.flatMap((file) => {
    const content = parseJson(readFileSync(`${folder}/${file}`, 'utf8')) as { resourceType?: string };
    return content.resourceType === undefined ? [] : [{ file, content }];
  });

  it('are the same after JSON → XML → JSON, decimals included', () => {
    const different = resources.filter(({ content }, index) => {
      const back = parseXml(stringifyXml(content, index % 2 === 0)) as object;
      return stringifyJson(sorted(back)) !== stringifyJson(sorted(content));
    });
    expect(different.map(({ file }) => file)).toEqual([]);
    expect(resources.length).toBeGreaterThan(10);
  });
});
