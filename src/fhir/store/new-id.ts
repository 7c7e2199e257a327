import { randomUUID } from 'node:crypto';

/** A time-ordered unique id (RFC 9562 version 7): new rows land side by side in the index, which keeps a large table fast. */
export function newId(now: Date): string {
  // Version and variant sit at the same places; version 4 draws its randomness in blocks, which is faster than asking here.
  return `${timeOf(now)}-7${randomUUID().slice(15)}`;
}

/** Ids of one millisecond that follow each other. */
export interface Series {
  ms: number;
  /** The next id, or another where there are no more places in this millisecond. */
  next(): string;
}

/** Places within one millisecond: the twelve bits after the version (RFC 9562 §6.2, method 1). */
const places = 0x1000;

/** Begins a series: its ids differ in their places, and from those of any other series by what is drawn once for all of them. */
export function startSeries(now: Date): Series {
  const time = timeOf(now);
  const drawn = randomUUID().slice(18);
  let taken = 0;
  const next = () => (taken < places ? `${time}-7${hex(taken++, 3)}${drawn}` : newId(now));
  return { ms: now.getTime(), next };
}

function timeOf(now: Date): string {
  const time = hex(Math.max(now.getTime(), 0), 12);
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
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
