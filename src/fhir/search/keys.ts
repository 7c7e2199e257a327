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

/** High and low half of a 64-bit key. */
type Halves = readonly [number, number];

export interface KeyHasher {
  /** Keys as the binary form of a `bigint[]`, which neither side has to print or parse. */
  array(texts: Iterable<string>): Buffer;
  /** One key as `bigint` in decimal, for parameters of other statements. */
  decimal(text: string): string;
}

const generationLimit = 10_000;
const int8Oid = 20;

/**
 * SHA-256 cut to 64 bits: an accidental collision needs billions of values, and nobody can aim at someone else's value
 * (2^64 attempts). Statuses, codes and systems repeat, so most keys come from a cache.
 */
export function createKeyHasher(): KeyHasher {
  // Two generations: what is used again moves to the young one, identifiers seen once leave with the old one.
  let young = new Map<string, Halves>();
  let old = new Map<string, Halves>();

  function halves(text: string): Halves {
    const known = young.get(text);
    if (known) return known;
    const made = old.get(text) ?? digestHalves(text);
    if (young.size >= generationLimit) {
      old = young;
      young = new Map();
    }
    young.set(text, made);
    return made;
  }

  return {
    array(texts) {
      const keys = [...texts];
      if (keys.length === 0) return emptyArray();
      // Dimensions, no NULLs, element type, length, lower bound; then each element with its length.
      const buffer = Buffer.allocUnsafe(20 + keys.length * 12);
      buffer.writeInt32BE(1, 0);
      buffer.writeInt32BE(0, 4);
      buffer.writeInt32BE(int8Oid, 8);
      buffer.writeInt32BE(keys.length, 12);
      buffer.writeInt32BE(1, 16);
      let at = 20;
      for (const key of keys) {
        const [high, low] = halves(key);
        buffer.writeInt32BE(8, at);
        buffer.writeInt32BE(high, at + 4);
        buffer.writeInt32BE(low, at + 8);
        at += 12;
      }
      return buffer;
    },
    decimal(text) {
      const [high, low] = halves(text);
      return ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
    },
  };
}

function digestHalves(text: string): Halves {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readInt32BE(0), digest.readInt32BE(4)];
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
