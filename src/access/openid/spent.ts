/** An answer of a provider counts once: the code is spent there, and the attempt here. */
import { createHash } from 'node:crypto';
import { type Database, platformTenant } from '../../db/index.ts';
import { attemptLimitMs } from './attempt.ts';

/** @returns false when it was spent already. */
export async function spendState(database: Database, state: string, now: Date): Promise<boolean> {
  return database.transaction(platformTenant, async (sql) => {
    await sql.query('DELETE FROM spent_openid_state WHERE tenant = $1 AND expires_at < $2', [platformTenant, now]);
    const { rowCount } = await sql.query(
      'INSERT INTO spent_openid_state (tenant, state_hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [
        platformTenant,
        createHash('sha256').update(state).digest(),
        // Twice the time an attempt is good for: no clock makes it good again.
        new Date(now.getTime() + 2 * attemptLimitMs),
      ],
    );
    return rowCount === 1;
  });
}
