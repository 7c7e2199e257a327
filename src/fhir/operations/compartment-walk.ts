/**
 * Everything in a compartment, a page at a time: one search per type and membership parameter, in a fixed order, so that a place in
 * the walk can be written into a link and found again. Nothing is held on the server between pages.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import type { RestReads, StoredVersion } from '../store/contract.ts';
import { type CompartmentName, compartmentTypes, membershipParameters } from './compartments.ts';
import { refusal } from './input.ts';

/** Where a walk stands: the search of that number, from its `next` query on. */
export interface Place {
  step: number;
  next?: string;
}

interface Step {
  type: ResourceType;
  parameter: string;
  /** Parameters of earlier steps of the same type: what they found is not found again. */
  earlier: string[];
}

export interface Walk {
  /** Members from `place` on, at least one search's worth; `after` is undefined at the end. */
  read(
    reads: RestReads,
    reference: string,
    place: Place,
    count: number,
  ): Promise<{ found: StoredVersion[]; after?: Place }>;
}

/**
 * @param wanted only these types, undefined for all of them.
 * @param inUse types there is anything of: the searches for the others are spared, their places in the walk stay.
 */
export function compartmentWalk(
  name: CompartmentName,
  wanted: readonly ResourceType[] | undefined,
  inUse: ReadonlySet<ResourceType>,
): Walk {
  const steps = compartmentTypes(name)
    .filter((type) => wanted === undefined || wanted.includes(type))
    .flatMap((type): Step[] =>
      membershipParameters(name, type).map((parameter, index, all) => ({
        type,
        parameter,
        earlier: all.slice(0, index),
      })),
    );
  return {
    async read(reads, reference, place, count) {
      if (place.step > steps.length) throw refusal('The page cursor does not belong to this operation', '_cursor');
      const at = steps.findIndex(({ type }, index) => index >= place.step && inUse.has(type));
      const step = steps[at];
      if (!step) return { found: [] };
      const page = await reads.searchBundle(
        step.type,
        queryOf(step, reference, at === place.step ? place.next : undefined, count),
      );
      const found = await withoutEarlier(reads, step, reference, page.matches);
      return { found, after: page.next === undefined ? { step: at + 1 } : { step: at, next: page.next } };
    },
  };
}

/** A `next` query carries the size of the page before; this one may have less room. */
function queryOf({ parameter }: Step, reference: string, next: string | undefined, count: number): string {
  if (next !== undefined) return next.replace(/(^|&)_count=\d+/, `$1_count=${count}`);
  return `${parameter}=${encodeURIComponent(reference)}&_count=${count}`;
}

async function withoutEarlier(
  reads: RestReads,
  { type, earlier }: Step,
  reference: string,
  matches: StoredVersion[],
): Promise<StoredVersion[]> {
  if (matches.length === 0 || earlier.length === 0) return matches;
  const seen = new Set<string>();
  const ids = matches.map(({ id }) => id).join(',');
  for (const parameter of earlier) {
    const { matches: again } = await reads.searchBundle(
      type,
      `_id=${ids}&${parameter}=${encodeURIComponent(reference)}&_count=${matches.length}`,
    );
    for (const { id } of again) seen.add(id);
  }
  return matches.filter(({ id }) => !seen.has(id));
}
