/** The codes of a value set, a page of them (https://hl7.org/fhir/R4/valueset-operation-expand.html). */
import type { ValueSet, ValueSetExpansionContains, ValueSetExpansionParameter } from '@medplum/fhirtypes';
import { type Budget, openBudget } from './budget.ts';
import { type Canonical, canonicalText } from './canonical.ts';
import { canonicalOf, composeParts, type Part, type SystemVersions } from './compose.ts';
import type { Concept, Designation } from './concept.ts';
import { displayOf } from './display.ts';
import type { Library } from './library.ts';
import { tooCostly, unknownSystem } from './problems.ts';
import { enumerate, type ListedConcept, listedConcepts } from './selection.ts';
import type { KnownSystem, Selected, SelectOptions } from './system.ts';
import { conceptWords, hasWords, questionWords } from './words.ts';

export interface ExpandOptions {
  filter?: string;
  displayLanguage?: string;
  offset: number;
  /** Codes on the page; absent for all of them. */
  count?: number;
  includeDesignations: boolean;
  /** Which designations: `use-system|use-code` or `urn:ietf:bcp:47|language`; all when empty. */
  designations: readonly string[];
  activeOnly: boolean;
  selectableOnly: boolean;
  /** Children inside their parents, where the whole expansion is on the page. */
  nested: boolean;
  excludedSystems: readonly Canonical[];
  versions: SystemVersions;
}

export interface Expansion {
  total: number;
  offset: number;
  contains: ValueSetExpansionContains[];
  /** What the expansion was made with. */
  parameters: ValueSetExpansionParameter[];
}

/** Codes of one answer. */
const pageLimit = 10_000;

interface Piece {
  part: Part;
  /** Undefined when the codes are all named in the value set and their system is not known here. */
  system: KnownSystem | undefined;
}

/**
 * @throws FhirError 422 `too-costly` for more than 10,000 codes without `count`, and beyond the budget; `not-found` for a system that
 * must be asked and is not known here.
 */
export async function expandValueSet(
  library: Library,
  valueSet: ValueSet,
  options: ExpandOptions,
  budget: Budget = openBudget(),
): Promise<Expansion> {
  const used = new Set<string>();
  const composed = await composeParts(library, valueSet, options.versions, used, budget);
  const parts = composed.filter((part) => !isExcluded(part));
  const limit = Math.min(options.count ?? pageLimit, pageLimit);
  const pieces: Piece[] = [];
  for (const part of parts) {
    budget.time();
    const system = await library.codeSystem(canonicalOf(part));
    if (!system && !enumerate(part.selection)) throw unknownSystem(canonicalText(canonicalOf(part)), 422);
    pieces.push({ part, system });
  }
  const entries: { entry: ValueSetExpansionContains; concept: Concept; part: Part }[] = [];
  let total = 0;
  for (const piece of pieces) {
    budget.time();
    const page: SelectOptions = {
      ...(options.filter === undefined ? {} : { text: options.filter }),
      activeOnly: options.activeOnly,
      selectableOnly: options.selectableOnly,
      offset: Math.max(0, options.offset - total),
      limit: limit - entries.length,
    };
    const selected = await selectFrom(piece, page);
    const show = entryOf(piece, options);
    for (const concept of selected.concepts) entries.push({ entry: show(concept), concept, part: piece.part });
    total += selected.total;
    if (options.count === undefined && total - options.offset > pageLimit)
      throw tooCostly(
        `The expansion has more than ${pageLimit} codes: ask for a page with count, or use filter`,
        'count',
      );
  }
  const isWhole = options.offset === 0 && entries.length === total && options.filter === undefined;
  return {
    total,
    offset: options.offset,
    contains: options.nested && isWhole ? nest(entries) : entries.map(({ entry }) => entry),
    parameters: [
      ...pieces.flatMap(({ part, system }): ValueSetExpansionParameter[] => {
        const version = system?.info.version ?? part.version;
        return [{ name: 'version', valueUri: canonicalText({ url: part.system, ...(version ? { version } : {}) }) }];
      }),
      ...[...used].map((valueUri) => ({ name: 'used-valueset', valueUri })),
    ],
  };

  function isExcluded({ system, version }: Part): boolean {
    return options.excludedSystems.some(
      (excluded) => excluded.url === system && (excluded.version === undefined || excluded.version === version),
    );
  }
}

function selectFrom({ part, system }: Piece, page: SelectOptions): Promise<Selected> | Selected {
  if (system) return system.select(part.selection, page);
  const question = page.text === undefined ? [] : questionWords(page.text);
  const concepts = (enumerate(part.selection) ?? [])
    .map(conceptOf)
    .filter((concept) => hasWords(conceptWords(concept), question));
  return { concepts: concepts.slice(page.offset, page.offset + page.limit), total: concepts.length };
}

/** A code as the value set names it: all there is when its system is not known. */
function conceptOf({ code, display, designations }: ListedConcept): Concept {
  return {
    code,
    ...(display === undefined ? {} : { display }),
    designations: designations ?? [],
    properties: [],
    parents: [],
    abstract: false,
    inactive: false,
  };
}

function entryOf({ part, system }: Piece, options: ExpandOptions): (concept: Concept) => ValueSetExpansionContains {
  const key = system?.info.caseSensitive === false ? (code: string) => code.toLowerCase() : (code: string) => code;
  const listed = new Map(listedConcepts(part.selection).map((item) => [key(item.code), item]));
  return (concept) => {
    const named = listed.get(key(concept.code));
    const display = displayOf(concept, {
      listed: named,
      wanted: options.displayLanguage,
      language: system?.info.language,
    });
    const designations = options.includeDesignations
      ? [...(system ? (named?.designations ?? []) : []), ...concept.designations].filter(isWanted)
      : [];
    return {
      system: part.system,
      ...(part.version ? { version: part.version } : {}),
      ...(concept.abstract ? { abstract: true } : {}),
      ...(concept.inactive ? { inactive: true } : {}),
      code: concept.code,
      ...(display === undefined ? {} : { display }),
      ...(designations.length > 0 ? { designation: designations } : {}),
    };
  };

  function isWanted({ language, use }: Designation): boolean {
    if (options.designations.length === 0) return true;
    return options.designations.some(
      (wanted) => wanted === `urn:ietf:bcp:47|${language}` || wanted === `${use?.system ?? ''}|${use?.code}`,
    );
  }
}

/** Each code inside the first of its parents that is there. */
function nest(
  entries: readonly { entry: ValueSetExpansionContains; concept: Concept; part: Part }[],
): ValueSetExpansionContains[] {
  const byCode = new Map(entries.map((item) => [keyOf(item.part, item.concept.code), item.entry]));
  const roots: ValueSetExpansionContains[] = [];
  const placed = new Map<ValueSetExpansionContains, ValueSetExpansionContains>();
  for (const { entry, concept, part } of entries) {
    const parent = concept.parents
      .map((code) => byCode.get(keyOf(part, code)))
      .find((candidate) => candidate !== undefined && !isInside(candidate, entry));
    if (!parent) roots.push(entry);
    else {
      placed.set(entry, parent);
      parent.contains = [...(parent.contains ?? []), entry];
    }
  }
  return roots;

  /** A hierarchy that runs in a circle must not lose its codes. */
  function isInside(candidate: ValueSetExpansionContains, entry: ValueSetExpansionContains): boolean {
    for (let at: ValueSetExpansionContains | undefined = candidate; at; at = placed.get(at))
      if (at === entry) return true;
    return false;
  }
}

function keyOf(part: Part, code: string): string {
  return `${part.system}|${part.version ?? ''}|${code}`;
}
