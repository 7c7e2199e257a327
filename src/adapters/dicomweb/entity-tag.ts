/** RFC 9110 §8.8.3, §13.1.2: what a client may show again once it has asked. */
import { createHash } from 'node:crypto';

/** A tag that changes with any of the values the answer depends on. */
export function entityTag(...values: readonly (string | number)[]): string {
  return `W/"${createHash('sha256').update(values.join('\n')).digest('base64url').slice(0, 22)}"`;
}

export function matchesTag(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((one) => one.trim() === '*' || one.trim() === etag) ?? false;
}
