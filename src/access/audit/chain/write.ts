/** Seals what the journal was just made into: one row per batch, in the transaction that made it (docs/decisions/0015). */
import type { Sql } from '../../../db/index.ts';
import type { ProjectedRow } from '../../../fhir/index.ts';
import { postedIn } from '../record.ts';
import type { AuditKeys } from './keys.ts';
import {
  type Digest,
  digestOf,
  firstLink,
  manifestOf,
  rowDigest,
  type SealContent,
  type SealedRow,
  sealDigest,
} from './seal.ts';

/**
 * Adds the next seal of a tenant. The caller holds the tenant's lock of the projection: chains do not fork; the primary key
 * would refuse a second seal of the same number.
 */
export async function writeSeal(
  sql: Sql,
  tenant: string,
  rows: readonly ProjectedRow[],
  parts: { keys: AuditKeys; now(): Date },
): Promise<void> {
  const { rows: heads } = await sql.query<{ number: string; digest: Digest }>({
    name: 'audit_seal_head',
    text: 'SELECT number, digest FROM audit_seal WHERE tenant = $1 ORDER BY number DESC LIMIT 1',
    values: [tenant],
  });
  const [head] = heads;
  const signer = await parts.keys.current();
  const content: SealContent = {
    tenant,
    number: Number(head?.number ?? 0) + 1,
    previous: head?.digest ?? firstLink,
    sealedAt: parts.now().toISOString(),
    key: signer.id,
    manifest: manifestOf(await sealedRows(sql, tenant, rows)),
  };
  const digest = sealDigest(content);
  await sql.query({
    name: 'audit_seal_add',
    text: `INSERT INTO audit_seal (tenant, number, previous, sealed_at, key, manifest, digest, signature)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      tenant,
      content.number,
      content.previous,
      content.sealedAt,
      content.key,
      content.manifest,
      digest,
      signer.sign(digest),
    ],
  });
}

async function sealedRows(sql: Sql, tenant: string, rows: readonly ProjectedRow[]): Promise<SealedRow[]> {
  const posted = rows.map(({ entries }) => postedIn(entries));
  // Events that clients created before their content was noted: what is stored now is what there is to prove from now on.
  const unknown = posted.flatMap((events) => events.filter(({ digest }) => digest === undefined).map(({ id }) => id));
  const found = await storedDigests(sql, tenant, unknown);
  return rows.map(({ id, entries, resources }, n) => ({
    id,
    digest: rowDigest(id, entries),
    events: [
      ...resources.map((resource) => ({ id: resource.id, digest: digestOf(resource.text) })),
      ...posted[n]!.flatMap((event) => {
        const digest = event.digest ?? found.get(event.id);
        return digest === undefined ? [] : [{ id: event.id, digest }];
      }),
    ],
  }));
}

async function storedDigests(sql: Sql, tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, Digest>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql.query<{ id: string; content: string }>(
    'SELECT id, content FROM fhir.auditevent WHERE tenant = $1 AND id = ANY ($2::text[])',
    [tenant, ids],
  );
  return new Map(rows.map(({ id, content }) => [id, digestOf(content)]));
}
