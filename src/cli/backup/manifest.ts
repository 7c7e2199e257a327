/** What an archive says it holds, signed with the key that signs the audit trail: it is not in the database, nor needed to read. */
import { createPublicKey, hash, verify } from 'node:crypto';
import type { AuditKeys } from '../../access/index.ts';
import { CommandError } from '../command-error.ts';
import type { Partition } from './catalogue.ts';

export interface EntryFoot {
  /** Bytes of the entry's data as they are in the archive. */
  bytes: number;
  /** Of the same, hexadecimal. */
  sha256: string;
  /** Rows of a table. */
  rows?: number;
}

export interface ManifestEntry extends EntryFoot {
  kind: 'table' | 'blobs' | 'blob' | 'file';
  name: string;
}

export interface Manifest {
  format: 1;
  id: string;
  /** Instant of the snapshot: what was committed before is in the archive, what came later is not. */
  snapshotAt: string;
  finishedAt: string;
  passerelle: string;
  postgresql: string;
  tenants: string[];
  migrations: { name: string; sha256: string }[];
  partitions: Partition[];
  sequences: { name: string; last: string }[];
  /** Columns by table, in the order of the data. */
  columns: Record<string, string[]>;
  /** Images: how many, and whether they are in this file or beside it. */
  blobs: { count: number; bytes: number; place: 'inside' | 'beside' };
  entries: ManifestEntry[];
}

export interface SignedManifest {
  manifest: string;
  key: string;
  /** SPKI PEM of the key: who does not know it yet can compare its id. */
  publicKey: string;
  signature: string;
}

export async function signManifest(manifest: Manifest, keys: AuditKeys): Promise<SignedManifest> {
  const text = JSON.stringify(manifest);
  const signer = await keys.current();
  const publicKey = (await keys.trusted()).get(signer.id)?.export({ type: 'spki', format: 'pem' }).toString() ?? '';
  return { manifest: text, key: signer.id, publicKey, signature: signer.sign(digestOf(text)) };
}

export interface VerifiedManifest {
  manifest: Manifest;
  key: string;
  /** The key is known on this machine; if not, the archive itself vouches for it, which the master keys seal. */
  isKnownKey: boolean;
}

/** @throws Error when the signature does not hold. */
export async function verifyManifest(signed: SignedManifest, keys: AuditKeys): Promise<VerifiedManifest> {
  const known = (await keys.trusted()).get(signed.key);
  const key = known ?? createPublicKey(signed.publicKey);
  const isSigned = verify(
    null,
    Buffer.from(digestOf(signed.manifest), 'base64url'),
    key,
    Buffer.from(signed.signature, 'base64url'),
  );
  if (!isSigned)
    throw new CommandError(
      'La signature de la sauvegarde ne tient pas : elle a été modifiée, ou la clé n’est pas la bonne.',
    );
  return { manifest: JSON.parse(signed.manifest) as Manifest, key: signed.key, isKnownKey: known !== undefined };
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url');
}
