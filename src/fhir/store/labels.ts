/**
 * Whose a resource is: `meta.security` names the establishments, set by the server on every write of patient data and by nobody else
 * (https://hl7.org/fhir/R4/security-labels.html). What somebody may see is decided by these labels (docs/access/policy.md).
 */
import type { Coding, Resource } from '@medplum/fhirtypes';
import type { Context } from '../contract.ts';
import { isLimitedType } from '../search/row-limits.ts';

/** System of the labels; the code is the id of the establishment's Organization. */
export const establishmentSystem = 'https://fhir.passerelle.example/sid/establishment';

/** System of the label of a Subscription: the account that made it, which alone sees it among those who see a part. */
export const accountSystem = 'https://fhir.passerelle.example/sid/account';

/** Elements that say what a resource is part of: their targets' labels are its own. */
const belongsTo = [
  ...['basedOn', 'focus', 'partOf', 'encounter', 'context', 'about', 'target', 'request', 'related', 'derivedFrom'],
  ...['securityContext', 'implicated', 'imagingStudy', 'service', 'prescription', 'hasMember', 'composition', 'report'],
] as const;
/** Elements that say whose record it is: a patient of one establishment decides, a patient of several cannot. */
const isAbout = ['for', 'subject', 'patient', 'individual', 'beneficiary', 'participant', 'entry', 'member'] as const;
/** References of one resource that are looked at. */
const referencesAtMost = 20;

/** Establishments a resource is labelled with. */
export function labelsOf(resource: Labelled | undefined): string[] {
  return codesOf(resource, establishmentSystem);
}

type Labelled = { meta?: { security?: Coding[] } };

function codesOf(resource: Labelled | undefined, wanted: string): string[] {
  return (resource?.meta?.security ?? []).flatMap(({ system, code }) =>
    system === wanted && code !== undefined ? [code] : [],
  );
}

/**
 * The resource with the labels it must have; the same object where nothing changes.
 * @param before the version it replaces. @param labelsOfTarget establishments of another resource, `Type/id`.
 * @param isOurs written by the server's own rules: labels it comes with are meant.
 */
export function labelled<R extends Resource>(
  resource: R,
  before: Resource | undefined,
  context: Context,
  labelsOfTarget: (reference: string) => Promise<readonly string[]>,
  isOurs: boolean,
): R | Promise<R> {
  const own = withOwner(resource, before, context);
  const { resourceType } = own;
  if (resourceType === 'Subscription') return withLabels(own, new Set());
  return withEstablishments(own, before, context, labelsOfTarget, isOurs);
}

/** Whose a Subscription is stays as it was; nothing else is labelled so. What the server writes for somebody says for whom. */
function withOwner<R extends Resource>(resource: R, before: Resource | undefined, { actor }: Context): R {
  const sent = codesOf(resource, accountSystem);
  if (resource.resourceType !== 'Subscription')
    return sent.length === 0 ? resource : withCodes(resource, accountSystem, new Set());
  const [owner = actor.kind === 'system' ? sent[0] : actor.account] = codesOf(before, accountSystem);
  return withCodes(resource, accountSystem, new Set(owner === undefined ? [] : [owner]));
}

function withEstablishments<R extends Resource>(
  resource: R,
  before: Resource | undefined,
  context: Context,
  labelsOfTarget: (reference: string) => Promise<readonly string[]>,
  isOurs: boolean,
): R | Promise<R> {
  const kept = labelsOf(before);
  const sent = labelsOf(resource);
  if (isOurs && isLimitedType(resource.resourceType) && sent.length > 0) {
    const told = resource.resourceType === 'Patient' ? (context.establishments ?? []) : [];
    return withLabels(resource, new Set([...kept, ...sent, ...told]));
  }
  if (!isLimitedType(resource.resourceType)) return withLabels(resource, new Set());
  const isShared = resource.resourceType === 'Patient';
  if (kept.length > 0 && !isShared) return withLabels(resource, new Set(kept));
  return establishmentsOf(resource, context, labelsOfTarget).then((found) =>
    withLabels(resource, new Set([...kept, ...found])),
  );
}

/** Whether a coding is one of those that only the server sets. */
export function isServersLabel(coding: { system?: string } | null | undefined): boolean {
  return coding?.system === establishmentSystem || coding?.system === accountSystem;
}

/** Whether the same resource, written again by somebody of these establishments, would be theirs too (`labelled`). */
export function isToBeLabelled(before: Resource, { establishments = [] }: Context): boolean {
  const { resourceType } = before;
  if (!isLimitedType(resourceType) || resourceType === 'Subscription') return false;
  const labels = labelsOf(before);
  return (resourceType === 'Patient' || labels.length === 0) && establishments.some((code) => !labels.includes(code));
}

/** With exactly these labels, and the others it came with where they were. */
export function withLabels<R extends Resource>(resource: R, establishments: ReadonlySet<string>): R {
  return withCodes(resource, establishmentSystem, establishments);
}

/** With these labels of a system and no others of it. */
export function withCodes<R extends Resource>(resource: R, system: string, codes: ReadonlySet<string>): R {
  const sent = codesOf(resource, system);
  if (sent.length === codes.size && sent.every((code) => codes.has(code))) return resource;
  const own = Array.from(codes, (code) => ({ system, code }));
  const others = (resource.meta?.security ?? []).filter((coding) => coding.system !== system);
  const { security: _, ...meta } = resource.meta ?? {};
  const security = [...others, ...own];
  return { ...resource, meta: { ...meta, ...(security.length > 0 ? { security } : {}) } };
}

async function establishmentsOf(
  resource: Resource,
  { actor, establishments }: Context,
  labelsOfTarget: (reference: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  // The platform writes for the establishment that asked: what a case is requested by is whose it is.
  const { requester } = resource as { requester?: { reference?: string } };
  const asked = actor.kind === 'system' ? /^Organization\/([^/]+)$/.exec(requester?.reference ?? '')?.[1] : undefined;
  if (resource.resourceType === 'Task' && asked !== undefined) return [asked];
  // A patient is whoever's who tells of them; anything else, of what it is part of: nobody refers to what they do not see.
  const parts = resource.resourceType === 'Patient' ? [] : deciding(resource, referencesIn(resource, belongsTo));
  const whole = parts.length > 0 ? await union(parts, labelsOfTarget) : parts;
  if (whole.length > 0) return whole;
  if (establishments && establishments.length > 0) return establishments;
  const record = await union(referencesIn(resource, isAbout), labelsOfTarget);
  return record.length === 1 ? record : [];
}

/** A problem is of the case that waits for it: whose images followed the patient there is shown nothing of it. */
function deciding({ resourceType }: Resource, parts: string[]): string[] {
  const cases = resourceType === 'DetectedIssue' ? parts.filter((each) => each.startsWith('Task/')) : [];
  return cases.length > 0 ? cases : parts;
}

async function union(
  references: readonly string[],
  labelsOfTarget: (reference: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (references.length === 1) return labelsOfTarget(references[0]!);
  const found = new Set<string>();
  for (const reference of references) for (const code of await labelsOfTarget(reference)) found.add(code);
  return [...found];
}

const literal = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/** Literal references to patient data in these top-level elements, nested ones among them; a Patient is nothing's whole. */
function referencesIn(resource: Resource, names: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (found.size >= referencesAtMost || typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    const { reference } = value as { reference?: unknown };
    const match = typeof reference === 'string' ? literal.exec(reference) : null;
    if (match && isLimitedType(match[1]!) && (match[1] !== 'Patient' || names === isAbout))
      found.add(`${match[1]}/${match[2]}`);
    for (const inner of Object.values(value)) visit(inner);
  };
  for (const name of names) {
    const value = (resource as unknown as Record<string, unknown>)[name];
    if (value !== undefined) visit(value);
  }
  return [...found];
}
