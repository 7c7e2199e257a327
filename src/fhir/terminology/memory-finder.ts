/** Finds concepts of a system in memory. */
import type { Sql } from '../../db/index.ts';
import type { ConceptFinder } from './mask.ts';
import { type MemoryContent, reachable } from './memory-content.ts';
import { matchingValues } from './regex.ts';

/** @param sql any connection: regular expressions run there. */
export function memoryFinder(content: MemoryContent, sql: Sql): ConceptFinder {
  const numbers = (codes: readonly string[]) => codes.flatMap((code) => content.indexOf(code) ?? []);
  const all = content.concepts.map((_, index) => index);
  return {
    info: content.info,
    size: content.concepts.length,
    codes: async (codes) => numbers(codes),
    below: async (codes) => reachable(content.below, numbers(codes)),
    above: async (codes) => reachable(content.above, numbers(codes)),
    children: async (codes) => numbers(codes).flatMap((index) => content.below[index]!),
    parents: async (codes) => numbers(codes).flatMap((index) => content.above[index]!),
    flagged: async (flag) => all.filter((index) => content.concepts[index]![flag]),
    withValue: async (property, values) =>
      all.filter((index) => valuesOf(content, index, property).some((value) => values.includes(value))),
    async withProperty(property) {
      if (property === 'parent') return all.filter((index) => content.above[index]!.length > 0);
      if (property === 'child') return all.filter((index) => content.below[index]!.length > 0);
      return all.filter((index) => valuesOf(content, index, property).length > 0);
    },
    async matching(property, pattern) {
      const values = all.flatMap((index) => valuesOf(content, index, property));
      const matching = await matchingValues(sql, values, pattern);
      return all.filter((index) => valuesOf(content, index, property).some((value) => matching.has(value)));
    },
  };
}

function valuesOf(content: MemoryContent, index: number, property: string): string[] {
  const concept = content.concepts[index]!;
  if (property === 'code') return [concept.code];
  if (property === 'display') return concept.display === undefined ? [] : [concept.display];
  return concept.properties.filter(({ code }) => code === property).map(({ value }) => value);
}
