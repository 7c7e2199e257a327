/**
 * Our own definitions (`fhir-profiles/`), served as if they were stored: read by id, found by url, name or id
 * (https://hl7.org/fhir/R4/conformance-module.html). They belong to the program, not to a tenant.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import type { Operation } from '../contract.ts';
import { definitionPackage } from '../definitions/package-file.ts';
import { profilesFolder } from '../definitions/profiles-folder.ts';
import { operationDefinitions } from './operation-definitions.ts';

export interface Artefacts {
  read(type: string, id: string): Resource | undefined;
  /** Matches of a search that asks by `url`, `name`, `_id` or for everything of the type; none for other criteria. */
  search(type: string, query: string): Resource[];
  /** Every one of a type. */
  all(type: string): readonly Resource[];
  /** URLs of the profiles of a type that are known, ours and those of others that come with them: who declares one is held to it. */
  profiles(type: string): readonly string[];
}

/** Every JSON file of the folder, subfolders included. */
export function readArtefacts(folder = profilesFolder): Resource[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Resource);
}

/** @param operations those registered by now: rooms register theirs after the routes are made. */
export function artefactsOf(files: readonly Resource[], operations: () => readonly Operation[]): Artefacts {
  const byType = Map.groupBy(files, (file) => file.resourceType as string);
  const ofType = (type: string): readonly Resource[] => {
    const written = byType.get(type) ?? [];
    return type === 'OperationDefinition' ? [...written, ...operationDefinitions(operations(), written)] : written;
  };
  let profiles: ReadonlyMap<string, readonly string[]> | undefined;
  return {
    profiles(type) {
      profiles ??= profilesByType(files, readPackaged());
      return profiles.get(type) ?? [];
    },
    all: ofType,
    read: (type, id) => ofType(type).find((resource) => resource.id === id),
    search(type, query) {
      const candidates = ofType(type);
      // Nearly every search is for another type.
      if (candidates.length === 0) return [];
      const criteria = [...new URLSearchParams(query)].filter(([name]) => !presentation.has(name.split(':', 1)[0]!));
      return candidates.filter((resource) => criteria.every(([name, value]) => matches(resource, name, value)));
    },
  };
}

/** Definitions of others (FR Core, IHE, ANS), which are not served. */
function readPackaged(folder = profilesFolder): Resource[] {
  const packages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ndjson'),
  );
  return packages.sort().flatMap((name) => {
    const { header, read } = definitionPackage(join(folder, name));
    return Object.keys(header().index).flatMap((url) => {
      const definition = read(url);
      return definition?.resourceType === 'StructureDefinition' ? [definition] : [];
    });
  });
}

function profilesByType(...sources: (readonly Resource[])[]): ReadonlyMap<string, readonly string[]> {
  const profiles = new Map<string, string[]>();
  for (const definition of sources.flat()) {
    if (definition.resourceType !== 'StructureDefinition' || definition.kind !== 'resource') continue;
    const { type, url } = definition;
    profiles.set(type, [...(profiles.get(type) ?? []), url]);
  }
  return profiles;
}

/** Parameters that say how to answer, not what to find. */
const presentation = new Set([
  '_count',
  '_total',
  '_sort',
  '_summary',
  '_elements',
  '_cursor',
  '_include',
  '_revinclude',
]);

const elementOf: Readonly<Record<string, string>> = { url: 'url', name: 'name', _id: 'id' };

function matches(resource: Resource, name: string, value: string): boolean {
  const element = elementOf[name];
  if (!element) return false;
  const held = (resource as unknown as Record<string, unknown>)[element];
  if (name === 'name') return String(held).toLowerCase().startsWith(value.toLowerCase());
  return value.split(',').some((wanted) => wanted === held);
}
