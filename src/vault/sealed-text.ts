/** Small secrets (a TOTP seed, a header of a Subscription) as a text that may lie in the database: `v1.<key id>.<base64url>`. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyRing } from './key-ring.ts';
import { damaged, VaultError } from './vault-error.ts';

const nonceBytes = 12;
const tagBytes = 16;
const pattern = /^v1\.([a-z0-9][a-z0-9-]{0,15})\.([A-Za-z0-9_-]+)$/;

/** @param name what the secret is of, e.g. `totp/<tenant>/<login>`: under another name it does not open. */
export function sealText(ring: KeyRing, name: string, text: string): string {
  const { id, forTexts } = ring.current();
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', forTexts, nonce);
  cipher.setAAD(boundTo(name, id));
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${id}.${sealed.toString('base64url')}`;
}

/** @throws VaultError */
export function openText(ring: KeyRing, name: string, sealed: string): string {
  const [, id, encoded] = pattern.exec(sealed) ?? [];
  if (id === undefined || encoded === undefined) throw new VaultError('not-sealed', 'Ce n’est pas un texte scellé.');
  const { forTexts } = ring.find(id);
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.length < nonceBytes + tagBytes) throw damaged();
  const decipher = createDecipheriv('aes-256-gcm', forTexts, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(boundTo(name, id)).setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8');
  } catch {
    throw damaged();
  }
}

/** Whether the text is sealed with a key that is not the current one any more: then its owner seals it again. */
export function isStaleText(ring: KeyRing, sealed: string): boolean {
  return pattern.exec(sealed)?.[1] !== ring.current().id;
}

function boundTo(name: string, id: string): Buffer {
  return Buffer.from(JSON.stringify(['passerelle text', 1, name, id]));
}
