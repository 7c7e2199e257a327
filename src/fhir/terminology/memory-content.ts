/** A code system held in memory: its concepts with what finds them. Never changed once made, so that requests share it. */
import type { CodeSystem } from '@medplum/fhirtypes';
import { type Concept, conceptsOf, type SystemInfo, systemInfo } from './concept.ts';
import { conceptWords } from './words.ts';

export interface MemoryContent {
  info: SystemInfo;
  concepts: readonly Concept[];
  /** Index in `concepts`; `undefined` for a code that does not exist. */
  indexOf(code: string): number | undefined;
  /** Indexes of the concepts directly above and below. */
  above: readonly (readonly number[])[];
  below: readonly (readonly number[])[];
  /** Words that find the concept at this index. */
  words(index: number): ReadonlySet<string>;
}

/**
 * @param supplements resources of content `supplement` for this system: their designations and properties are added
 * (https://hl7.org/fhir/R4/codesystem.html#supplements).
 */
export function memoryContent(resource: CodeSystem, supplements: readonly CodeSystem[] = []): MemoryContent {
  const own = conceptsOf(resource);
  const concepts = supplements.reduce((list, supplement) => supplemented(list, supplement), own);
  const info = systemInfo(resource, concepts);
  // Where case does not matter, codes meet in lower case.
  const keyOf = info.caseSensitive ? (code: string) => code : (code: string) => code.toLowerCase();
  const indexes = new Map(concepts.map((concept, index) => [keyOf(concept.code), index]));
  const indexOf = (code: string) => indexes.get(keyOf(code));
  const above = concepts.map(({ parents }) => parents.flatMap((code) => indexOf(code) ?? []));
  const below: number[][] = concepts.map(() => []);
  above.forEach((parents, index) => {
    for (const parent of parents) below[parent]!.push(index);
  });
  const words: (ReadonlySet<string> | undefined)[] = [];
  return {
    info,
    concepts,
    indexOf,
    above,
    below,
    words: (index) => {
      words[index] ??= conceptWords(concepts[index]!);
      return words[index];
    },
  };
}

/** Concepts with what a supplement says of them. */
export function supplemented(concepts: readonly Concept[], supplement: CodeSystem): Concept[] {
  const additions = new Map(conceptsOf(supplement).map((concept) => [concept.code, concept]));
  return concepts.map((concept) => {
    const addition = additions.get(concept.code);
    if (!addition) return concept;
    // What a supplement calls the concept is one more name of it, in the supplement's language.
    const named = addition.display
      ? [{ ...(supplement.language ? { language: supplement.language } : {}), value: addition.display }]
      : [];
    return {
      ...concept,
      designations: [...concept.designations, ...named, ...addition.designations],
      properties: [...concept.properties, ...addition.properties],
    };
  });
}

/** Indexes reached from some by steps up or down, those themselves excepted unless reached again. */
export function reachable(edges: readonly (readonly number[])[], from: readonly number[]): Set<number> {
  const seen = new Set<number>();
  const waiting = [...from];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    for (const next of edges[index]!) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return seen;
}
