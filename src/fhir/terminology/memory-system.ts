/** A code system in memory: a stored resource, one of our own artefacts or a definition of R4. */
import type { Sql } from '../../db/index.ts';
import { selectionMask } from './mask.ts';
import { type MemoryContent, reachable } from './memory-content.ts';
import { memoryFinder } from './memory-finder.ts';
import { tooCostly } from './problems.ts';
import { listedConcepts, type Selection } from './selection.ts';
import type { KnownSystem, SelectOptions } from './system.ts';
import { hasWords, questionWords } from './words.ts';

/** @param sql any connection: regular expressions run there. */
export function memorySystem(content: MemoryContent, sql: Sql): KnownSystem {
  const finder = memoryFinder(content, sql);
  const conceptAt = (index: number) => content.concepts[index]!;
  return {
    info: content.info,
    async find(code) {
      const index = content.indexOf(code);
      return index === undefined ? undefined : conceptAt(index);
    },
    async select(selection, options) {
      const mask = await selectionMask(finder, selection);
      const indexes = ordered(content, selection, options).filter((index) => mask[index] === 1);
      const { offset, limit } = options;
      return { concepts: indexes.slice(offset, offset + limit).map(conceptAt), total: indexes.length };
    },
    async contains(selection, code) {
      const index = content.indexOf(code);
      return index !== undefined && (await selectionMask(finder, selection))[index] === 1;
    },
    async subsumption(codeA, codeB) {
      const [a, b] = [content.indexOf(codeA), content.indexOf(codeB)];
      if (a === undefined || b === undefined) return undefined;
      if (a === b) return 'equivalent';
      if (reachable(content.above, [b]).has(a)) return 'subsumes';
      return reachable(content.above, [a]).has(b) ? 'subsumed-by' : 'not-subsumed';
    },
    async related(code, direction, limit) {
      const index = content.indexOf(code);
      if (index === undefined) return undefined;
      const found = new Set([index, ...reachable(direction === 'above' ? content.above : content.below, [index])]);
      if (found.size > limit) throw tooCostly(`${direction} has more than ${limit} codes`);
      return [...found].map((at) => conceptAt(at).code);
    },
    async children(code) {
      const index = content.indexOf(code);
      return index === undefined ? [] : content.below[index]!.map((at) => conceptAt(at).code);
    },
  };
}

/** Indexes that the options leave, in the order they are shown. */
function ordered(content: MemoryContent, selection: Selection, options: SelectOptions): number[] {
  const listed = listedConcepts(selection).flatMap(({ code }) => content.indexOf(code) ?? []);
  const rest = content.concepts.map((_, index) => index);
  let indexes = listed.length > 0 ? [...new Set([...listed, ...rest])] : rest;
  if (options.activeOnly) indexes = indexes.filter((index) => !content.concepts[index]!.inactive);
  if (options.selectableOnly) indexes = indexes.filter((index) => !content.concepts[index]!.abstract);
  if (options.text === undefined) return indexes;
  const question = questionWords(options.text);
  const length = (index: number) => content.concepts[index]!.display?.length ?? 0;
  return indexes
    .filter((index) => hasWords(content.words(index), question))
    .sort((a, b) => length(a) - length(b) || a - b);
}
