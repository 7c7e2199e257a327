/** How many associations there may be at once, of all and of one address; and who is refused so often that it is not asked why any more. */
import { type Rejection, rejection } from './pdu-writer.ts';

export interface DoorLimits {
  associations: number;
  /** Of one network address. */
  associationsOfOne: number;
  /** Refusals of one address a minute that are looked into and told; beyond, it is turned away unheard. */
  refusalsOfOne: number;
}

export interface Doorkeeper {
  entered(address: string): void;
  left(address: string): void;
  /** Why one more association of this address (already entered) may not be. */
  rejection(address: string): Rejection | undefined;
  refused(address: string): void;
}

const windowMs = 60_000;
const mostRemembered = 10_000;

/** @param now milliseconds of a clock that does not jump. */
export function createDoorkeeper(limits: DoorLimits, now: () => number = () => performance.now()): Doorkeeper {
  const inside = new Map<string, number>();
  const refusals = new Map<string, { count: number; until: number }>();
  let total = 0;
  const recent = (address: string) => {
    const known = refusals.get(address);
    return known && known.until > now() ? known : undefined;
  };
  return {
    entered(address) {
      total += 1;
      inside.set(address, (inside.get(address) ?? 0) + 1);
    },
    left(address) {
      total -= 1;
      const count = (inside.get(address) ?? 1) - 1;
      if (count === 0) inside.delete(address);
      else inside.set(address, count);
    },
    rejection(address) {
      if (total > limits.associations || (inside.get(address) ?? 0) > limits.associationsOfOne) return rejection.limit;
      return (recent(address)?.count ?? 0) >= limits.refusalsOfOne ? rejection.limit : undefined;
    },
    refused(address) {
      const known = recent(address);
      if (known) known.count += 1;
      else {
        if (refusals.size >= mostRemembered) refusals.clear();
        refusals.set(address, { count: 1, until: now() + windowMs });
      }
    },
  };
}
