/**
 * A seal of the audit trail: what it covers, row by row, under one hash that names the seal before it, signed (docs/decisions/0015). Whoever
 * changes, adds or removes one row must make every later seal anew, and has not the key to sign them.
 */
import { hash } from 'node:crypto';

/** SHA-256 in base64url: 43 characters, none of them a blank or `=`. */
export type Digest = string;

export interface SealedEvent {
  /** Id of the AuditEvent. */
  id: string;
  /** Of its content as served. */
  digest: Digest;
}

/** One row of the journal (one commit), and the AuditEvents it stands for. */
export interface SealedRow {
  id: string;
  digest: Digest;
  events: readonly SealedEvent[];
}

export interface SealContent {
  tenant: string;
  /** From 1, without gaps. */
  number: number;
  /** Digest of the seal before; `firstLink` for the first. */
  previous: Digest;
  /** ISO 8601, milliseconds, UTC; of the platform's clock. */
  sealedAt: string;
  /** Which key signed (`keyId`). */
  key: string;
  /** `manifestOf` the rows. */
  manifest: string;
}

export interface Seal extends SealContent {
  digest: Digest;
  /** Ed25519 over the digest's 32 bytes, base64url. */
  signature: string;
}

/** What the first seal of a tenant names as the one before it. */
export const firstLink: Digest = '-';

export function digestOf(text: string): Digest {
  return hash('sha256', text, 'base64url');
}

/** @param entries the journal's text, as stored. */
export function rowDigest(id: string, entries: string): Digest {
  return digestOf(`${id}\n${entries}`);
}

/** What the signature covers. A line per part: a reader with a shell can make it again. */
export function sealDigest({ tenant, number, previous, sealedAt, key, manifest }: SealContent): Digest {
  return digestOf(['passerelle-seal-1', tenant, number, previous, sealedAt, key, manifest].join('\n'));
}

/** A line per row: its id, its digest, then `id=digest` of each event. */
export function manifestOf(rows: readonly SealedRow[]): string {
  return rows
    .map(({ id, digest, events }) => [id, digest, ...events.map((event) => `${event.id}=${event.digest}`)].join(' '))
    .join('\n');
}

export function rowsIn(manifest: string): SealedRow[] {
  return manifest.split('\n').map((line) => {
    const [id = '', digest = '', ...events] = line.split(' ');
    return { id, digest, events: events.map(eventIn) };
  });
}

function eventIn(item: string): SealedEvent {
  const at = item.indexOf('=');
  return { id: item.slice(0, at), digest: item.slice(at + 1) };
}
