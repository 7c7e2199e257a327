/** What somebody sees of a tenant, made ready for the store: which rows, and what is left of them. */
import type { Resource } from '@medplum/fhirtypes';
import type { Sight } from '../contract.ts';
import { hasLiterals, keepLiterals, literalOf, markHolder, parseJson, remember, stringifyJson } from '../json/index.ts';
import { withoutHidden } from '../search/hidden-parameters.ts';
import type { KeyHasher } from '../search/keys.ts';
import type { ParameterRegistry } from '../search/parameters.ts';
import { type SeenRows, seenRows } from '../search/row-limits.ts';
import type { StoredVersion } from './contract.ts';

export interface StoreSight {
  /** Undefined: the whole tenant. */
  rows?: SeenRows;
  /** A version without its hidden elements. */
  show<Version extends StoredVersion>(version: Version): Version;
  /** A resource about to be stored by somebody who cannot see some elements of it: they stay as `before` has them. */
  restore<R extends Resource>(resource: R, before: Resource | undefined): R;
  /** The search parameters that tell nothing hidden. */
  searchable(registry: ParameterRegistry): ParameterRegistry;
  /** Top-level elements of a type that are not seen. */
  hidden(type: string): readonly string[];
}

const nothing: readonly string[] = [];

/** Everything. */
export const wholeSight: StoreSight = {
  show: (version) => version,
  restore: (resource) => resource,
  hidden: () => nothing,
  searchable: (registry) => registry,
};

/** @returns sights by tenant; the same one as long as the same objects say what is seen. */
export function createSights(hasher: KeyHasher): (tenant: string, sight: Sight) => StoreSight {
  const known = new WeakMap<object, Map<string, { of: Sight; sight: StoreSight }>>();
  return (tenant, of) => {
    const { rows, hidden } = of;
    const said = rows ?? hidden;
    if (!said) return wholeSight;
    let byTenant = known.get(said);
    if (!byTenant) {
      byTenant = new Map();
      known.set(said, byTenant);
    }
    const last = byTenant.get(tenant);
    if (last && last.of.rows === rows && last.of.hidden === hidden) return last.sight;
    const sight: StoreSight = {
      ...(hidden ? hiding(hidden) : wholeSight),
      ...(rows ? { rows: seenRows(hasher, tenant, rows) } : {}),
    };
    byTenant.set(tenant, { of: { ...(rows ? { rows } : {}), ...(hidden ? { hidden } : {}) }, sight });
    return sight;
  };
}

function hiding(hidden: NonNullable<Sight['hidden']>): Omit<StoreSight, 'rows'> {
  const registries = new WeakMap<ParameterRegistry, ParameterRegistry>();
  const of = (type: string) => hidden.get(type) ?? nothing;
  return {
    hidden: of,
    searchable(registry) {
      const reduced = registries.get(registry) ?? withoutHidden(registry, of);
      registries.set(registry, reduced);
      return reduced;
    },
    show(version) {
      const names = of(version.type);
      if (names.length === 0 || version.text === '') return version;
      const { text, whole = text } = version;
      return { ...version, text: without(text, names), whole };
    },
    restore(resource, before) {
      const names = of(resource.resourceType);
      if (names.length === 0) return resource;
      const kept = Object.entries(before ?? {}).filter(([name]) => names.includes(elementOf(name)));
      const whole = { ...omitted(resource, names), ...Object.fromEntries(kept) } as typeof resource;
      for (const [name, value] of kept) keepText(name, value, before!, whole);
      return whole;
    },
  };
}

function without(text: string, names: readonly string[]): string {
  return stringifyJson(omitted(parseJson(text) as Resource, names));
}

/** How a number was written goes with it. */
function keepText(name: string, value: unknown, before: Resource, whole: Resource): void {
  const text = typeof value === 'number' ? literalOf(before, name, value) : undefined;
  if (text !== undefined) remember(whole, name, text);
  else if (hasLiterals(value)) markHolder(whole);
}

function omitted(resource: Resource, names: readonly string[]): Resource {
  return keepLiterals(
    resource,
    Object.fromEntries(
      Object.entries(resource).filter(([name]) => !names.includes(elementOf(name))),
    ) as unknown as Resource,
  );
}

/** `birthDate` of `_birthDate`, which holds its extensions. */
function elementOf(name: string): string {
  return name.startsWith('_') ? name.slice(1) : name;
}
