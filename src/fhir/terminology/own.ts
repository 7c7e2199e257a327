/** Our own definitions: those of `fhir-profiles/`, and those other rooms hand in. Read at the first question. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConceptMap } from '@medplum/fhirtypes';
import { profilesFolder } from '../definitions/profiles-folder.ts';
import type { Definitions, TerminologyResource, TerminologyType } from './r4.ts';

const folders = ['code-systems', 'value-sets', 'concept-maps'];

/**
 * @param profiles folder with subfolders of JSON files, one resource a file.
 * @param more resources that are not files of that folder.
 */
export function ownDefinitions(
  more: () => readonly TerminologyResource[] = () => [],
  profiles = profilesFolder,
): Definitions & { byId(type: TerminologyType, id: string): TerminologyResource | undefined } {
  let read: readonly TerminologyResource[] | undefined;
  const all = () => {
    read ??= [...readFolder(profiles), ...more()];
    return read;
  };
  return {
    find: (type, url) => all().filter((resource) => resource.resourceType === type && resource.url === url),
    byId: (type, id) => all().find((resource) => resource.resourceType === type && resource.id === id),
    conceptMaps: () => all().filter((resource): resource is ConceptMap => resource.resourceType === 'ConceptMap'),
    systemOfValueSet: (url) =>
      all().flatMap((resource) =>
        resource.resourceType === 'CodeSystem' && resource.valueSet === url && resource.url ? [resource.url] : [],
      )[0],
  };
}

function readFolder(profiles: string): TerminologyResource[] {
  return folders
    .map((folder) => join(profiles, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .sort()
        .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as TerminologyResource),
    );
}
