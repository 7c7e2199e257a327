/** SQL by which the chain is read: seals in order, and what they cover. */
import type { Database } from '../../../db/index.ts';
import type { Seal } from './seal.ts';

const sealsAtOnce = 20;
const idsAtOnce = 1_000;

interface SealRow {
  number: string;
  previous: string;
  sealed_at: Date;
  key: string;
  manifest: string;
  digest: string;
  signature: string;
}

/** Seals after a number, in order, a page at a time. */
export async function* sealsAfter(database: Database, tenant: string, after: number): AsyncGenerator<Seal> {
  for (let last = after; ; ) {
    const { rows } = await database.query<SealRow>(tenant, {
      name: 'audit_seal_page',
      text: `SELECT number, previous, sealed_at, key, manifest, digest, signature FROM audit_seal
        WHERE tenant = $1 AND number > $2 ORDER BY number LIMIT ${sealsAtOnce}`,
      values: [tenant, last],
    });
    for (const { number, sealed_at, ...row } of rows)
      yield { tenant, number: Number(number), sealedAt: sealed_at.toISOString(), ...row };
    if (rows.length < sealsAtOnce) return;
    last = Number(rows.at(-1)!.number);
  }
}

/** Entries of rows of the journal, by id; those that are not there are left out. */
export function readEntries(database: Database, tenant: string, ids: readonly string[]) {
  return textsById(database, tenant, 'SELECT id, entries AS text FROM fhir.journal', ids);
}

/** Contents of AuditEvents as served, by id. One marked as deleted is as good as gone: nobody finds it. */
export function readContents(database: Database, tenant: string, ids: readonly string[]) {
  return textsById(
    database,
    tenant,
    "SELECT id, CASE WHEN deleted THEN '' ELSE content END AS text FROM fhir.auditevent",
    ids,
  );
}

async function textsById(
  database: Database,
  tenant: string,
  select: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const { rows } = await database.query<{ id: string; text: string }>(
      tenant,
      `${select} WHERE tenant = $1 AND id = ANY ($2::text[])`,
      [tenant, ids.slice(at, at + idsAtOnce)],
    );
    for (const { id, text } of rows) texts.set(id, text);
  }
  return texts;
}
