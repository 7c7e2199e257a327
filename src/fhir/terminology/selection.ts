/**
 * Which concepts of one code system: what a ValueSet's compose says of it, as an expression that memory and SQL answer alike
 * (https://hl7.org/fhir/R4/valueset.html#compositions).
 */
import type { ValueSetComposeIncludeFilter } from '@medplum/fhirtypes';
import type { Designation } from './concept.ts';

/** A code named one by one, with what the value set calls it. */
export interface ListedConcept {
  code: string;
  display?: string;
  designations?: readonly Designation[];
}

export type FilterOperator = ValueSetComposeIncludeFilter['op'];

export type Selection =
  | { kind: 'all' }
  | { kind: 'codes'; concepts: readonly ListedConcept[] }
  | { kind: 'filter'; property: string; op: FilterOperator; value: string }
  | { kind: 'and' | 'or'; of: readonly Selection[] }
  | { kind: 'not'; of: Selection };

export const everything: Selection = { kind: 'all' };

export function both(...of: Selection[]): Selection {
  const needed = of.filter(({ kind }) => kind !== 'all');
  if (needed.length === 0) return everything;
  return needed.length === 1 ? needed[0]! : { kind: 'and', of: needed };
}

export function either(...of: Selection[]): Selection {
  if (of.some(({ kind }) => kind === 'all')) return everything;
  return of.length === 1 ? of[0]! : { kind: 'or', of };
}

/** Codes named one by one in what is selected, in their order: their displays count, and their order where nothing else does. */
export function listedConcepts(selection: Selection): readonly ListedConcept[] {
  switch (selection.kind) {
    case 'codes':
      return selection.concepts;
    case 'and':
    case 'or':
      return selection.of.flatMap(listedConcepts);
    default:
      return [];
  }
}

/**
 * The codes that are selected, when all of them are named one by one: no system is needed to know them.
 * @returns undefined when a system must be asked.
 */
export function enumerate(selection: Selection): readonly ListedConcept[] | undefined {
  switch (selection.kind) {
    case 'codes':
      return uniqueCodes(selection.concepts);
    case 'or': {
      const lists = selection.of.map(enumerate);
      return lists.includes(undefined) ? undefined : uniqueCodes(lists.flatMap((list) => list!));
    }
    case 'and': {
      const tests = selection.of.map(membership);
      const first = selection.of.map(enumerate).find((list) => list !== undefined);
      if (!first || tests.includes(undefined)) return undefined;
      return first.filter(({ code }) => tests.every((test) => test!(code)));
    }
    default:
      return undefined;
  }
}

function membership(selection: Selection): ((code: string) => boolean) | undefined {
  if (selection.kind === 'not') {
    const inner = membership(selection.of);
    return inner && ((code) => !inner(code));
  }
  const list = enumerate(selection);
  if (!list) return undefined;
  const codes = new Set(list.map(({ code }) => code));
  return (code) => codes.has(code);
}

function uniqueCodes(concepts: readonly ListedConcept[]): ListedConcept[] {
  const first = new Map<string, ListedConcept>();
  for (const concept of concepts) if (!first.has(concept.code)) first.set(concept.code, concept);
  return [...first.values()];
}

export type Filter = Extract<Selection, { kind: 'filter' }>;
