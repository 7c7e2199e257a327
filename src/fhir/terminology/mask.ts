/**
 * Evaluates a selection: one byte per concept of the system, 1 for those selected. Systems in memory and in tables differ in how
 * they find concepts, not in what a filter means. 350,000 bytes are combined faster than any index could be asked.
 */

import type { SystemInfo } from './concept.ts';
import { type FilterQuestion, understandFilter } from './filters.ts';
import { unknownCode } from './problems.ts';
import type { Selection } from './selection.ts';

/** Numbers of concepts, from 0. */
export type Numbers = Iterable<number>;

/** How concepts of one system are found. Properties are those of the concepts, `code` and `display`. */
export interface ConceptFinder {
  readonly info: SystemInfo;
  readonly size: number;
  /** Numbers of these codes, as far as they exist, in any order. */
  codes(codes: readonly string[]): Promise<Numbers>;
  /** Everything below or above these, themselves excepted. */
  below(codes: readonly string[]): Promise<Numbers>;
  above(codes: readonly string[]): Promise<Numbers>;
  children(codes: readonly string[]): Promise<Numbers>;
  parents(codes: readonly string[]): Promise<Numbers>;
  flagged(flag: 'inactive' | 'abstract'): Promise<Numbers>;
  withValue(property: string, values: readonly string[]): Promise<Numbers>;
  /** Also `parent` and `child`. */
  withProperty(property: string): Promise<Numbers>;
  matching(property: string, pattern: string): Promise<Numbers>;
}

/** @throws FhirError 422 for a filter about a code that does not exist, or a property the system does not have. */
export async function selectionMask(finder: ConceptFinder, selection: Selection): Promise<Uint8Array> {
  switch (selection.kind) {
    case 'all':
      return new Uint8Array(finder.size).fill(1);
    case 'codes':
      return maskOf(finder.size, await finder.codes(selection.concepts.map(({ code }) => code)));
    case 'not':
      return inverted(await selectionMask(finder, selection.of));
    case 'and':
    case 'or': {
      const isAnd = selection.kind === 'and';
      const mask = new Uint8Array(finder.size).fill(isAnd ? 1 : 0);
      for (const part of selection.of) {
        const other = await selectionMask(finder, part);
        if (isAnd) keepCommon(mask, other);
        else for (let n = 0; n < mask.length; n++) mask[n] = mask[n]! | other[n]!;
      }
      return mask;
    }
    case 'filter':
      return questionMask(finder, understandFilter(selection, finder.info));
  }
}

async function questionMask(finder: ConceptFinder, question: FilterQuestion): Promise<Uint8Array> {
  const of = async (numbers: Promise<Numbers>) => maskOf(finder.size, await numbers);
  switch (question.kind) {
    case 'not':
      return inverted(await questionMask(finder, question.of));
    case 'hierarchy': {
      const self = maskOf(finder.size, await finder.codes([question.code]));
      if (!self.includes(1)) throw unknownCode(422, question.code, finder.info.url);
      const mask = await of(
        question.op === 'generalizes' ? finder.above([question.code]) : finder.below([question.code]),
      );
      for (let n = 0; n < mask.length; n++) if (self[n] === 1) mask[n] = question.op === 'descendent-of' ? 0 : 1;
      return question.op === 'is-not-a' ? inverted(mask) : mask;
    }
    case 'relative':
      if (question.relative === 'ancestor') return of(finder.below(question.codes));
      return of(question.relative === 'parent' ? finder.children(question.codes) : finder.parents(question.codes));
    case 'codes':
      return of(finder.codes(question.codes));
    case 'flag': {
      const flagged = await of(finder.flagged(question.flag));
      const mask = new Uint8Array(finder.size);
      for (let n = 0; n < mask.length; n++) mask[n] = +question.values.includes(flagged[n] === 1);
      return mask;
    }
    case 'values':
      return of(finder.withValue(question.property, question.values));
    case 'exists':
      if (question.property === 'concept' || question.property === 'code') return new Uint8Array(finder.size).fill(1);
      return of(finder.withProperty(question.property === 'ancestor' ? 'parent' : question.property));
    case 'regex':
      return of(finder.matching(question.property, question.pattern));
  }
}

export function maskOf(size: number, numbers: Numbers): Uint8Array {
  const mask = new Uint8Array(size);
  for (const number of numbers) mask[number] = 1;
  return mask;
}

export function inverted(mask: Uint8Array): Uint8Array {
  return mask.map((byte) => 1 - byte);
}

/** Leaves in `mask` what is in both. */
export function keepCommon(mask: Uint8Array, other: Uint8Array): void {
  for (let n = 0; n < mask.length; n++) mask[n] = mask[n]! & other[n]!;
}

/** Numbers of the bytes that are set, ascending. */
export function numbersOf(mask: Uint8Array): number[] {
  const numbers: number[] = [];
  for (let n = mask.indexOf(1); n >= 0; n = mask.indexOf(1, n + 1)) numbers.push(n);
  return numbers;
}
