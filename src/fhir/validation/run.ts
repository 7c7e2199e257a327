/** One validation under way: where it is in the resource, what it found, what it must not exceed. */
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { Surroundings } from '../fhirpath/index.ts';
import { resolveIn } from './resolution.ts';

/** Elements inside elements: deeper than any clinical content, shallow enough for every recursive reader behind us. */
export const maxDepth = 64;

/** Beyond this a list of problems helps nobody. */
export const maxIssues = 100;

export interface Run extends Surroundings {
  readonly issues: OperationOutcomeIssue[];
  /** Names and indexes from the root, e.g. `['Patient', 'name', 0, 'family']`. */
  readonly path: (string | number)[];
  depth: number;
  /** Types of the resources contained in the resource at hand, by id. */
  contained: ReadonlyMap<string, string> | undefined;
  /** Inside a contained resource. */
  isContained: boolean;
  /** What is looked at will be part of another resource, which may contain what `#…` leads to. */
  readonly isPart: boolean;
  /** Inside a transaction or batch, where `Type?criteria` is a reference (https://hl7.org/fhir/R4/http.html#trules). */
  isTransaction: boolean;
  /** Also look for what is no error. */
  readonly withWarnings: boolean;
  /** Length of `path` at the resource at hand. */
  resourceDepth: number;
  /** The Bundle the resource at hand is in. */
  bundle: unknown;
  /** Definitions of declared profiles and of extensions, when they are to be looked at. */
  readonly profiles: Profiles | undefined;
  /** Profiles the outermost resource is checked against beside those it declares. */
  readonly rootProfiles: readonly string[];
  /** Resources and the profiles they are being checked against. */
  readonly checking: Map<object, Set<string>>;
  /** Takes the codes of required bindings whose value sets are not at hand. */
  readonly openCodes: OpenCode[] | undefined;
}

/** A coded element whose value set a terminology must be asked for. */
export interface OpenCode {
  valueSet: string;
  /** One of them must be in the value set; a plain code is without a system. */
  codings: readonly { system?: string; code: string }[];
  expression: string;
}

export interface RunOptions {
  withWarnings?: boolean;
  profiles?: Profiles | undefined;
  openCodes?: OpenCode[];
  rootProfiles?: readonly string[];
  isPart?: boolean;
  /** The moment it happens at, for constraints about the present; the clock's when absent. */
  now?: Date | undefined;
}

/** Definitions of profiles and extensions, by URL, compiled when first met. */
export interface Profiles {
  /** Check of a resource or a data type against a profile (`|version` allowed); undefined when the profile is not known. */
  profile(url: string): Check | undefined;
  /** Check of an extension by its URL; undefined when its definition is not known. */
  extension(url: string): Check | undefined;
  /** Whether a value conforms to a profile; undefined when the profile is not known. */
  conforms(value: unknown, url: string, run: Run): boolean | undefined;
  /** Whether a coded value is in a value set; undefined when the value set is not known. */
  inValueSet(value: unknown, valueSet: string): boolean | undefined;
}

/** Checks the value at `run.path` and adds what is wrong to `run.issues`. */
export type Check = (value: unknown, run: Run) => void;

/** Runs `work` with the resource at hand being another one inside the present: an entry's, a contained one, a parameter's. */
export function insideResource(run: Run, resource: unknown, work: () => void): void {
  const { resource: outer, rootResource, resourceDepth } = run;
  run.resource = resource;
  if (run.path.at(-2) !== 'contained') run.rootResource = resource;
  run.resourceDepth = run.path.length;
  work();
  Object.assign(run, { resource: outer, rootResource, resourceDepth });
}

/** One check out of several, run in order. */
export function allOf(checks: readonly Check[]): Check {
  const [first, second, ...more] = checks;
  if (!first) return () => undefined;
  if (!second) return first;
  if (more.length === 0) {
    return (value, run) => {
      first(value, run);
      second(value, run);
    };
  }
  return (value, run) => {
    for (let at = 0; at < checks.length; at++) checks[at]!(value, run);
  };
}

export function startRun({
  withWarnings = false,
  profiles,
  openCodes,
  rootProfiles = [],
  isPart = false,
  now = new Date(),
}: RunOptions = {}): Run {
  const run: Run = {
    issues: [],
    path: [],
    depth: 0,
    contained: undefined,
    isContained: false,
    isPart,
    now,
    isTransaction: false,
    withWarnings,
    resource: undefined,
    rootResource: undefined,
    resourceDepth: 0,
    bundle: undefined,
    profiles,
    rootProfiles,
    checking: new Map(),
    openCodes,
    resolve: (reference) => resolveIn(run, reference),
    conformsTo: (item, profile) => run.profiles?.conforms(item, profile, run),
    memberOf: (item, valueSet) => run.profiles?.inValueSet(item, valueSet),
  };
  return run;
}

/**
 * Notes a problem at the present path, or at its child `name`. The text never carries the value: it may be about a patient.
 */
export function report(run: Run, code: OperationOutcomeIssue['code'], diagnostics: string, name?: string): void {
  reportAs(run, 'error', code, diagnostics, name);
}

/** As `report`, for what is less than an error too. */
export function reportAs(
  run: Run,
  severity: OperationOutcomeIssue['severity'],
  code: OperationOutcomeIssue['code'],
  diagnostics: string,
  name?: string,
): void {
  if (!makeRoom(run, severity)) return;
  const expression = formatPath(name === undefined ? run.path : [...run.path, name]);
  run.issues.push({ severity, code, diagnostics: `${expression}: ${diagnostics}`, expression: [expression] });
}

/** Whether one more may be told. An error takes the place of a warning: however many of those there are, they hide none. */
function makeRoom({ issues }: Run, severity: OperationOutcomeIssue['severity']): boolean {
  if (issues.length < maxIssues) return true;
  if (severity !== 'error') return false;
  const last = issues.findLastIndex((issue) => issue.severity !== 'error');
  if (last !== -1) issues.splice(last, 1);
  return last !== -1;
}

/** FHIRPath of an element of this instance: `Patient.name[0].family`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
