/** The certificate of a month that was destroyed: what it held, by which rule, and which seals still vouch for it (design §5 rule 7). */
import type { KeyObject } from 'node:crypto';
import type { Database } from '../../../db/index.ts';
import { isSignedBy } from '../chain/keys.ts';
import type { Fault } from '../chain/prove.ts';
import { digestOf } from '../chain/seal.ts';

export interface PurgeCertificate {
  tenant: string;
  /** `2026-11`, UTC. */
  month: string;
  rows: number;
  events: number;
  /** Seals whose rows were in that month, and the digest of the last of them. */
  firstSeal: number;
  lastSeal: number;
  digest: string;
  /** `YYYY-MM-DD`; null for the platform's own trail. */
  contractEnd: string | null;
  /** Who gave the command. */
  by: string;
  at: string;
}

interface Row {
  month: string;
  certificate: string;
  digest: string;
  key: string;
  signature: string;
}

/** Months of a tenant that may be missing, each proven by its certificate. */
export async function purgedMonths(
  database: Database,
  tenant: string,
  trusted: ReadonlyMap<string, KeyObject>,
): Promise<{ months: ReadonlySet<string> } | { fault: Fault }> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT to_char(month, 'YYYY-MM') AS month, certificate, digest, key, signature FROM audit_purge WHERE tenant = $1`,
    [tenant],
  );
  for (const row of rows) {
    if (!isGenuine(tenant, row, trusted))
      return { fault: { kind: 'certificate-wrong', detail: `the certificate of ${row.month} is not ours` } };
  }
  return { months: new Set(rows.map(({ month }) => month)) };
}

function isGenuine(tenant: string, row: Row, trusted: ReadonlyMap<string, KeyObject>): boolean {
  const key = trusted.get(row.key);
  if (!key || digestOf(row.certificate) !== row.digest || !isSignedBy(key, row.digest, row.signature)) return false;
  const said = JSON.parse(row.certificate) as PurgeCertificate;
  return said.tenant === tenant && said.month === row.month;
}
