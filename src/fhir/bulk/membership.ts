/** Whose record a resource belongs to, told from the resource itself: an export reads whole tables, once, and no patient's index. */
import type { Group, ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { membershipParameters } from '../operations/compartments.ts';
import { targetOf } from '../operations/targets.ts';
import type { ParameterRegistry } from '../search/parameters.ts';
import type { RestReads } from '../store/contract.ts';

/** Groups inside groups. */
const depthAtMost = 5;

/** @returns a test: does the resource belong to one of the patients (to any, when there is no list)? */
export function membershipOf(
  registry: ParameterRegistry,
  base: string,
  type: ResourceType,
  patients: ReadonlySet<string> | undefined,
): (resource: { id?: string }) => boolean {
  const known = registry.of(type);
  const selectors = membershipParameters('Patient', type).flatMap((code) => known.get(code)?.select ?? []);
  const isOne = (id: string) => patients === undefined || patients.has(id);
  return (resource) => {
    if (type === 'Patient' && isOne(resource.id!)) return true;
    return selectors.some((select) =>
      select(resource).some((value) => {
        const reference = (value as { reference?: unknown } | null)?.reference;
        const target = typeof reference === 'string' ? targetOf(reference, base) : undefined;
        return target?.type === 'Patient' && isOne(target.id);
      }),
    );
  };
}

/** Ids of the patients in a group and in the groups inside it. @throws FhirError 404, 422. */
export async function patientsOf(
  reads: Pick<RestReads, 'readStored'>,
  base: string,
  id: string,
  depth = 0,
): Promise<Set<string>> {
  if (depth > depthAtMost) throw new FhirError(422, 'too-costly', `Groups are nested more than ${depthAtMost} deep`);
  const stored = await reads.readStored('Group', id);
  if (!stored || stored.deleted) throw new FhirError(404, 'not-found', `Group/${id} is not known`);
  const group = JSON.parse(stored.text) as Group;
  if (!group.actual) {
    throw new FhirError(422, 'not-supported', `Group/${id} describes its members and does not name them`);
  }
  const patients = new Set<string>();
  for (const { entity, inactive } of group.member ?? []) {
    const target = inactive ? undefined : targetOf(entity.reference ?? '', base);
    if (target?.type === 'Patient') patients.add(target.id);
    if (target?.type === 'Group') {
      for (const patient of await patientsOf(reads, base, target.id, depth + 1)) patients.add(patient);
    }
  }
  return patients;
}
