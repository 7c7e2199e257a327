/** Public keys of clients as JSON Web Key Sets (RFC 7517), held to what SMART asks: RSA of 2048 bits or more, or P-256 and P-384. */
import { createPublicKey } from 'node:crypto';
import type { JWK } from 'jose';

export interface KeySet {
  keys: readonly JWK[];
}

/** More keys than any rotation needs. */
const mostKeys = 20;
/** A key set is a few kilobytes. */
export const longestKeySetBytes = 64 * 1024;
const leastRsaBits = 2048;
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
const curves = new Set(['P-256', 'P-384']);

/**
 * Reads a key set; keys of kinds we do not verify with are left out.
 * @throws Error saying in French what is wrong; a private key among them is refused, since it is not private any more.
 */
export function readKeySet(text: string): KeySet {
  if (Buffer.byteLength(text) > longestKeySetBytes) throw new Error('le jeu de clés est trop long');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error('ce n’est pas du JSON');
  }
  const list = (parsed as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw new Error('le jeu de clés n’a pas de liste « keys »');
  if (list.length > mostKeys) throw new Error(`le jeu a plus de ${mostKeys} clés`);
  const keys = list.filter(isObject).map(checkPublic).filter(isUsable);
  if (keys.length === 0)
    throw new Error('aucune clé utilisable : RSA (2048 bits ou plus), P-256 ou P-384, avec un « kid »');
  const kids = new Set(keys.map(({ kid }) => kid));
  if (kids.size < keys.length) throw new Error('deux clés du jeu ont le même « kid »');
  return { keys };
}

/** The key of that name for that algorithm; undefined when the set has none. */
export function keyNamed({ keys }: KeySet, kid: string, algorithm: string): JWK | undefined {
  const kind = algorithm.startsWith('ES') ? 'EC' : 'RSA';
  return keys.find((key) => key.kid === kid && key.kty === kind && (key.alg === undefined || key.alg === algorithm));
}

function checkPublic(key: JWK): JWK {
  if (key.kty === 'oct' || secretMembers.some((member) => member in key)) {
    throw new Error('le jeu contient une clé secrète ou privée : donnez les clés publiques');
  }
  return key;
}

function isUsable(key: JWK): boolean {
  if (typeof key.kid !== 'string' || key.kid === '' || key.kid.length > 256) return false;
  if (key.use !== undefined && key.use !== 'sig') return false;
  if (key.kty === 'EC' && !curves.has(key.crv ?? '')) return false;
  if (key.kty !== 'EC' && key.kty !== 'RSA') return false;
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: { ...key }, format: 'jwk' });
    return key.kty === 'EC' || (asymmetricKeyDetails?.modulusLength ?? 0) >= leastRsaBits;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is JWK {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
