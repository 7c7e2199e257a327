/**
 * Validation with what a tenant has stored: its StructureDefinitions, and its terminology for required bindings whose value sets are
 * not at hand. Definitions are looked up by the addresses a resource uses, and what those definitions use in turn.
 */
import type { OperationOutcomeIssue, StructureDefinition } from '@medplum/fhirtypes';
import type { Context, FhirTransaction } from '../contract.ts';
import type { Terminology } from '../terminology/contract.ts';
import { inspectResource, isBuiltIn, type OpenCode, type Profiles, profilesWith } from './index.ts';
import { isObject, maxDepth } from './run.ts';

/** Definitions one resource may make us look up; more are not looked at. */
const maxDefinitions = 300;
const urlsPerSearch = 50;

export interface TenantInspection {
  /** Profiles the resource must conform to beside those it declares. */
  profiles?: readonly string[];
  terminology?: Terminology | undefined;
}

/** Errors and warnings, everything looked at. */
export async function inspectInTenant(
  tx: FhirTransaction,
  resource: unknown,
  { profiles = [], terminology }: TenantInspection = {},
): Promise<OperationOutcomeIssue[]> {
  const definitions = await storedDefinitions(tx, [...profiles, ...definitionsUsedBy(resource)]);
  return inspectWith(definitions && profilesOf(definitions), tx.context, resource, profiles, terminology);
}

export async function inspectWith(
  definitions: Profiles | undefined,
  { tenant, actor, now }: Context,
  resource: unknown,
  profiles: readonly string[],
  terminology: Terminology | undefined,
): Promise<OperationOutcomeIssue[]> {
  const account = `${tenant} ${actor.account}`;
  const options = { profiles, account, now: now(), ...(definitions ? { definitions } : {}) };
  const { issues, openCodes } = inspectResource(resource, options);
  return [...issues, ...(await wrongCodes(tenant, openCodes, terminology))];
}

/** Profiles of definitions a tenant has stored. */
export function profilesOf(definitions: ReadonlyMap<string, StructureDefinition>): Profiles {
  return profilesWith({ profile: (url) => definitions.get(url), valueSet: () => undefined });
}

/** Addresses of the profiles a resource declares and of its extensions, those of resources in it included. */
export function definitionsUsedBy(resource: unknown): string[] {
  const urls = new Set<string>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 2 * maxDepth) return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item, depth + 1);
      return;
    }
    const element = value as Record<string, unknown>;
    for (const name in element) {
      const item = element[name];
      if (typeof item !== 'object' || item === null) continue;
      if (name === 'meta') for (const url of profilesIn(item)) urls.add(url);
      else if (name === 'extension' || name === 'modifierExtension') for (const url of urlsIn(item)) urls.add(url);
      visit(item, depth + 1);
    }
  };
  visit(resource, 0);
  return [...urls];
}

function profilesIn(meta: object): string[] {
  const { profile } = meta as { profile?: unknown };
  return Array.isArray(profile) ? profile.filter((url) => typeof url === 'string') : [];
}

function urlsIn(extensions: object): string[] {
  if (!Array.isArray(extensions)) return [];
  return extensions.flatMap((item: unknown) =>
    isObject(item) && typeof item.url === 'string' && item.url.includes(':') ? [item.url] : [],
  );
}

/** The tenant's own definitions among these addresses, and those they use; undefined when there are none. */
export async function storedDefinitions(
  tx: FhirTransaction,
  urls: readonly string[],
): Promise<ReadonlyMap<string, StructureDefinition> | undefined> {
  const found = new Map<string, StructureDefinition>();
  const asked = new Set<string>();
  let wanted = plainUrls(urls);
  while (wanted.length > 0 && asked.size < maxDefinitions) {
    const next = wanted.filter((url) => !asked.has(url)).slice(0, Math.min(urlsPerSearch, maxDefinitions - asked.size));
    if (next.length === 0) break;
    for (const url of next) asked.add(url);
    const query = next.map((url) => encodeURIComponent(url.replace(/[\\,$|]/g, '\\$&'))).join(',');
    for (const definition of await tx.search('StructureDefinition', `url=${query}`)) {
      if (definition.url) found.set(definition.url, definition);
      wanted.push(...plainUrls(definitionsUsedIn(definition)));
    }
    wanted = wanted.filter((url) => !asked.has(url));
  }
  return found.size > 0 ? found : undefined;
}

/** Without versions and what the program has itself. */
function plainUrls(urls: readonly string[]): string[] {
  return [...new Set(urls.map((url) => url.split('|')[0]!))].filter((url) => !isBuiltIn(url));
}

function definitionsUsedIn({ baseDefinition, differential, snapshot }: StructureDefinition): string[] {
  const elements = (differential ?? snapshot)?.element ?? [];
  const types = elements.flatMap(({ type }) => type ?? []);
  const used = types.flatMap(({ profile, targetProfile }) => [...(profile ?? []), ...(targetProfile ?? [])]);
  return [...(baseDefinition ? [baseDefinition] : []), ...used];
}

/** Asks the terminology; what it does not know either stays unchecked, and is told. */
async function wrongCodes(
  tenant: string,
  openCodes: readonly OpenCode[],
  terminology: Terminology | undefined,
): Promise<OperationOutcomeIssue[]> {
  const issues: OperationOutcomeIssue[] = [];
  for (const { valueSet, codings, expression } of openCodes) {
    const answers = await Promise.all(
      codings.map((coding) => terminology?.validateCode(tenant, { valueSet, ...coding }).catch(() => undefined)),
    );
    if (answers.some((answer) => answer?.valid)) continue;
    const isKnown = answers.length === 0 || answers.some((answer) => answer !== undefined);
    issues.push({
      severity: isKnown ? 'error' : 'warning',
      code: isKnown ? 'code-invalid' : 'not-supported',
      diagnostics: isKnown
        ? `${expression}: must be a code of the value set ${valueSet}`
        : `${expression}: the value set ${valueSet} is not known here, the code was not checked`,
      expression: [expression],
    });
  }
  return issues;
}
