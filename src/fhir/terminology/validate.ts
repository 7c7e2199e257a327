/** Whether a code is in a value set or code system, and is called so (https://hl7.org/fhir/R4/valueset-operation-validate-code.html). */
import type { ValueSet } from '@medplum/fhirtypes';
import { type Budget, openBudget } from './budget.ts';
import type { Canonical } from './canonical.ts';
import { anyVersion, canonicalOf, composeParts, type Part, type SystemVersions } from './compose.ts';
import type { Concept } from './concept.ts';
import { displayOf, namesOf } from './display.ts';
import type { Library } from './library.ts';
import { enumerate, type ListedConcept, listedConcepts } from './selection.ts';

export interface CodeQuestion {
  /** Undefined: any system of the value set that has the code. */
  system?: string;
  version?: string;
  code: string;
  display?: string;
}

export interface CodeAnswer {
  valid: boolean;
  /** Why not, in words. */
  problem?: string;
  /** What is wrong is the display alone: the code is good. */
  wrongDisplay?: boolean;
  display?: string;
  inactive?: boolean;
  abstract?: boolean;
}

export interface ValidationOptions {
  /** Abstract codes are valid answers too. */
  allowAbstract?: boolean;
  displayLanguage?: string;
  versions?: SystemVersions;
  budget?: Budget;
}

/** @returns undefined when the code system is not known here. */
export async function validateInSystem(
  library: Library,
  canonical: Canonical,
  question: CodeQuestion,
  options: ValidationOptions = {},
): Promise<CodeAnswer | undefined> {
  const system = await library.codeSystem(canonical);
  if (!system) return undefined;
  const concept = await system.find(question.code);
  if (!concept) {
    // What a fragment or an example does not list may still exist.
    const listed = system.info.complete ? 'is not in' : 'is not among the codes known here of';
    return { valid: false, problem: `The code ${listed} code system ${canonical.url}` };
  }
  return judge(concept, undefined, question, options, system.info.language);
}

export async function validateInValueSet(
  library: Library,
  valueSet: ValueSet,
  question: CodeQuestion,
  options: ValidationOptions = {},
): Promise<CodeAnswer> {
  const name = valueSet.url ?? 'sent with the request';
  const { versions = anyVersion, budget = openBudget() } = options;
  const parts = (await composeParts(library, valueSet, versions, new Set(), budget)).filter(
    (part) =>
      (question.system === undefined || part.system === question.system) &&
      (question.version === undefined || part.version === undefined || part.version === question.version),
  );
  const unknown: string[] = [];
  for (const part of parts) {
    budget.time();
    const answer = await validateInPart(library, part, question, options);
    if (answer === 'unknown system') unknown.push(part.system);
    else if (answer) return answer;
  }
  const reason =
    unknown.length > 0
      ? `The code could not be looked for in ${unknown.join(', ')}: not known here`
      : `The code is not in value set ${name}`;
  return { valid: false, problem: reason };
}

async function validateInPart(
  library: Library,
  part: Part,
  question: CodeQuestion,
  options: ValidationOptions,
): Promise<CodeAnswer | 'unknown system' | undefined> {
  const asked = question.version && !part.version ? { ...part, version: question.version } : part;
  const system = await library.codeSystem(canonicalOf(asked));
  const isCaseSensitive = system?.info.caseSensitive !== false;
  const isAsked = (code: string) =>
    isCaseSensitive ? code === question.code : code.toLowerCase() === question.code.toLowerCase();
  const listed = listedConcepts(part.selection).find(({ code }) => isAsked(code));
  if (!system) {
    // A list is its own authority for the codes it names.
    const list = enumerate(part.selection);
    if (!list) return 'unknown system';
    if (!list.some(({ code }) => code === question.code)) return undefined;
    return judge(bareConcept(question.code), listed, question, options);
  }
  if (!(await system.contains(part.selection, question.code))) return undefined;
  const concept = await system.find(question.code);
  return judge(concept ?? bareConcept(question.code), listed, question, options, system.info.language);
}

function judge(
  concept: Concept,
  listed: ListedConcept | undefined,
  question: CodeQuestion,
  options: ValidationOptions,
  language?: string,
): CodeAnswer {
  const display = displayOf(concept, { listed, wanted: options.displayLanguage, language });
  const known = {
    ...(display === undefined ? {} : { display }),
    ...(concept.inactive ? { inactive: true } : {}),
    ...(concept.abstract ? { abstract: true } : {}),
  };
  if (concept.abstract && options.allowAbstract === false)
    return { valid: false, problem: 'The code is abstract: it groups others and is not to be used', ...known };
  if (question.display !== undefined) {
    const names = namesOf(concept, listed);
    const wanted = comparable(question.display);
    if (names.length > 0 && !names.some((name) => comparable(name) === wanted))
      return { valid: false, wrongDisplay: true, problem: 'The display is not a name of the code', ...known };
  }
  return { valid: true, ...known };
}

/** Case and blanks do not tell names apart; accents do. */
function comparable(name: string): string {
  return name.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim();
}

function bareConcept(code: string): Concept {
  return { code, designations: [], properties: [], parents: [], abstract: false, inactive: false };
}
