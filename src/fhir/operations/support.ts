/** What the members of a record point to and needs to be read with them: who, where, with what (never another patient's record). */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import type { RestTransaction, StoredVersion } from '../store/contract.ts';
import { type CompartmentName, compartmentTypes } from './compartments.ts';
import { refusal } from './input.ts';
import { parsed, type Sight } from './reads.ts';
import { targetsIn } from './targets.ts';

/** Links followed from a member: Encounter → Location → Organization, and once more. */
const depth = 3;

interface Support {
  name: CompartmentName;
  base: string;
  reads: RestTransaction;
  sees: Sight;
}

/** What many resources point to, kept instead of them. */
export interface Targets {
  /** Takes the targets of one more resource. */
  of(resource: Resource): void;
  /** How many resources these are the targets of. */
  size(): number;
  readonly owners: ReadonlySet<string>;
  readonly found: ReadonlyMap<string, { type: ResourceType; id: string }>;
}

export function createTargets(base: string): Targets {
  const owners = new Set<string>();
  const found = new Map<string, { type: ResourceType; id: string }>();
  return {
    of(resource) {
      owners.add(`${resource.resourceType}/${resource.id}`);
      for (const target of targetsIn(resource, base)) found.set(`${target.type}/${target.id}`, target);
    },
    size: () => owners.size,
    owners,
    found,
  };
}

/**
 * Targets of the members, and theirs. Types of the patient's compartment are never followed: they are members by themselves, or
 * somebody else's. An encounter also brings what it names directly: its patient, conditions, appointments.
 * @throws FhirError 400 beyond `limit`: nothing is left out silently.
 */
export async function supportOf(support: Support, members: Targets, limit: number): Promise<StoredVersion[]> {
  const { name, base, reads, sees } = support;
  const record = new Set<ResourceType>(['Patient', ...compartmentTypes('Patient')]);
  const seen = new Set(members.owners);
  const found: StoredVersion[] = [];
  let round = members;
  for (let n = 0; n < depth && round.found.size > 0; n++) {
    const next = createTargets(base);
    for (const { type, id } of round.found.values()) {
      const isDirect = n === 0 && name === 'Encounter';
      if (seen.has(`${type}/${id}`) || (record.has(type) && !isDirect)) continue;
      seen.add(`${type}/${id}`);
      const stored = await reads.readStored(type, id);
      // A reference may point to what is not there, or not any more.
      if (!stored || stored.deleted || !sees.may(type)) continue;
      if (found.length >= limit)
        throw refusal(`More than ${limit} resources are pointed to: ask for smaller pages with _count`, '_count');
      found.push(stored);
      next.of(parsed(stored));
    }
    round = next;
  }
  return found;
}
