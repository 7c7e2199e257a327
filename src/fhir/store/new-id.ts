import { randomUUID } from 'node:crypto';

/** Places within one millisecond: the twelve bits after the version (RFC 9562 §6.2, method 1). */
export const placesInMs = 0x1000;

/**
 * A time-ordered unique id (RFC 9562 version 7): new rows land side by side in the index, which keeps a large table fast.
 * @param place among the ids of the same millisecond, 0 to `placesInMs` - 1; random when absent, which tells nobody how many there are.
 */
export function newId(now: Date, place?: number): string {
  const time = Math.max(now.getTime(), 0).toString(16).padStart(12, '0');
  // Version and variant sit at the same places; version 4 draws its randomness in blocks, which is faster than asking here.
  const random = randomUUID();
  const tail = place === undefined ? random.slice(15) : place.toString(16).padStart(3, '0') + random.slice(18);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail}`;
}

/** Longest time from the making of an id to the write under it: one transaction. */
const longestMs = 600_000;

/**
 * Whether a first version was given its id here. Else somebody chose it, which over HTTP a PUT alone can do. A client that makes ids of
 * the same form in the same minutes is not told apart.
 */
export function isGivenHere(id: string, firstAt: Date): boolean {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.exec(id) ?? [];
  return high !== undefined && Math.abs(firstAt.getTime() - Number.parseInt(high + low, 16)) <= longestMs;
}
