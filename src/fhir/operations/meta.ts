/**
 * $meta, $meta-add, $meta-delete: profiles, tags and security labels (https://hl7.org/fhir/R4/resource-operation-meta.html,
 * https://hl7.org/fhir/R4/resource-operation-meta-add.html, https://hl7.org/fhir/R4/resource-operation-meta-delete.html).
 */
import { isDeepStrictEqual } from 'node:util';
import type { Coding, Meta, Parameters, Resource } from '@medplum/fhirtypes';
import type { Operation, OperationAnswer, OperationCall } from '../contract.ts';
import { refusal } from './input.ts';
import { labelsInUse } from './labels-in-use.ts';
import { parsed, readsOf, storedOrGone } from './reads.ts';

export const metaOperations: readonly Operation[] = [
  { ...named('meta'), level: 'instance', affectsState: false, run: metaOfInstance },
  { ...named('meta'), level: 'type', affectsState: false, run: metaInUse },
  { ...named('meta'), level: 'system', affectsState: false, run: metaInUse },
  { ...named('meta-add'), level: 'instance', affectsState: true, run: (call) => change(call, added) },
  { ...named('meta-delete'), level: 'instance', affectsState: true, run: (call) => change(call, removed) },
];

function named(name: string) {
  return { name, definition: `http://hl7.org/fhir/OperationDefinition/Resource-${name}` };
}

async function metaOfInstance(call: OperationCall): Promise<OperationAnswer> {
  const resource = parsed(await storedOrGone(readsOf(call), call.type!, call.id!));
  return { status: 200, resource: returning(resource.meta ?? {}), shown: [resource] };
}

async function metaInUse(call: OperationCall): Promise<OperationAnswer> {
  return { status: 200, resource: returning(await labelsInUse(call)), shown: [] };
}

/** Nothing to change makes no version. */
async function change(call: OperationCall, apply: (before: Meta, named: Meta) => Meta): Promise<OperationAnswer> {
  const { type, id, tx, ifMatch } = call;
  const given = call.parameters.parameter?.find(({ name }) => name === 'meta')?.valueMeta;
  if (!given) throw refusal('The parameter meta, a Meta, is needed', 'meta');
  call.authorize({ interaction: 'update', type: type!, id: id! });
  const resource = await tx.read(type!, id!);
  const before = resource.meta ?? {};
  const after = apply(before, given);
  if (isDeepStrictEqual(labelsOf(after), labelsOf(before)) && ifMatch === undefined)
    return { status: 200, resource: returning(before), shown: [resource] };
  const stored = await tx.update(
    { ...(resource as Resource & { id: string }), meta: after },
    ifMatch ? { ifMatch } : {},
  );
  return { status: 200, resource: returning(stored.meta ?? {}) };
}

function labelsOf({ profile = [], tag = [], security = [] }: Meta): object {
  return { profile, tag, security };
}

/** Sets: a label is system and code, whatever its display and version. */
function added(before: Meta, { profile, tag, security }: Meta): Meta {
  return {
    ...before,
    ...kept('profile', [...new Set([...(before.profile ?? []), ...(profile ?? [])])]),
    ...kept('tag', union(before.tag, tag)),
    ...kept('security', union(before.security, security)),
  };
}

function removed(before: Meta, { profile, tag, security }: Meta): Meta {
  const { profile: profiles, tag: tags, security: labels, ...rest } = before;
  const without = (list: Coding[] = [], gone: Coding[] = []) =>
    list.filter((label) => !gone.some((other) => sameLabel(label, other)));
  return {
    ...rest,
    ...kept(
      'profile',
      (profiles ?? []).filter((url) => !profile?.includes(url)),
    ),
    ...kept('tag', without(tags, tag)),
    ...kept('security', without(labels, security)),
  };
}

function union(labels: readonly Coding[] = [], more: readonly Coding[] = []): Coding[] {
  const all: Coding[] = [...labels];
  for (const label of more) if (!all.some((other) => sameLabel(label, other))) all.push(label);
  return all;
}

function sameLabel(a: Coding, b: Coding): boolean {
  return a.system === b.system && a.code === b.code;
}

/** FHIR has no empty lists. */
function kept<T>(name: 'profile' | 'tag' | 'security', list: T[]): Record<string, T[]> {
  return list.length > 0 ? { [name]: list } : {};
}

function returning(valueMeta: Meta): Parameters {
  return { resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta }] };
}
