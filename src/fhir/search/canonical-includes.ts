/** What `_include` and `_revinclude` follow beside references by type and id: canonicals (https://hl7.org/fhir/R4/references.html#canonical). */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { stringifyJson } from '../json/index.ts';
import type { StoredVersion } from '../store/contract.ts';
import {
  canonicalsAmong,
  canonicalTypes,
  type Definition,
  definitionsMeant,
  type Naming,
  namingsOf,
  ownDefinition,
} from './canonicals.ts';
import type { Parameter } from './parameters.ts';
import type { Include } from './request.ts';
import type { RunningSearch } from './scope.ts';

/** Definitions that the canonicals of some values mean. @param values by the parameter that selected them. */
export async function includedDefinitions(
  search: RunningSearch,
  { targetType }: Include,
  values: ReadonlyMap<Parameter, readonly unknown[]>,
  mayInclude: (type: ResourceType) => boolean,
): Promise<Definition[]> {
  const found: Definition[] = [];
  for (const [parameter, selected] of values) {
    const canonicals = [...new Set(canonicalsAmong(selected))];
    if (canonicals.length === 0) continue;
    const types = canonicalTypes(search, parameter, targetType).filter((type) => mayInclude(type as ResourceType));
    found.push(...(await definitionsMeant(search, types, canonicals)));
  }
  return found;
}

/** A definition of the program's own as it comes along. */
export function ownVersion(own: Resource): StoredVersion {
  const { resourceType: type, id = '' } = own;
  return { type, id, version: 1, updated: new Date(0), deleted: false, text: stringifyJson(own) };
}

/** How canonicals name those of the resources that have a url, in the order of the resources. */
export async function namingsOfVersions(search: RunningSearch, versions: readonly StoredVersion[]): Promise<Naming[]> {
  const definitions = versions.map((version): Definition => {
    const { type, id } = version;
    if (!search.registry.of(type).has('url')) return { type, id, url: '' };
    const content = JSON.parse(version.text) as Resource;
    const own = search
      .own?.(type)
      .find((each) => each.id === id && each.meta?.lastUpdated === content.meta?.lastUpdated);
    const { own: _, ...definition } = ownDefinition(content);
    return own ? { ...definition, own } : definition;
  });
  return namingsOf(search, definitions);
}
