/** Lists of concepts by key, as `terminology.posting` keeps them: words, values of properties, what is below. */
import type { Concept } from '../concept.ts';
import { conceptWords } from '../words.ts';
import type { Closure } from './closure.ts';
import { LoadError } from './load-error.ts';

/** Key of a row: its list and key. */
export interface Posting {
  list: string;
  key: string;
  concepts: readonly number[] | Int32Array;
}

/** Longest value of a property by which concepts are found; the index holds no longer one. In UTF-16 units. */
const valueLimit = 600;

/** @param concepts in the order of the closure. */
export function* postingsOf(concepts: readonly Concept[], closure: Closure): Generator<Posting> {
  yield* belowPostings(concepts, closure);
  const words = new Map<string, number[]>();
  const flags = new Map<string, number[]>();
  const properties = new Map<string, Map<string, number[]>>();
  for (const [seq, concept] of concepts.entries()) {
    for (const word of conceptWords(concept)) add(words, word, seq);
    if (concept.inactive) add(flags, 'inactive', seq);
    if (concept.abstract) add(flags, 'abstract', seq);
    for (const { code, value } of concept.properties) {
      if (value.length > valueLimit)
        throw new LoadError(`la propriété ${code} de ${concept.code} a plus de ${valueLimit} caractères`);
      const values = properties.get(code) ?? new Map<string, number[]>();
      properties.set(code, values);
      add(values, value, seq);
    }
  }
  for (const [key, numbers] of flags) yield { list: 'flag', key, concepts: numbers };
  for (const [key, numbers] of words) yield { list: 'word', key, concepts: numbers };
  for (const [property, values] of properties)
    for (const [key, numbers] of values) yield { list: `property:${property}`, key, concepts: numbers };
}

function* belowPostings(concepts: readonly Concept[], { ancestors }: Closure): Generator<Posting> {
  const counts = new Int32Array(concepts.length);
  for (const above of ancestors) for (const ancestor of above) counts[ancestor] = counts[ancestor]! + 1;
  const below = Array.from(counts, (count) => (count === 0 ? undefined : new Int32Array(count)));
  const filled = new Int32Array(concepts.length);
  ancestors.forEach((above, seq) => {
    for (const ancestor of above) {
      below[ancestor]![filled[ancestor]!] = seq;
      filled[ancestor] = filled[ancestor]! + 1;
    }
  });
  const children = new Map<string, number[]>();
  concepts.forEach(({ parents }, seq) => {
    for (const parent of parents) add(children, parent, seq);
  });
  const withChildren: number[] = [];
  for (const [seq, list] of below.entries()) {
    if (!list) continue;
    withChildren.push(seq);
    const { code } = concepts[seq]!;
    yield { list: 'below', key: code, concepts: list };
    yield { list: 'children', key: code, concepts: children.get(code)! };
  }
  if (withChildren.length > 0) yield { list: 'flag', key: 'parent', concepts: withChildren };
}

function add(lists: Map<string, number[]>, key: string, seq: number): void {
  const list = lists.get(key);
  // Concepts come one after the other: one that says a value twice was the last to say it.
  if (!list) lists.set(key, [seq]);
  else if (list.at(-1) !== seq) list.push(seq);
}
