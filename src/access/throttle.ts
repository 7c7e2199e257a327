/**
 * Brute force costs time: each failed sign-in makes the next one wait longer, per account name and per address, known or not
 * (SE-2, SE-10). The wait is stored, never slept: a sign-in that comes too early is refused at once and tells how long is left.
 */
import { createHash } from 'node:crypto';
import { type Database, platformTenant, type Sql } from '../db/index.ts';

/** Failures that cost nothing yet: people mistype. An address may be a whole hospital behind one proxy. */
const freeFailures = { account: 4, address: 30 } as const;
const firstDelayMs = 1_000;
const longestDelayMs = 15 * 60_000;
/** A day without failure and the past is forgotten. */
export const forgetAfterMs = 24 * 3_600_000;

/** How long to wait after the n-th failure in a row, in milliseconds. */
export function delayMs(kind: keyof typeof freeFailures, failures: number): number {
  const paid = failures - freeFailures[kind];
  return paid <= 0 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(paid - 1, 30));
}

export interface Throttle {
  /**
   * Counts an attempt as failed before its password is looked at, so that guesses sent in parallel are all counted.
   * @returns milliseconds left to wait; 0 when the attempt may go on.
   */
  reserve(login: string, address: string, now: Date): Promise<number>;
  /** The attempt was right: the account starts afresh, the address gets its count back. */
  succeeded(login: string, address: string, now: Date): Promise<void>;
}

export function createThrottle(database: Database): Throttle {
  return {
    reserve: (login, address, now) =>
      database.transaction(platformTenant, async (sql) => {
        const keys = keysOf(login, address);
        // Always in this order, so that two attempts do not wait for each other; the address first, so that one that is blocked
        // already leaves no row for each name it goes on to try.
        for (const { kind, key } of keys) {
          const wait = await blockedForMs(sql, kind, key, now);
          if (wait > 0) return wait;
        }
        for (const { kind, key } of keys) await countFailure(sql, kind, key, now);
        return 0;
      }),
    succeeded: (login, address, now) =>
      database.transaction(platformTenant, async (sql) => {
        const [other, account] = keysOf(login, address);
        await sql.query('DELETE FROM login_throttle WHERE tenant = $1 AND key = $2', [platformTenant, account.key]);
        await sql.query(
          'UPDATE login_throttle SET failures = greatest(0, failures - 1) WHERE tenant = $1 AND key = $2',
          [platformTenant, other.key],
        );
        await sql.query('DELETE FROM login_throttle WHERE tenant = $1 AND last_at < $2', [
          platformTenant,
          new Date(now.getTime() - forgetAfterMs),
        ]);
      }),
  };
}

/** Locks the row (making it when new) and reads how long it is still blocked. */
async function blockedForMs(sql: Sql, kind: 'account' | 'address', key: string, now: Date): Promise<number> {
  const { rows } = await sql.query<{ failures: number; last_at: Date; blocked_until: Date }>(
    `INSERT INTO login_throttle (tenant, key, failures, last_at, blocked_until) VALUES ($1, $2, 0, $3, $3)
     ON CONFLICT (tenant, key) DO UPDATE SET key = excluded.key
     RETURNING failures, last_at, blocked_until`,
    [platformTenant, key, now],
  );
  const row = rows[0];
  if (!row || delayMs(kind, row.failures) === 0) return 0;
  return Math.max(0, row.blocked_until.getTime() - now.getTime());
}

async function countFailure(sql: Sql, kind: 'account' | 'address', key: string, now: Date): Promise<void> {
  const { rows } = await sql.query<{ failures: number }>(
    `UPDATE login_throttle
     SET failures = CASE WHEN last_at < $3 THEN 1 ELSE failures + 1 END, last_at = $4
     WHERE tenant = $1 AND key = $2
     RETURNING failures`,
    [platformTenant, key, new Date(now.getTime() - forgetAfterMs), now],
  );
  const failures = rows[0]?.failures ?? 1;
  await sql.query('UPDATE login_throttle SET blocked_until = $3 WHERE tenant = $1 AND key = $2', [
    platformTenant,
    key,
    new Date(now.getTime() + delayMs(kind, failures)),
  ]);
}

function keysOf(login: string, address: string) {
  const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
  return [
    { kind: 'address', key: `address:${digest(address)}` },
    { kind: 'account', key: `account:${digest(login)}` },
  ] as const;
}
