/**
 * Finds definitions by their canonical URL: those stored by the tenant, those stored by the platform, our own, those of R4, and
 * systems loaded from official files. The first place that has the URL (in the version asked for) answers.
 */
import type { CodeSystem, ConceptMap, Resource, ResourceType, ValueSet } from '@medplum/fhirtypes';
import { platformTenant, type Sql } from '../../db/index.ts';
import type { Cache } from './cache.ts';
import { type Canonical, canonicalText, chooseVersion, criterion, parseCanonical } from './canonical.ts';
import { grammarSystem } from './grammar-systems.ts';
import { findLoaded, loadedSystem, systemOfLoadedValueSet } from './loaded-system.ts';
import { type MemoryContent, memoryContent } from './memory-content.ts';
import { memorySystem } from './memory-system.ts';
import type { Definitions, TerminologyResource, TerminologyType } from './r4.ts';
import { withSupplements } from './supplements.ts';
import type { KnownSystem } from './system.ts';

/** Stored resources of a tenant that match a search, over a connection that may see them. */
export type StoredSearch = (sql: Sql, tenant: string, type: ResourceType, query: string) => Promise<Resource[]>;

export interface LibraryParts {
  search: StoredSearch;
  /** In the order they answer. */
  definitions: readonly Definitions[];
  contents: Cache<MemoryContent>;
}

export interface LibraryScope {
  tenant: string;
  sql: Sql;
  /** Definitions as they were at this instant, as far as they are dated. */
  asOf?: Date;
  /** Resources sent with the request: they answer first. */
  given?: readonly TerminologyResource[];
}

export interface Library {
  readonly sql: Sql;
  codeSystem(canonical: Canonical): Promise<KnownSystem | undefined>;
  /** @param reference canonical URL or `ValueSet/[id]` of the tenant. */
  valueSet(reference: string): Promise<ValueSet | undefined>;
  conceptMap(canonical: Canonical): Promise<ConceptMap | undefined>;
  /** Every concept map that may translate codes of this system, or into it. */
  conceptMapsOf(system: string, direction: 'source' | 'target'): Promise<ConceptMap[]>;
}

/** A library of one question: what it found once it does not look for again. */
export function openLibrary(parts: LibraryParts, scope: LibraryScope): Library {
  const found = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, find: () => Promise<T>): Promise<T> => {
    const known = found.get(key) as Promise<T> | undefined;
    if (known) return known;
    const finding = find();
    found.set(key, finding);
    return finding;
  };
  const tenants = scope.tenant === platformTenant ? [platformTenant] : [scope.tenant, platformTenant];

  async function resource<T extends TerminologyResource>(type: TerminologyType, canonical: Canonical) {
    const choose = (candidates: readonly Resource[]) =>
      chooseVersion(candidates as readonly T[], canonical.version, scope.asOf);
    const given = (scope.given ?? []).filter((item) => item.resourceType === type && item.url === canonical.url);
    const sent = choose(given);
    if (sent) return { resource: sent, key: undefined };
    for (const tenant of tenants) {
      const stored = choose(await parts.search(scope.sql, tenant, type, `url=${criterion(canonical.url)}`));
      if (stored) return { resource: stored, key: `${tenant} ${stored.id} ${stored.meta?.versionId}` };
    }
    for (const [place, definitions] of parts.definitions.entries()) {
      const defined = choose(definitions.find(type, canonical.url));
      if (defined) return { resource: defined, key: `${place} ${canonicalText(defined as Canonical)}` };
    }
    return undefined;
  }

  async function supplementsOf(url: string): Promise<CodeSystem[]> {
    const lists = [];
    for (const tenant of tenants)
      lists.push(await parts.search(scope.sql, tenant, 'CodeSystem', `supplements=${criterion(url)}&_count=20`));
    const given = (scope.given ?? []).filter(
      (item) => item.resourceType === 'CodeSystem' && item.content === 'supplement',
    );
    return [...given, ...lists.flat()].filter(
      (item): item is CodeSystem =>
        item.resourceType === 'CodeSystem' &&
        parseCanonical(item.supplements ?? '').url === url &&
        item.status !== 'retired',
    );
  }

  async function findSystem(canonical: Canonical): Promise<KnownSystem | undefined> {
    const known = await resource<CodeSystem>('CodeSystem', canonical);
    // A resource without concepts says what the system is, not what is in it.
    if (known && known.resource.content !== 'not-present' && known.resource.content !== 'supplement') {
      const supplements = await supplementsOf(canonical.url);
      const make = () => memoryContent(known.resource, supplements);
      const stamp = supplements.map(({ id, meta }) => ` + ${id} ${meta?.versionId}`).join('');
      const isSent = known.key === undefined || supplements.some(({ meta }) => !meta?.versionId);
      return memorySystem(isSent ? make() : parts.contents.get(known.key + stamp, make), scope.sql);
    }
    for (const tenant of tenants) {
      const loaded = await findLoaded(scope.sql, tenant, canonical);
      if (loaded) return withSupplements(loadedSystem(loaded, scope.sql), await supplementsOf(canonical.url));
    }
    return grammarSystem(canonical);
  }

  async function findValueSet(reference: string): Promise<ValueSet | undefined> {
    const id = /^ValueSet\/([A-Za-z0-9.-]{1,64})$/.exec(reference)?.[1];
    if (id !== undefined) return (await parts.search(scope.sql, scope.tenant, 'ValueSet', `_id=${id}`))[0] as ValueSet;
    const canonical = parseCanonical(reference);
    return (await resource<ValueSet>('ValueSet', canonical))?.resource ?? implicitValueSet(canonical);
  }

  /** All codes of a system, where the system names such a set, and SNOMED CT's sets by URL (https://hl7.org/fhir/R4/snomedct.html#implicit). */
  async function implicitValueSet(canonical: Canonical): Promise<ValueSet | undefined> {
    const { url } = canonical;
    const snomed = /^(http:\/\/snomed\.info\/sct(?:\/\d+(?:\/version\/\d{8})?)?)\?fhir_vs(?:=isa\/(\d+))?$/.exec(url);
    if (snomed) {
      const filter = snomed[2] ? [{ property: 'concept', op: 'is-a' as const, value: snomed[2] }] : undefined;
      const edition = snomed[1] === 'http://snomed.info/sct' ? {} : { version: snomed[1]! };
      return madeValueSet(url, { system: 'http://snomed.info/sct', ...edition, ...(filter ? { filter } : {}) });
    }
    for (const definitions of parts.definitions) {
      const system = definitions.systemOfValueSet(url);
      if (system) return madeValueSet(url, { system });
    }
    for (const tenant of tenants) {
      const system = await systemOfLoadedValueSet(scope.sql, tenant, url);
      if (system) return madeValueSet(url, { system });
    }
    return undefined;
  }

  /** Of a map that is there more than once, the one its URL stands for. */
  async function findMapsOf(system: string, direction: 'source' | 'target'): Promise<ConceptMap[]> {
    const maps: ConceptMap[] = (scope.given ?? []).filter((item) => item.resourceType === 'ConceptMap');
    for (const tenant of tenants) {
      const query = `${direction}-system=${criterion(system)}&_count=100`;
      maps.push(...((await parts.search(scope.sql, tenant, 'ConceptMap', query)) as ConceptMap[]));
    }
    for (const definitions of parts.definitions) {
      maps.push(...definitions.conceptMaps().filter((map) => map.group?.some((group) => group[direction] === system)));
    }
    const meant: ConceptMap[] = maps.filter(({ url, status }) => url === undefined && status !== 'retired');
    for (const url of new Set(maps.flatMap(({ url }) => url ?? []))) {
      const chosen = (await resource<ConceptMap>('ConceptMap', { url }))?.resource;
      if (chosen && chosen.status !== 'retired') meant.push(chosen);
    }
    return meant;
  }

  return {
    sql: scope.sql,
    codeSystem: (canonical) => once(`CodeSystem ${canonicalText(canonical)}`, () => findSystem(canonical)),
    valueSet: (reference) => once(`ValueSet ${reference}`, () => findValueSet(reference)),
    conceptMap: async (canonical) =>
      (await once(`ConceptMap ${canonicalText(canonical)}`, () => resource<ConceptMap>('ConceptMap', canonical)))
        ?.resource,
    async conceptMapsOf(system, direction) {
      return once(`ConceptMaps ${direction} ${system}`, () => findMapsOf(system, direction));
    },
  };
}

function madeValueSet(url: string, include: NonNullable<ValueSet['compose']>['include'][number]): ValueSet {
  return { resourceType: 'ValueSet', url, status: 'active', compose: { include: [include] } };
}
