/** Translates codes by concept maps (https://hl7.org/fhir/R4/conceptmap.html, https://hl7.org/fhir/R4/conceptmap-operation-translate.html). */
import type {
  CodeableConcept,
  Coding,
  ConceptMap,
  ConceptMapGroup,
  ConceptMapGroupElementTarget,
  ConceptMapGroupElementTargetDependsOn,
  ConceptMapGroupUnmapped,
} from '@medplum/fhirtypes';
import { parseCanonical } from './canonical.ts';
import type { Library } from './library.ts';
import { notSupported } from './problems.ts';

export type Equivalence = ConceptMapGroupElementTarget['equivalence'];

export interface TranslateQuestion {
  system: string;
  version?: string;
  code: string;
  targetSystem?: string;
  /** Other elements of the record that mappings may depend on. */
  dependencies: readonly { element: string; concept: CodeableConcept }[];
}

export interface Match {
  equivalence: Equivalence;
  concept?: Coding;
  products: readonly { element: string; concept: Coding }[];
  /** Canonical URL of the map. */
  source?: string;
}

export interface Translation {
  matches: Match[];
  /** Elements that mappings would have needed to know. */
  missing: string[];
}

/** Maps that send to other maps. */
const otherMapLimit = 5;

export async function translateForward(
  library: Library,
  map: ConceptMap,
  question: TranslateQuestion,
  passed: readonly string[] = [],
): Promise<Translation> {
  const matches: Match[] = [];
  const missing: string[] = [];
  for (const group of map.group ?? []) {
    if (!agrees(group.source, group.sourceVersion, question.system, question.version)) continue;
    if (question.targetSystem !== undefined && group.target !== question.targetSystem) continue;
    const element = group.element.find(({ code }) => code === question.code);
    const targets = (element?.target ?? []).filter(({ dependsOn }) => {
      const unmet = (dependsOn ?? []).filter((dependency) => !isMet(dependency, question));
      missing.push(...unmet.map(({ property }) => property));
      return unmet.length === 0;
    });
    matches.push(...targets.map((target) => matchOf(map, group, target)));
    if (!element && group.unmapped) {
      const unmapped = await unmappedMatches(library, map, group, group.unmapped, question, passed);
      matches.push(...unmapped.matches);
      missing.push(...unmapped.missing);
    }
  }
  return { matches, missing: [...new Set(missing)] };
}

/** From what the map leads to back to where it starts. */
export function translateReverse(map: ConceptMap, question: TranslateQuestion): Translation {
  const matches: Match[] = [];
  for (const group of map.group ?? []) {
    if (!agrees(group.target, group.targetVersion, question.system, question.version)) continue;
    if (question.targetSystem !== undefined && group.source !== question.targetSystem) continue;
    for (const element of group.element) {
      for (const target of element.target ?? []) {
        if (target.code !== question.code || target.equivalence === 'unmatched') continue;
        matches.push({
          equivalence: reversed[target.equivalence] ?? target.equivalence,
          concept: codingOf(group.source, group.sourceVersion, element.code, element.display),
          products: [],
          ...(map.url ? { source: map.url } : {}),
        });
      }
    }
  }
  return { matches, missing: [] };
}

/** True when something was found that the code may be replaced by. */
export function isTranslated({ matches }: Translation): boolean {
  return matches.some(
    ({ equivalence, concept }) => concept && equivalence !== 'unmatched' && equivalence !== 'disjoint',
  );
}

const reversed: Partial<Record<Equivalence, Equivalence>> = {
  wider: 'narrower',
  narrower: 'wider',
  subsumes: 'specializes',
  specializes: 'subsumes',
};

function agrees(
  system: string | undefined,
  version: string | undefined,
  askedSystem: string,
  askedVersion: string | undefined,
): boolean {
  if (system === undefined || parseCanonical(system).url !== askedSystem) return false;
  return version === undefined || askedVersion === undefined || version === askedVersion;
}

function isMet(dependency: ConceptMapGroupElementTargetDependsOn, question: TranslateQuestion): boolean {
  return question.dependencies.some(
    ({ element, concept }) =>
      element === dependency.property &&
      (concept.text === dependency.value ||
        (concept.coding ?? []).some(
          ({ system, code }) =>
            code === dependency.value && (dependency.system === undefined || system === dependency.system),
        )),
  );
}

function matchOf(map: ConceptMap, group: ConceptMapGroup, target: ConceptMapGroupElementTarget): Match {
  return {
    equivalence: target.equivalence,
    ...(target.code === undefined
      ? {}
      : { concept: codingOf(group.target, group.targetVersion, target.code, target.display) }),
    products: (target.product ?? []).map(({ property, system, value, display }) => ({
      element: property,
      concept: codingOf(system, undefined, value, display),
    })),
    ...(map.url ? { source: map.url } : {}),
  };
}

/** What the map says of codes it does not name. */
async function unmappedMatches(
  library: Library,
  map: ConceptMap,
  group: ConceptMapGroup,
  unmapped: ConceptMapGroupUnmapped,
  question: TranslateQuestion,
  passed: readonly string[],
): Promise<Translation> {
  const source = map.url ? { source: map.url } : {};
  const one = (equivalence: Equivalence, concept: Coding): Translation => ({
    matches: [{ equivalence, concept, products: [], ...source }],
    missing: [],
  });
  switch (unmapped.mode) {
    case 'provided':
      return one('equal', codingOf(group.target, group.targetVersion, question.code, undefined));
    case 'fixed':
      // How the fixed code relates to this one the map does not say.
      return one('relatedto', codingOf(group.target, group.targetVersion, unmapped.code, unmapped.display));
    case 'other-map': {
      if (unmapped.url === undefined || passed.includes(unmapped.url) || passed.length >= otherMapLimit)
        throw notSupported('The concept map sends to another map in a circle, or too often');
      const other = await library.conceptMap(parseCanonical(unmapped.url));
      if (!other) return { matches: [], missing: [] };
      return translateForward(library, other, question, [...passed, unmapped.url]);
    }
    default:
      return { matches: [], missing: [] };
  }
}

function codingOf(
  system: string | undefined,
  version: string | undefined,
  code: string | undefined,
  display: string | undefined,
): Coding {
  return {
    ...(system ? { system } : {}),
    ...(version ? { version } : {}),
    ...(code === undefined ? {} : { code }),
    ...(display ? { display } : {}),
  };
}
