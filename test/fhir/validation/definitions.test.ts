import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generateStructure } from '../../../scripts/generate-structure.ts';
import { loadStructure, parseElement, resourceTypesOf } from '../../../src/fhir/definitions/structure-file.ts';

describe('structure.generated.json', () => {
  it('is what the script makes of the definitions', () => {
    const committed = readFileSync('src/fhir/definitions/structure.generated.json', 'utf8');
    expect(generateStructure() === committed).toBe(true);
  });

  it('is R4: 146 resource types, and nothing of later versions or of the package it comes from', () => {
    const structure = loadStructure();
    const types = resourceTypesOf(structure);
    expect(types).toHaveLength(146);
    expect(types).not.toContain('SubscriptionStatus');
    expect(Object.keys(structure.types.Meta!.elements)).toEqual([
      'versionId',
      'lastUpdated',
      'source',
      'profile',
      'security',
      'tag',
    ]);
    expect(structure.types['EvidenceVariable.characteristic']!.elements['definition[x]']).toMatch(/^1\.\.1 /);
  });

  it('names only types and value sets that it has', () => {
    const { types, valueSets } = loadStructure();
    for (const [name, type] of Object.entries(types)) {
      for (const [element, notation] of Object.entries(type.elements)) {
        const rule = parseElement(notation);
        const unknown = rule.types
          .flatMap(({ code, targets = [] }) => [code, ...targets])
          .filter((code) => !types[code]);
        expect(unknown, `${name}.${element}`).toEqual([]);
        if (rule.valueSet) expect(valueSets, `${name}.${element}`).toHaveProperty([rule.valueSet]);
      }
    }
  });
});
