/** Evaluates a selection over a system in memory: one byte per concept, 1 for those selected. */
import type { Sql } from '../../db/index.ts';
import { type FilterQuestion, understandFilter } from './filters.ts';
import { type MemoryContent, reachable } from './memory-content.ts';
import { unknownCode } from './problems.ts';
import { matchingValues } from './regex.ts';
import type { Selection } from './selection.ts';

export async function selectionMask(content: MemoryContent, selection: Selection, sql: Sql): Promise<Uint8Array> {
  const size = content.concepts.length;
  switch (selection.kind) {
    case 'all':
      return new Uint8Array(size).fill(1);
    case 'codes':
      return maskOf(
        content,
        selection.concepts.flatMap(({ code }) => content.indexOf(code) ?? []),
      );
    case 'not':
      return inverted(await selectionMask(content, selection.of, sql));
    case 'and':
    case 'or': {
      const isAnd = selection.kind === 'and';
      const mask = new Uint8Array(size).fill(isAnd ? 1 : 0);
      for (const part of selection.of) {
        const other = await selectionMask(content, part, sql);
        for (let index = 0; index < size; index++)
          mask[index] = isAnd ? mask[index]! & other[index]! : mask[index]! | other[index]!;
      }
      return mask;
    }
    case 'filter':
      return questionMask(content, understandFilter(selection, content.info), sql);
  }
}

async function questionMask(content: MemoryContent, question: FilterQuestion, sql: Sql): Promise<Uint8Array> {
  const where = (test: (index: number) => boolean) => Uint8Array.from(content.concepts, (_, index) => +test(index));
  switch (question.kind) {
    case 'not':
      return inverted(await questionMask(content, question.of, sql));
    case 'hierarchy': {
      const index = content.indexOf(question.code);
      if (index === undefined) throw unknownCode(422, question.code, content.info.url);
      if (question.op === 'generalizes') return maskOf(content, [index, ...reachable(content.above, [index])]);
      const below = reachable(content.below, [index]);
      if (question.op === 'descendent-of') {
        below.delete(index);
        return maskOf(content, below);
      }
      const subsumed = maskOf(content, [index, ...below]);
      return question.op === 'is-a' ? subsumed : inverted(subsumed);
    }
    case 'relative': {
      const indexes = question.codes.flatMap((code) => content.indexOf(code) ?? []);
      if (question.relative === 'ancestor') return maskOf(content, reachable(content.below, indexes));
      const edges = question.relative === 'parent' ? content.below : content.above;
      return maskOf(
        content,
        indexes.flatMap((index) => edges[index]!),
      );
    }
    case 'codes':
      return maskOf(
        content,
        question.codes.flatMap((code) => content.indexOf(code) ?? []),
      );
    case 'flag':
      return where((index) => question.values.includes(content.concepts[index]![question.flag]));
    case 'values':
      return where((index) => valuesOf(content, index, question.property).some((v) => question.values.includes(v)));
    case 'exists':
      return where((index) => valuesOf(content, index, question.property).length > 0);
    case 'regex': {
      const values = content.concepts.flatMap((_, index) => valuesOf(content, index, question.property));
      const matching = await matchingValues(sql, values, question.pattern);
      return where((index) => valuesOf(content, index, question.property).some((value) => matching.has(value)));
    }
  }
}

function valuesOf(content: MemoryContent, index: number, property: string): string[] {
  const concept = content.concepts[index]!;
  const codeAt = (at: number) => content.concepts[at]!.code;
  switch (property) {
    case 'code':
    case 'concept':
      return [concept.code];
    case 'display':
      return concept.display === undefined ? [] : [concept.display];
    case 'parent':
    case 'ancestor':
      return content.above[index]!.map(codeAt);
    case 'child':
      return content.below[index]!.map(codeAt);
    default:
      return concept.properties.filter(({ code }) => code === property).map(({ value }) => value);
  }
}

function maskOf(content: MemoryContent, indexes: Iterable<number>): Uint8Array {
  const mask = new Uint8Array(content.concepts.length);
  for (const index of indexes) mask[index] = 1;
  return mask;
}

function inverted(mask: Uint8Array): Uint8Array {
  return mask.map((byte) => 1 - byte);
}
