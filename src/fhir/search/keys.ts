/**
 * Search keys: what a resource can be found by through equality, as 64-bit hashes in one array column under one GIN
 * (docs/decisions/0002-storage-layout.md). A key names the tenant, the parameter and the value.
 */
import { hash } from 'node:crypto';

/** Kinds of facts, the first letter of a key. */
export const keyKind = {
  /** The resource has a value for the parameter (`:missing`). */
  present: 'p',
  /** A code, a uri, a literal reference: the value as it is. */
  value: 'v',
  /** System and code; an absent system is empty. */
  systemValue: 's',
  /** A system, whatever the code. */
  system: 'y',
  /** Type system and code, and value, of an Identifier (`:of-type`). */
  ofType: 'o',
  /** Logical reference: system and value of Reference.identifier (`:identifier`). */
  identifier: 'i',
  /** A canonical without a version: it means the newest. */
  newest: 'l',
  /** A reference leads to a resource inside this one. */
  contained: 'n',
  /** A string exactly as written (`:exact`). */
  exact: 'e',
  /** An address that a uri lies below (`:below`). */
  below: 'b',
  /** How a name sounds (`phonetic`). */
  sound: 'h',
  /** Parts of a composite that occur in the same element. */
  pair: 'c',
} as const;

export type KeyKind = (typeof keyKind)[keyof typeof keyKind];

/** Text of a key. Parts are separated by a character no FHIR string may contain. */
export function keyText(tenant: string, parameter: string, kind: KeyKind, ...parts: string[]): string {
  return `${tenant}\u0001${parameter}\u0001${kind}${parts.join('\u0001')}`;
}

/** A 64-bit key: its high and low half. The same key is the same object as long as it is remembered. */
export type Key = readonly [number, number];

export interface KeyHasher {
  /** The key of what `keyText` would write; most come from a memory, without writing it. */
  key(tenant: string, parameter: string, kind: KeyKind, parts: readonly string[]): Key;
  /** Keys as the binary form of a `bigint[]`, which neither side has to print or parse. */
  array(keys: Iterable<string | Key>): Buffer;
  /** One key as `bigint` in decimal, for parameters of other statements. */
  decimal(text: string): string;
}

const generationLimit = 10_000;
const int8Oid = 20;

/** What is remembered below one part of a key. */
interface Remembered {
  key?: Key;
  next?: Map<string, Remembered>;
}

/** Slots for what was seen once; a power of two. */
const seenOnceSlots = 4_096;

/**
 * SHA-256 cut to 64 bits: an accidental collision needs billions of values, and nobody can aim at someone else's value
 * (2^64 attempts). Statuses, codes and systems repeat, so most keys come from a memory by their parts; what is met for the first time
 * does not enter it, as identifiers would: twenty thousand a second that nobody asks for again.
 */
export function createKeyHasher(): KeyHasher {
  // Two generations: what is used again moves to the young one.
  let young: Remembered = {};
  let old: Remembered = {};
  let size = 0;
  /** Where the keys of the parameter asked for last are: those of one parameter of one resource come one after the other. */
  let last: { tenant: string; parameter: string; place: Remembered; before: Remembered | undefined } | undefined;
  /** High halves of keys met lately, each where its low half says. */
  const seenOnce = new Int32Array(seenOnceSlots);

  function ofParameter(tenant: string, parameter: string) {
    if (last?.parameter !== parameter || last.tenant !== tenant) {
      const before = old.next?.get(tenant)?.next?.get(parameter);
      last = { tenant, parameter, place: step(step(young, tenant), parameter), before };
    }
    return last;
  }

  function isKnownAgain([high, low]: Key): boolean {
    const slot = low & (seenOnceSlots - 1);
    if (seenOnce[slot] === high) return true;
    seenOnce[slot] = high;
    return false;
  }

  function remember(place: Remembered, key: Key): Key {
    place.key = key;
    if (++size >= generationLimit) {
      old = young;
      young = {};
      last = undefined;
      size = 0;
    }
    return key;
  }

  function ofText(text: string): Key {
    const known = young.next?.get(text)?.key;
    if (known) return known;
    const before = old.next?.get(text)?.key;
    if (before) return remember(step(young, text), before);
    const key = digest(text);
    return isKnownAgain(key) ? remember(step(young, text), key) : key;
  }

  return {
    key(tenant, parameter, kind, parts) {
      const { place, before } = ofParameter(tenant, parameter);
      const known = found(place, kind, parts);
      if (known) return known;
      const earlier = before && found(before, kind, parts);
      const key = earlier ?? digest(keyText(tenant, parameter, kind, ...parts));
      return earlier || isKnownAgain(key) ? remember(below(place, kind, parts), key) : key;
    },
    array(given) {
      const keys = Array.from(given, (key) => (typeof key === 'string' ? ofText(key) : key));
      if (keys.length === 0) return emptyArray();
      // Dimensions, no NULLs, element type, length, lower bound; then each element with its length.
      const buffer = Buffer.allocUnsafe(20 + keys.length * 12);
      buffer.writeInt32BE(1, 0);
      buffer.writeInt32BE(0, 4);
      buffer.writeInt32BE(int8Oid, 8);
      buffer.writeInt32BE(keys.length, 12);
      buffer.writeInt32BE(1, 16);
      let at = 20;
      for (const [high, low] of keys) {
        buffer.writeInt32BE(8, at);
        buffer.writeInt32BE(high, at + 4);
        buffer.writeInt32BE(low, at + 8);
        at += 12;
      }
      return buffer;
    },
    decimal(text) {
      const [high, low] = ofText(text);
      return ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
    },
  };
}

/** The key below a place, if it is there. */
function found(place: Remembered, kind: string, parts: readonly string[]): Key | undefined {
  let at = place.next?.get(kind);
  for (const part of parts) at = at?.next?.get(part);
  return at?.key;
}

/** The place of a kind and parts below another, made when missing. */
function below(place: Remembered, kind: string, parts: readonly string[]): Remembered {
  let at = step(place, kind);
  for (const part of parts) at = step(at, part);
  return at;
}

/** The place of a part below another, made when missing. */
function step(place: Remembered, part: string): Remembered {
  place.next ??= new Map();
  let next = place.next.get(part);
  if (!next) {
    next = {};
    place.next.set(part, next);
  }
  return next;
}

function digest(text: string): Key {
  const hex = hash('sha256', text);
  return [Number.parseInt(hex.slice(0, 8), 16) | 0, Number.parseInt(hex.slice(8, 16), 16) | 0];
}

function emptyArray(): Buffer {
  const buffer = Buffer.alloc(12);
  buffer.writeInt32BE(int8Oid, 8);
  return buffer;
}

/** Key of a parameter in the tables of ordered values: 32 bits of a hash of type and name. */
export function parameterKey(type: string, parameter: string): number {
  return hash('sha256', `${type}.${parameter}`, 'buffer').readInt32BE(0);
}
