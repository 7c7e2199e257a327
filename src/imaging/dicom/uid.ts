/** PS3.5 §9.1: unique identifiers. They are names, never parts of a path. */

const maximumUidLength = 64;

/**
 * Whether a text has the shape of a UID: at most 64 characters, digits and dots. A component that starts with zero is wrong by
 * the standard but met in the field and harmless: accepted.
 */
export function isUid(text: string): boolean {
  return text.length <= maximumUidLength && /^[0-9]+(\.[0-9]+)*$/.test(text);
}
