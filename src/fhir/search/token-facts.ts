/** Keys of tokens, references and uris (https://hl7.org/fhir/R4/search.html#token, #reference, #uri). */
import { parseCanonical } from '../terminology/canonical.ts';
import type { AddKey } from './facts.ts';
import { keyKind } from './keys.ts';

/** Coding, CodeableConcept, Identifier, ContactPoint, code, boolean, id or string (the table of the R4 token parameter). */
export function tokenFacts(value: unknown, key: AddKey): void {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
    if (value === '') return;
    key(keyKind.value, String(value));
    // `|code` asks for a code without a system.
    key(keyKind.systemValue, '', String(value));
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const element = value as Record<string, unknown>;
  if (Array.isArray(element.coding)) {
    for (const coding of element.coding) tokenFacts(coding, key);
    return;
  }
  const code = typeof element.code === 'string' ? element.code : element.value;
  const system = typeof element.system === 'string' ? element.system : '';
  if (typeof code === 'string' && code !== '') {
    key(keyKind.value, code);
    key(keyKind.systemValue, system, code);
    identifierTypeFacts(element, code, key);
  }
  if (system !== '') key(keyKind.system, system);
}

function identifierTypeFacts({ type }: Record<string, unknown>, value: string, key: AddKey): void {
  const codings = (type as { coding?: { system?: unknown; code?: unknown }[] } | undefined)?.coding;
  if (!Array.isArray(codings)) return;
  for (const { system, code } of codings) {
    if (typeof system === 'string' && typeof code === 'string') key(keyKind.ofType, system, code, value);
  }
}

/** A Reference, or a canonical. */
export function referenceFacts(value: unknown, base: () => string | undefined, key: AddKey): void {
  if (typeof value === 'string') {
    if (value.startsWith('#')) key(keyKind.contained);
    else {
      canonicalFacts(value, key);
      const { url, version } = parseCanonical(value);
      if (version === undefined && url !== '') key(keyKind.newest, url);
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { reference, identifier } = value as { reference?: unknown; identifier?: Record<string, unknown> };
  if (typeof reference === 'string' && reference !== '') {
    if (reference.startsWith('#')) key(keyKind.contained);
    else key(keyKind.value, localReference(reference, base));
  }
  if (identifier && typeof identifier.value === 'string') {
    const system = typeof identifier.system === 'string' ? identifier.system : '';
    key(keyKind.identifier, system, identifier.value);
    key(keyKind.identifier, identifier.value);
  }
}

/**
 * `Patient/1` for a reference to it by our own address, of any version; other references stay what they are.
 * @param tenant whose own address (`/t/[tenant]/fhir`) is ours too; none in what is stored, where it is never kept.
 */
export function localReference(reference: string, base: () => string | undefined, tenant = ''): string {
  if (!reference.startsWith('http')) return unversionedReference(reference);
  const own = base();
  const addresses =
    own === undefined ? [] : [own, ...(tenant === '' ? [] : [own.replace(/fhir$/, `t/${tenant}/fhir`)])];
  const address = addresses.find((each) => reference.startsWith(`${each}/`));
  return unversionedReference(address === undefined ? reference : reference.slice(address.length + 1));
}

/** Type and id of a Reference to a resource here; undefined for what is contained, elsewhere or only described. */
export function targetOf(value: unknown, base: () => string | undefined): { type: string; id: string } | undefined {
  const reference = (value as { reference?: unknown } | null | undefined)?.reference;
  if (typeof reference !== 'string') return undefined;
  const [type, id, ...more] = localReference(reference, base).split('/');
  return type && id && more.length === 0 ? { type, id } : undefined;
}

/** A reference without `/_history/…`: searches find the resource whatever version was meant. */
function unversionedReference(reference: string): string {
  const at = reference.indexOf('/_history/');
  return at < 0 ? reference : reference.slice(0, at);
}

/** A uri with the addresses it lies below. */
export function uriFacts(value: unknown, key: AddKey): void {
  if (typeof value !== 'string' || value === '') return;
  canonicalFacts(value, key);
  for (const address of addressesAbove(value)) key(keyKind.below, address);
}

/** A canonical is found with its version and without. */
function canonicalFacts(value: string, key: AddKey): void {
  if (value === '') return;
  key(keyKind.value, value);
  const bar = value.indexOf('|');
  if (bar > 0) key(keyKind.value, value.slice(0, bar));
}

/** Deepest address that is told from the ones above it. */
const deepestAddress = 16;

/** `http://a.fr` and `http://a.fr/b` for `http://a.fr/b/c`; nothing for an urn, which has no levels. */
export function addressesAbove(uri: string): string[] {
  const scheme = uri.indexOf('://');
  if (scheme < 0) return [];
  const bar = uri.indexOf('|');
  const path = bar < 0 ? uri : uri.slice(0, bar);
  const above: string[] = [];
  for (
    let at = path.indexOf('/', scheme + 3);
    at > 0 && above.length < deepestAddress;
    at = path.indexOf('/', at + 1)
  ) {
    above.push(path.slice(0, at));
  }
  return above;
}
