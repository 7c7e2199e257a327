/** Proves the chain of a tenant's audit trail against what the database holds, from its beginning or from a moment on (SE-6). */
import type { KeyObject } from 'node:crypto';
import type { Database } from '../../../db/index.ts';
import { monthOfId } from '../months.ts';
import { purgedMonths } from '../retention/certificate.ts';
import type { Anchor } from './anchors.ts';
import { beginning, type Fault, type Link, proveEvent, proveLink, proveRow } from './prove.ts';
import { readContents, readEntries, sealsAfter } from './read.ts';
import { type Digest, rowsIn, type Seal, type SealedRow } from './seal.ts';
import { findStranger } from './strangers.ts';

export interface Verification {
  tenant: string;
  /** Seals proven, and what they cover. */
  seals: number;
  rows: number;
  events: number;
  /** Rows of months that were destroyed with a certificate: only their seals are left. */
  purged: number;
  /** Last seal proven. */
  head: Link;
  /** The first link that does not hold; undefined when all do. */
  fault?: Fault;
}

export interface VerifyOptions {
  database: Database;
  tenant: string;
  /** Public keys that are believed, by id; they must not come from the database. */
  trusted: ReadonlyMap<string, KeyObject>;
  /** Heads told outside the database before. */
  anchors: readonly Anchor[];
  /** Proves what was sealed from then on, taking what was before for granted. */
  since?: Date;
  /** Goes on after this seal, proven before; with it, only links are looked at, as far as `seals`. */
  after?: Link;
  /** Ends after so many seals. */
  seals?: number;
}

export async function verifyChain(options: VerifyOptions): Promise<Verification> {
  const { database, tenant, trusted, since } = options;
  const from = options.after ?? (since ? await linkBefore(database, tenant, since) : beginning);
  const proof: Verification = { tenant, seals: 0, rows: 0, events: 0, purged: 0, head: from };
  const purged = await purgedMonths(database, tenant, trusted);
  if ('fault' in purged) return { ...proof, fault: purged.fault };
  // Told twice in two ways, one of them was another chain: neither outweighs the other.
  const anchored = Map.groupBy(options.anchors, ({ number }) => number);
  for await (const seal of sealsAfter(database, tenant, from.number)) {
    const fault =
      (await linkFault(options, proof.head, seal)) ??
      anchorFault(anchored, seal) ??
      (await contentFault(database, seal, purged.months, proof));
    if (fault) return { ...proof, fault };
    proof.head = { number: seal.number, digest: seal.digest };
    proof.seals++;
    if (proof.seals === options.seals) return proof;
  }
  const fault =
    tailFault(options.anchors, proof.head) ?? (options.after ? undefined : await findStranger(database, tenant, since));
  return fault ? { ...proof, fault } : proof;
}

/** A seal that stands elsewhere than where it belongs is told as such: nothing of it was changed. */
async function linkFault(
  { database, tenant, trusted }: VerifyOptions,
  before: Link,
  seal: Seal,
): Promise<Fault | undefined> {
  const fault = proveLink(before, seal, trusted);
  if (!fault || fault.kind === 'key-unknown' || fault.kind === 'signature-wrong') return fault;
  const expected = before.number + 1;
  const { rows } = await database.query<{ number: string }>(
    tenant,
    'SELECT number FROM audit_seal WHERE tenant = $1 AND previous = $2 AND number <> $3 LIMIT 1',
    [tenant, before.digest, expected],
  );
  const [other] = rows;
  if (!other) return fault;
  return {
    kind: 'seals-reordered',
    seal: expected,
    detail: `ce qui suit le sceau ${before.number} porte le numéro ${other.number}`,
  };
}

function anchorFault(anchored: ReadonlyMap<number, readonly Anchor[]>, { number, digest }: Seal): Fault | undefined {
  if (anchored.get(number)?.every((anchor) => anchor.digest === digest) ?? true) return undefined;
  return { kind: 'chain-rewritten', seal: number, detail: 'ce n’est pas le sceau ancré' };
}

function tailFault(anchors: readonly Anchor[], head: Link): Fault | undefined {
  const beyond = anchors.findLast(({ number }) => number > head.number);
  if (!beyond) return undefined;
  return {
    kind: 'tail-cut',
    seal: head.number + 1,
    detail: `le sceau ${beyond.number} a été ancré à ${beyond.sealedAt}`,
  };
}

async function contentFault(
  database: Database,
  { tenant, number, manifest }: Seal,
  purged: ReadonlySet<string>,
  proof: Verification,
): Promise<Fault | undefined> {
  const rows = rowsIn(manifest);
  const entries = await readEntries(
    database,
    tenant,
    rows.map(({ id }) => id),
  );
  const isPurged = ({ id }: SealedRow) => !entries.has(id) && purged.has(monthOfId(id) ?? '');
  const left = rows.filter((row) => !isPurged(row));
  const contents = await readContents(
    database,
    tenant,
    left.flatMap(({ events }) => events.map(({ id }) => id)),
  );
  for (const row of left) {
    const fault = proveRow(number, row, entries.get(row.id));
    if (fault) return fault;
    for (const event of row.events) {
      // A commit at midnight may have entries of two months.
      if (!contents.has(event.id) && purged.has(monthOfId(event.id) ?? '')) continue;
      const wrong = proveEvent(number, row.id, event, contents.get(event.id) || undefined);
      if (wrong) return wrong;
    }
    proof.events += row.events.length;
  }
  proof.rows += left.length;
  proof.purged += rows.length - left.length;
  return undefined;
}

async function linkBefore(database: Database, tenant: string, since: Date): Promise<Link> {
  const { rows } = await database.query<{ number: string; digest: Digest }>(
    tenant,
    'SELECT number, digest FROM audit_seal WHERE tenant = $1 AND sealed_at < $2 ORDER BY number DESC LIMIT 1',
    [tenant, since],
  );
  const [row] = rows;
  return row ? { number: Number(row.number), digest: row.digest } : beginning;
}
