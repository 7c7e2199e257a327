/**
 * $diff, ours: what changed between two versions of a resource, or between two resources of one type. The answer is a FHIRPath Patch
 * that makes the second out of the first (docs/fhir.md, "Operations").
 */

import type { ResourceType } from '@medplum/fhirtypes';
import type { Operation, OperationAnswer, OperationCall } from '../contract.ts';
import type { StoredVersion } from '../store/contract.ts';
import { isResourceType } from '../validation/index.ts';
import { changesBetween } from './changes.ts';
import { booleanOnce, refusal, refuseOthers, textOnce } from './input.ts';
import { parsed, readsOf, storedOrGone } from './reads.ts';

export const diffOperations: readonly Operation[] = [
  { name: 'diff', level: 'instance', affectsState: false, run: diffVersions },
  { name: 'diff', level: 'system', affectsState: false, run: diffResources },
];

/** `from` and `to` are versions; the current one and the one before it when absent. */
async function diffVersions(call: OperationCall): Promise<OperationAnswer> {
  const { type, id, parameters } = call;
  refuseOthers(parameters, ['from', 'to', 'includeMeta']);
  const reads = readsOf(call);
  const wanted = versionOf(textOnce(parameters, 'to'), 'to');
  const to = await storedOrGone(reads, type!, id!, wanted);
  const before = versionOf(textOnce(parameters, 'from'), 'from') ?? to.version - 1;
  if (before === 0) throw refusal('There is no version before the first: name two with from and to', 'from');
  call.authorize({ interaction: 'vread', type: type!, id: id! });
  return difference(call, await storedOrGone(reads, type!, id!, before), to);
}

/** `from` and `to` are references, `Patient/1` or `Patient/1/_history/2`. */
async function diffResources(call: OperationCall): Promise<OperationAnswer> {
  refuseOthers(call.parameters, ['from', 'to', 'includeMeta']);
  const [from, to] = [await named(call, 'from'), await named(call, 'to')];
  if (from.type !== to.type) throw refusal('from and to are resources of one type', 'to');
  return difference(call, from, to);
}

async function named(call: OperationCall, name: string): Promise<StoredVersion> {
  const reference =
    textOnce(call.parameters, name) ??
    call.parameters.parameter?.find((part) => part.name === name)?.valueReference?.reference;
  const [type, id, history, version, ...rest] = (reference ?? '').replace(`${call.base}/`, '').split('/');
  const isVersion = history === undefined || (history === '_history' && version !== undefined && rest.length === 0);
  if (!type || !id || !isVersion || !isResourceType(type))
    throw refusal(`${name} is a reference to a resource or a version of one`, name);
  call.authorize({ interaction: version === undefined ? 'read' : 'vread', type, id });
  return storedOrGone(readsOf(call), type as ResourceType, id, versionOf(version, name));
}

/** @throws FhirError 400 for what is no number of a version. */
function versionOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw refusal('A version is a whole number from 1 up', name);
  return Number(text);
}

function difference(call: OperationCall, from: StoredVersion, to: StoredVersion): OperationAnswer {
  const ignored = booleanOnce(call.parameters, 'includeMeta') ? ['id'] : ['id', 'meta'];
  const [before, after] = [parsed(from), parsed(to)];
  return { status: 200, resource: changesBetween(before, after, ignored), shown: [before, after] };
}
