/** No assertion is accepted twice (RFC 7523 §3 item 7), by whatever node it comes: the database remembers it until it expires. */
import { hash } from 'node:crypto';
import type { Database } from '../../db/index.ts';
import type { Assertion } from './assertion.ts';
import { invalidClient } from './oauth-error.ts';

/** Rows that expired are removed this many at a time, so that no sign-in pays for a long silence. */
const removedAtOnce = 100;

/** @throws OAuthError invalid_client when this `jti` of the client was used before. */
export async function spendAssertion(
  database: Database,
  tenant: string,
  assertion: Assertion,
  now: Date,
): Promise<void> {
  const { clientId, jti, expiresAt } = assertion;
  const isFirst = await database.transaction(tenant, async (sql) => {
    await sql.query(
      `DELETE FROM oauth_assertion WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM oauth_assertion WHERE tenant = $1 AND expires_at < $2 LIMIT ${removedAtOnce} FOR UPDATE SKIP LOCKED))`,
      [tenant, now],
    );
    const { rowCount } = await sql.query(
      `INSERT INTO oauth_assertion (tenant, client_id, jti_hash, expires_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [tenant, clientId, hash('sha256', jti, 'buffer'), expiresAt],
    );
    return rowCount === 1;
  });
  if (!isFirst) throw invalidClient('the assertion was used before');
}
