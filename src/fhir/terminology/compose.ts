/**
 * What a value set says of each code system: its compose as one selection per system, imports resolved
 * (https://hl7.org/fhir/R4/valueset.html#compositions).
 */
import type { ValueSet, ValueSetComposeInclude, ValueSetExpansionContains } from '@medplum/fhirtypes';
import { type Budget, openBudget } from './budget.ts';
import { type Canonical, canonicalText } from './canonical.ts';
import type { Library } from './library.ts';
import { invalid, notSupported, shown, tooCostly, unknownValueSet } from './problems.ts';
import { both, either, everything, type ListedConcept, type Selection } from './selection.ts';

/** Which codes of which system, in the order systems are named. */
export interface Part {
  system: string;
  version?: string;
  selection: Selection;
}

/** Versions of code systems that the caller asks for (`system-version` and its kin of $expand). */
export interface SystemVersions {
  /** Used where the value set says none. */
  preferred: ReadonlyMap<string, string>;
  /** Used whatever the value set says. */
  forced: ReadonlyMap<string, string>;
  /** Refused when the value set says another. */
  checked: ReadonlyMap<string, string>;
}

export const anyVersion: SystemVersions = { preferred: new Map(), forced: new Map(), checked: new Map() };

/** Value sets that import value sets: deeper is a mistake or an attack. */
const importDepthLimit = 20;

/**
 * @param seen canonical URLs of value sets used on the way, in the order they were met.
 * @param budget of the whole question.
 * @throws FhirError 422 for an import that is not known, or one that imports itself; `too-costly` beyond the budget.
 */
export async function composeParts(
  library: Library,
  valueSet: ValueSet,
  versions: SystemVersions = anyVersion,
  seen: Set<string> = new Set(),
  budget: Budget = openBudget(),
): Promise<Part[]> {
  return partsOf(valueSet, []);

  async function partsOf(set: ValueSet, path: readonly string[]): Promise<Part[]> {
    if (path.length > importDepthLimit) throw tooCostly('The value set imports too many others');
    // Nothing but an expansion: its codes are the value set.
    if (!set.compose) return within(merged(expansionParts(set)));
    const { include = [], exclude = [] } = set.compose;
    for (const { filter = [] } of [...include, ...exclude]) budget.parts(1 + filter.length);
    const included = await listParts(include, path);
    const excluded = await listParts(exclude, path);
    const withoutExcluded = merged(included).map((part) => {
      const against = excluded.filter((other) => covers(other, part)).map(({ selection }) => selection);
      if (against.length === 0) return part;
      return { ...part, selection: both(part.selection, { kind: 'not', of: either(...against) }) };
    });
    return set.compose.inactive === false ? activeOf(withoutExcluded) : withoutExcluded;
  }

  /** A system that is not known says nothing of its codes. */
  async function activeOf(parts: readonly Part[]): Promise<Part[]> {
    const active: Selection = { kind: 'filter', property: 'inactive', op: '=', value: 'false' };
    const result: Part[] = [];
    for (const part of parts) {
      budget.time();
      const isKnown = (await library.codeSystem(canonicalOf(part))) !== undefined;
      result.push(isKnown ? { ...part, selection: both(part.selection, active) } : part);
    }
    return result;
  }

  async function listParts(list: readonly ValueSetComposeInclude[], path: readonly string[]): Promise<Part[]> {
    const parts: Part[] = [];
    for (const include of list) {
      parts.push(...(await includeParts(include, path)));
      within(parts);
    }
    return parts;
  }

  /** Every part is to be looked up, and to be held against every part excluded. */
  function within(parts: Part[]): Part[] {
    budget.atOnce(parts.length);
    budget.time();
    return parts;
  }

  /** Everything an include says must hold at once. */
  async function includeParts(include: ValueSetComposeInclude, path: readonly string[]): Promise<Part[]> {
    const imports: Part[][] = [];
    for (const canonical of include.valueSet ?? []) imports.push(await importParts(canonical, path));
    if (include.system === undefined) {
      const [first, ...others] = imports;
      if (!first) throw invalid('An include of the value set names neither a system nor a value set');
      return others.reduce((common, next) => within(intersection(common, next)), first);
    }
    if (include.concept && include.filter) throw invalid('An include has concepts or filters, not both');
    const version = chosenVersion(include.system, include.version, versions);
    const part: Part = {
      system: include.system,
      ...(version === undefined ? {} : { version }),
      selection: selectionOf(include),
    };
    return imports.reduce((common, next) => within(intersection(common, next)), [part]);
  }

  async function importParts(canonical: string, path: readonly string[]): Promise<Part[]> {
    budget.import();
    budget.time();
    if (path.includes(canonical)) throw notSupported(`Value set ${shown(canonical)} imports itself`);
    const imported = await library.valueSet(canonical);
    if (!imported) throw unknownValueSet(canonical, 422);
    seen.add(
      canonicalText({ url: imported.url ?? canonical, ...(imported.version ? { version: imported.version } : {}) }),
    );
    return partsOf(imported, [...path, canonical]);
  }
}

function selectionOf(include: ValueSetComposeInclude): Selection {
  if (include.concept) {
    const concepts = include.concept.map(
      ({ code, display, designation }): ListedConcept => ({
        code,
        ...(display === undefined ? {} : { display }),
        ...(designation ? { designations: designation } : {}),
      }),
    );
    return { kind: 'codes', concepts };
  }
  if (!include.filter) return everything;
  return both(...include.filter.map(({ property, op, value }): Selection => ({ kind: 'filter', property, op, value })));
}

function chosenVersion(system: string, said: string | undefined, versions: SystemVersions): string | undefined {
  const forced = versions.forced.get(system);
  if (forced !== undefined) return forced;
  const version = said ?? versions.preferred.get(system);
  const checked = versions.checked.get(system);
  if (checked !== undefined && version !== undefined && version !== checked)
    throw invalid(`The value set uses version ${shown(version)} of ${system}, not ${shown(checked)}`);
  return version ?? checked;
}

/** A value set kept as an expansion only. */
function expansionParts(set: ValueSet): Part[] {
  const parts: Part[] = [];
  const walk = (list: readonly ValueSetExpansionContains[] | undefined) => {
    for (const { system, version, code, display, designation, abstract, contains } of list ?? []) {
      if (system && code && !abstract) {
        const concept: ListedConcept = {
          code,
          ...(display === undefined ? {} : { display }),
          ...(designation ? { designations: designation } : {}),
        };
        parts.push({ system, ...(version ? { version } : {}), selection: { kind: 'codes', concepts: [concept] } });
      }
      walk(contains);
    }
  };
  walk(set.expansion?.contains);
  return parts;
}

/** One part per system and version. */
function merged(parts: readonly Part[]): Part[] {
  const groups = Map.groupBy(parts, partKey);
  return [...groups.values()].map((group) => {
    const lists = group.map(({ selection }) => selection);
    // A list written over many includes is one list.
    const selection: Selection = lists.every((item) => item.kind === 'codes')
      ? { kind: 'codes', concepts: lists.flatMap((item) => item.concepts) }
      : either(...lists);
    return { ...group[0]!, selection };
  });
}

/** Codes that are in both, system by system. */
function intersection(first: readonly Part[], second: readonly Part[]): Part[] {
  return first.flatMap((part) =>
    second
      .filter(
        (other) => other.system === part.system && (!other.version || !part.version || other.version === part.version),
      )
      .map((other) => {
        const version = part.version ?? other.version;
        return { ...part, ...(version ? { version } : {}), selection: both(part.selection, other.selection) };
      }),
  );
}

/** An exclusion without a version holds for every version. */
function covers(exclusion: Part, part: Part): boolean {
  return (
    exclusion.system === part.system &&
    (exclusion.version === undefined || part.version === undefined || exclusion.version === part.version)
  );
}

function partKey({ system, version }: Part): string {
  return canonicalText({ url: system, ...(version ? { version } : {}) } satisfies Canonical);
}

/** The system of a part, as the library is asked for it. */
export function canonicalOf(part: Part): Canonical {
  return { url: part.system, ...(part.version ? { version: part.version } : {}) };
}
