import { randomBytes } from 'node:crypto';

/** Crockford's base 32: digits and capitals without I, L, O, U; 256 is a multiple of 32, so every character is equally likely. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const lengthCharacters = 20;

/** A new item id: 20 characters, 100 random bits; fits a message control id (MSH-10 is limited to 20 characters in v2.5). */
export function newItemId(): string {
  return Array.from(randomBytes(lengthCharacters), (byte) => alphabet[byte & 31]).join('');
}
