/** Instance identifiers of the header: systems of FHIR as the OIDs that `id/@root` requires (CI-SIS, structuration minimale). */
import { createHash } from 'node:crypto';
import { el, type XmlElement } from './xml.ts';

export const roots = {
  professional: '1.2.250.1.71.4.2.1',
  structure: '1.2.250.1.71.4.2.2',
} as const;

/** URL name space of RFC 9562 appendix B. */
const urlNamespace = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex');
const oidPattern = /^[0-2](\.(0|[1-9]\d*))+$/;

/**
 * OID of a FHIR system. `urn:oid:` gives its own; any other URI gives `2.25.<decimal>` of its name-based UUID (version 5), which
 * is the same everywhere and for ever, so that two documents about one number agree.
 */
export function rootOf(system: string): string {
  const oid = system.replace(/^urn:oid:/, '');
  if (isOid(oid)) return oid;
  const hash = createHash('sha1').update(urlNamespace).update(system, 'utf8').digest().subarray(0, 16);
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${hash.toString('hex')}`)}`;
}

export function isOid(text: string): boolean {
  return text.length <= 64 && oidPattern.test(text);
}

/** `id` with root and extension. */
export function instance(root: string, extension?: string, name = 'id'): XmlElement {
  return el(name, { root, extension });
}
