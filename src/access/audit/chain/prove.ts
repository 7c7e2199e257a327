/** What must hold of a chain of seals, one link and one row at a time; wherever they were read from. Pure. */
import type { KeyObject } from 'node:crypto';
import { isSignedBy } from './keys.ts';
import {
  type Digest,
  digestOf,
  firstLink,
  rowDigest,
  type Seal,
  type SealedEvent,
  type SealedRow,
  sealDigest,
} from './seal.ts';

export type FaultKind =
  | 'seal-missing'
  | 'seal-altered'
  | 'seals-reordered'
  | 'signature-wrong'
  | 'key-unknown'
  | 'row-removed'
  | 'row-altered'
  | 'row-inserted'
  | 'row-removed-unsealed'
  | 'event-removed'
  | 'event-altered'
  | 'event-inserted'
  | 'tail-cut'
  | 'chain-rewritten'
  | 'certificate-wrong';

/** The first link that does not hold. */
export interface Fault {
  kind: FaultKind;
  /** Number of the seal it shows at. */
  seal?: number;
  /** Id of the row of the journal. */
  row?: string;
  /** Id of the AuditEvent. */
  event?: string;
  /** In French, for the operator. */
  detail?: string;
}

/** A seal as far as the next one names it. */
export interface Link {
  number: number;
  digest: Digest;
}

/** What the first seal follows. */
export const beginning: Link = { number: 0, digest: firstLink };

export function proveLink(before: Link, seal: Seal, trusted: ReadonlyMap<string, KeyObject>): Fault | undefined {
  const { number } = seal;
  const expected = before.number + 1;
  if (number !== expected)
    return { kind: 'seal-missing', seal: expected, detail: `le sceau ${number} suit le ${before.number}` };
  if (sealDigest(seal) !== seal.digest)
    return { kind: 'seal-altered', seal: number, detail: 'son empreinte n’est pas celle de son contenu' };
  if (seal.previous !== before.digest)
    return { kind: 'seal-altered', seal: number, detail: `il ne suit pas le sceau ${before.number}` };
  const key = trusted.get(seal.key);
  if (!key) return { kind: 'key-unknown', seal: number, detail: `clé ${seal.key}` };
  if (!isSignedBy(key, seal.digest, seal.signature)) return { kind: 'signature-wrong', seal: number };
  return undefined;
}

/** @param entries text of the journal, undefined when the row is gone. */
export function proveRow(seal: number, row: SealedRow, entries: string | undefined): Fault | undefined {
  if (entries === undefined) return { kind: 'row-removed', seal, row: row.id };
  if (rowDigest(row.id, entries) !== row.digest) return { kind: 'row-altered', seal, row: row.id };
  return undefined;
}

/** @param content as served, undefined when the event is gone. */
export function proveEvent(
  seal: number,
  row: string,
  event: SealedEvent,
  content: string | undefined,
): Fault | undefined {
  if (content === undefined) return { kind: 'event-removed', seal, row, event: event.id };
  if (digestOf(content) !== event.digest) return { kind: 'event-altered', seal, row, event: event.id };
  return undefined;
}
