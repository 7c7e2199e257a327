import { readdirSync, readFileSync } from 'node:fs';
import type {
  CodeSystem,
  OperationDefinition,
  Resource,
  SearchParameter,
  StructureDefinition,
  ValueSet,
} from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { withTables } from '../../../scripts/generate-fhir-doc.ts';
import { validateResource } from '../../../src/fhir/validation/index.ts';
import { guards } from '../../../src/teleradiology/case/guards.ts';
import { states } from '../../../src/teleradiology/case/states.ts';

const files = readdirSync('fhir-profiles', { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.json'),
);
const artefacts = files.map(
  (file) => JSON.parse(readFileSync(`fhir-profiles/${file}`, 'utf8')) as Resource & { url: string },
);

function ofType<T extends Resource>(type: T['resourceType']): T[] {
  return artefacts.filter((artefact) => artefact.resourceType === type) as never;
}

function codesOf(id: string): (string | undefined)[] {
  return ofType<CodeSystem>('CodeSystem')
    .find((system) => system.id === id)!
    .concept!.map((concept) => concept.code);
}

describe('fhir-profiles', () => {
  it.each(files)('%s is a valid resource, named and addressed by its id', (file) => {
    const artefact = artefacts[files.indexOf(file)]!;
    expect(validateResource(artefact)).toEqual([]);
    expect(file.split('/').at(-1)).toBe(`${artefact.resourceType}-${artefact.id}.json`);
    // An access policy is a Basic without an address.
    if (file.startsWith('policies/')) return;
    // A topic of subscriptions is a Basic, its address an extension.
    const topic = artefact.resourceType === 'Basic' ? artefact.extension![0]!.valueUri : undefined;
    const type = topic ? 'SubscriptionTopic' : artefact.resourceType;
    expect(topic ?? artefact.url).toBe(`https://fhir.passerelle.example/${type}/${artefact.id}`);
  });

  it('has every code system its value sets draw on, and counts its concepts', () => {
    const urls = new Set(artefacts.map(({ url }) => url));
    for (const { compose } of ofType<ValueSet>('ValueSet'))
      for (const { system } of compose!.include) expect(urls).toContain(system);
    for (const system of ofType<CodeSystem>('CodeSystem')) {
      expect(system.concept).toHaveLength(system.count!);
      expect(new Set(codesOf(system.id!)).size).toBe(system.count);
      expect(urls).toContain(system.valueSet);
    }
  });

  it('names the states and conditions the case machine has', () => {
    expect(codesOf('case-status')).toEqual(states.map(({ code }) => code));
    expect(codesOf('case-guard').sort()).toEqual(Object.keys(guards).sort());
  });

  it('says in each extension which address it has', () => {
    for (const { url, type, differential } of ofType<StructureDefinition>('StructureDefinition')) {
      if (type !== 'Extension') continue;
      expect(differential!.element.find(({ path }) => path === 'Extension.url')!.fixedUri).toBe(url);
    }
  });

  it('defines operations with one resource as result, or with named ones, and parameters with an expression', () => {
    for (const { parameter } of ofType<OperationDefinition>('OperationDefinition')) {
      const results = parameter!.filter(({ use }) => use === 'out').map(({ name }) => name);
      expect(results.length).toBeGreaterThan(0);
      if (results.includes('return')) expect(results).toEqual(['return']);
    }
    for (const { expression, base } of ofType<SearchParameter>('SearchParameter'))
      expect(expression!.startsWith(`${base[0]}.`)).toBe(true);
  });
});

describe('docs/fhir.md', () => {
  it('shows the tables the code makes', () => {
    const page = readFileSync('docs/fhir.md', 'utf8');
    expect(withTables(page)).toBe(page);
  });
});
