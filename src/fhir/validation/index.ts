/** Validation of resources against the base definitions of R4 and against profiles. */
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { StructureFile } from '../definitions/structure-file.ts';
import { r4Structure } from '../definitions/structure-r4.ts';
import { compiler } from './compile.ts';
import { builtinDefinitions } from './profiles/builtin.ts';
import { createProfiles, type DefinitionSource } from './profiles/registry.ts';
import { type OpenCode, type Profiles, type Run, startRun } from './run.ts';
import { createTimeBudget } from './time-budget.ts';
import { createTimeLimit } from './time-limit.ts';

export { isId } from './primitives.ts';
export type { DefinitionSource } from './profiles/registry.ts';
export { type Literal, parseReference } from './references.ts';
export { maxDepth, type OpenCode, type Profiles } from './run.ts';

/** What is wrong with a resource; empty when it is valid. Every issue is an error and names its element (`expression`). */
export type Validate = (resource: unknown) => OperationOutcomeIssue[];

/** How thoroughly to look. */
export interface InspectOptions {
  /** Canonical URLs of profiles the resource must conform to, beside those it declares. */
  profiles?: readonly string[];
  /** Other definitions than the built-in ones: `profilesWith`. Their expressions are not ours: checking them takes limited time. */
  definitions?: Profiles;
  /** Whose time that is. */
  account?: string;
  /** The moment it happens at, for constraints about the present; the clock's when absent. */
  now?: Date;
}

export interface Inspection {
  /** Errors and warnings. */
  issues: OperationOutcomeIssue[];
  /** Codes of required bindings to value sets that are not at hand: a terminology may know. */
  openCodes: OpenCode[];
}

export interface Validator {
  validate: Validate;
  /** As `validate`, of values that are to become part of another resource: references may lead to what that contains. */
  validatePart: Validate;
  inspect(resource: unknown, options?: InspectOptions): Inspection;
  /** Whether the program itself brings the definition of a profile or an extension. */
  isBuiltIn(url: string): boolean;
  /** Profiles of a source asked before the built-in definitions. */
  profilesWith(source: DefinitionSource): Profiles;
  isResourceType(name: string): boolean;
}

/** Longest a resource is checked against definitions of others; what is honest takes milliseconds. */
const othersTimeMs = 2_000;

/** A validator of its own for given definitions; types are compiled when first met. */
export function createValidator(structure: StructureFile, timeMs = othersTimeMs): Validator {
  const { resource, isResourceType, shapes } = compiler(structure);
  const baseKeys = new Set([...structure.invariants.map(({ key }) => key), ...otherBaseKeys]);
  const builtin = builtinDefinitions(structure);
  const profiles = createProfiles(builtin, shapes, baseKeys);
  const limited = createTimeLimit(timeMs);
  const budget = createTimeBudget();
  const issuesOf = (value: unknown, run: Run) => {
    resource(value, run);
    return run.issues;
  };
  return {
    isResourceType,
    validate: (value) => issuesOf(value, startRun({ profiles })),
    validatePart: (value) => issuesOf(value, startRun({ profiles, isPart: true })),
    inspect(value, options = {}) {
      const openCodes: OpenCode[] = [];
      const rootProfiles = options.profiles ?? [];
      const { account = '', now } = options;
      const run = startRun({
        withWarnings: true,
        profiles: options.definitions ?? profiles,
        openCodes,
        rootProfiles,
        now,
      });
      if (!options.definitions) resource(value, run);
      else if (!budget.allows(account)) run.issues.push(tooOften());
      else {
        const begun = performance.now();
        if (!limited(() => resource(value, run))) run.issues.push(tooLong(timeMs));
        budget.spend(account, performance.now() - begun);
      }
      return { issues: run.issues, openCodes };
    },
    isBuiltIn: (url) => profiles.profile(url) !== undefined,
    profilesWith: (source) =>
      createProfiles(
        {
          profile: (url) => source.profile(url) ?? builtin.profile(url),
          valueSet: (url) => source.valueSet(url) ?? builtin.valueSet(url),
        },
        shapes,
        baseKeys,
      ),
  };
}

function tooLong(ms: number): OperationOutcomeIssue {
  const diagnostics = `Checking the constraints of the profiles takes longer than ${ms} ms: make them simpler`;
  return { severity: 'error', code: 'too-costly', diagnostics };
}

function tooOften(): OperationOutcomeIssue {
  const diagnostics = 'Checking the constraints of your profiles took too much time lately: try again in a minute';
  return { severity: 'error', code: 'throttled', diagnostics };
}

/** Invariants of R4 that are code here, or are not applied: see scripts/generate-structure.ts. */
const otherBaseKeys = 'ele-1 ext-1 dom-2 dom-3 dom-4 dom-5 dom-6 ref-1 txt-1 txt-2 sqty-1 cid-0 evv-1'.split(' ');

const r4 = createValidator(r4Structure);

/** Validates against R4 4.0.1 and the built-in profiles a resource declares. 5 to 30 µs for a resource of 1 to 2.5 kB; see docs/decisions/0003-validation.md. */
export const validateResource: Validate = r4.validate;

/** Validates the Parameters of a patch. */
export const validatePart: Validate = r4.validatePart;

/** Looks at everything, warnings too, and at other profiles. */
export const inspectResource: Validator['inspect'] = r4.inspect;

export const profilesWith: Validator['profilesWith'] = r4.profilesWith;

export const isBuiltIn: Validator['isBuiltIn'] = r4.isBuiltIn;

/** True for the name of a concrete R4 resource type. */
export const isResourceType: (name: string) => boolean = r4.isResourceType;
