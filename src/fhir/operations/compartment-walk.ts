/**
 * Everything in a compartment, a page at a time: one search per type and membership parameter, in a fixed order, so that a place in
 * the walk can be written into a link and found again. Nothing is held on the server between pages.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import type { RestReads, SearchPage, StoredVersion } from '../store/contract.ts';
import { type CompartmentName, compartmentTypes, membershipParameters } from './compartments.ts';
import { refusal } from './input.ts';

/** Where a walk stands: in the search of that number, from the cursor of its page on. It comes back unsigned: no query is in it. */
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
 * @param isWorth whether there is anything of a type that the caller may see: other searches are spared, their places in the walk stay.
 */
export function compartmentWalk(
  name: CompartmentName,
  wanted: readonly ResourceType[] | undefined,
  isWorth: (type: ResourceType) => boolean,
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
      const at = steps.findIndex(({ type }, index) => index >= place.step && isWorth(type));
      const step = steps[at];
      if (!step) return { found: [] };
      const query = `${step.parameter}=${encodeURIComponent(reference)}&_count=${count}`;
      const page = await reads.searchBundle(step.type, goingOn(query, at === place.step ? place.next : undefined));
      const found = await withoutEarlier(reads, step, reference, page.matches);
      const next = cursorOf(page);
      return { found, after: next === undefined ? { step: at + 1 } : { step: at, next } };
    },
  };
}

/** What the `next` link of a page adds to its query. */
export function cursorOf({ next }: Pick<SearchPage, 'next'>): string | undefined {
  return next === undefined ? undefined : (new URLSearchParams(next).get('_cursor') ?? undefined);
}

/** The query from that cursor on, from its beginning when there is none. */
export function goingOn(query: string, cursor: string | undefined): string {
  return cursor === undefined ? query : `${query}&_cursor=${encodeURIComponent(cursor)}`;
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
