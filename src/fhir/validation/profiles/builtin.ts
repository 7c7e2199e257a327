/** Definitions the program brings: those of R4, those of implementation guides and our own (`fhir-profiles/`). Read when asked for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Resource, StructureDefinition } from '@medplum/fhirtypes';
import { expandValueSet } from '../../definitions/expand.ts';
import { definitionPackage, type PackagedValueSet } from '../../definitions/package-file.ts';
import type { StructureFile, ValueSetCodes } from '../../definitions/structure-file.ts';
import { type ValueSetTest, valueSetTest } from '../bindings.ts';
import type { DefinitionSource } from './registry.ts';

const r4File = new URL('../../definitions/profiles-r4.generated.ndjson', import.meta.url);
const profilesFolder = fileURLToPath(new URL('../../../../fhir-profiles/', import.meta.url));
const valueSetUrl = 'http://hl7.org/fhir/ValueSet/';

/** @param folder of JSON files (our own) and packages (`.ndjson`). */
export function builtinDefinitions(structure: StructureFile, folder = profilesFolder): DefinitionSource {
  const packages = lazily(() => [r4File, ...filesOf(folder, '.ndjson')].map(definitionPackage));
  const own = lazily(() => readOwn(folder));
  const tests = new Map<string, ValueSetTest | undefined>();

  function packaged(url: string): StructureDefinition | PackagedValueSet | undefined {
    for (const each of packages()) {
      const found = each.read(url);
      if (found) return found;
    }
    return undefined;
  }

  function codesOf(url: string): ValueSetCodes | undefined {
    const r4 = url.startsWith(valueSetUrl) ? structure.valueSets[url.slice(valueSetUrl.length)] : undefined;
    if (r4) return r4;
    const found = packaged(url);
    if (found?.resourceType === 'ValueSet') return found.codes;
    return expandValueSet(own().get(url), (other) => own().get(other));
  }

  return {
    profile(url) {
      const found = packaged(url) ?? own().get(url);
      return found?.resourceType === 'StructureDefinition' ? found : undefined;
    },
    valueSet(url) {
      if (!tests.has(url)) {
        const codes = codesOf(url);
        tests.set(url, codes && valueSetTest(codes));
      }
      return tests.get(url);
    },
  };
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}

function readOwn(folder: string): ReadonlyMap<string, Resource> {
  const byUrl = new Map<string, Resource>();
  for (const file of filesOf(folder, '.json')) {
    const resource = JSON.parse(readFileSync(file, 'utf8')) as Resource;
    if ('url' in resource && typeof resource.url === 'string') byUrl.set(resource.url, resource);
  }
  return byUrl;
}
