/**
 * Brute force costs time: each failed sign-in makes the next one wait longer, per account name and per address, known or not
 * (SE-2, SE-10). The wait is stored, never slept: a sign-in that comes too early is refused at once and tells how long is left.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type Database, platformTenant, type Sql } from '../db/index.ts';

/** Failures that cost nothing yet: people mistype. An address may be a whole hospital behind one proxy. */
const freeFailures = { account: 4, address: 30 } as const;
const firstDelayMs = 1_000;
const longestDelayMs = 15 * 60_000;
/** A day without failure and the past is forgotten. */
const forgetAfterMs = 24 * 3_600_000;

type Kind = keyof typeof freeFailures;

/** How long to wait after the n-th failure in a row, in milliseconds. */
export function delayMs(kind: Kind, failures: number): number {
  const paid = failures - freeFailures[kind];
  return paid <= 0 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(paid - 1, 30));
}

/** Who tries, from where. Without a login (a passkey names nobody before it is verified) the address alone counts. */
export interface Attempt {
  login?: string;
  network: string;
}

/** An attempt that was counted as failed before it was looked at. */
export interface Reservation {
  /** Milliseconds left to wait; 0 when the attempt may go on. */
  waitMs: number;
  /** What is shut from now on, should the attempt fail: the failure that brought the first delay. */
  locks: readonly Kind[];
  /** Ends of the waits that this attempt itself began, by key. */
  readonly began: ReadonlyMap<string, Date>;
}

export interface Throttle {
  /**
   * Counts an attempt as failed before its proof is looked at, so that guesses sent in parallel are all counted.
   */
  reserve(attempt: Attempt, now: Date): Promise<Reservation>;
  /** The sign-in is complete: the account starts afresh, the address gets its count back where the last step was counted. */
  succeeded(attempt: Attempt, reservation: Reservation | undefined, now: Date): Promise<void>;
  /**
   * One proof of several was right: its own count is given back and no more. Otherwise whoever knows the password could wipe out
   * with it the wrong codes that followed.
   */
  passed(attempt: Attempt, reservation: Reservation, now: Date): Promise<void>;
}

export function createThrottle(database: Database): Throttle {
  return {
    reserve: (attempt, now) =>
      database.transaction(platformTenant, async (sql) => {
        const keys = keysOf(attempt);
        // Always in this order, so that two attempts do not wait for each other; the address first, so that one that is blocked
        // already leaves no row for each name it goes on to try.
        for (const { kind, key } of keys) {
          const waitMs = await blockedForMs(sql, kind, key, now);
          if (waitMs > 0) return { waitMs, locks: [], began: new Map() };
        }
        const locks: Kind[] = [];
        const began = new Map<string, Date>();
        for (const { kind, key } of keys) {
          const { failures, until } = await countFailure(sql, kind, key, now);
          began.set(key, until);
          if (failures === freeFailures[kind] + 1) locks.push(kind);
        }
        return { waitMs: 0, locks, began };
      }),
    succeeded: (attempt, reservation, now) =>
      database.transaction(platformTenant, async (sql) => {
        for (const { kind, key } of keysOf(attempt)) {
          if (kind === 'account') await forget(sql, key);
          else if (reservation) await giveBack(sql, key, reservation, now);
        }
        await sql.query('DELETE FROM login_throttle WHERE tenant = $1 AND last_at < $2', [
          platformTenant,
          new Date(now.getTime() - forgetAfterMs),
        ]);
      }),
    passed: (attempt, reservation, now) =>
      database.transaction(platformTenant, async (sql) => {
        for (const { key } of keysOf(attempt)) await giveBack(sql, key, reservation, now);
      }),
  };
}

async function forget(sql: Sql, key: string): Promise<void> {
  await sql.query('DELETE FROM login_throttle WHERE tenant = $1 AND key = $2', [platformTenant, key]);
}

/**
 * The wait this very attempt began goes with its count, else one honest sign-in would shut a busy hospital out; a wait that somebody
 * else's failure began meanwhile stays.
 */
async function giveBack(sql: Sql, key: string, { began }: Reservation, now: Date): Promise<void> {
  await sql.query(
    `UPDATE login_throttle
     SET failures = greatest(0, failures - 1), blocked_until = CASE WHEN blocked_until = $3 THEN $4 ELSE blocked_until END
     WHERE tenant = $1 AND key = $2`,
    [platformTenant, key, began.get(key) ?? now, now],
  );
}

/** Locks the row (making it when new) and reads how long it is still blocked. */
async function blockedForMs(sql: Sql, kind: Kind, key: string, now: Date): Promise<number> {
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

async function countFailure(sql: Sql, kind: Kind, key: string, now: Date): Promise<{ failures: number; until: Date }> {
  const { rows } = await sql.query<{ failures: number }>(
    `UPDATE login_throttle
     SET failures = CASE WHEN last_at < $3 THEN 1 ELSE failures + 1 END, last_at = $4
     WHERE tenant = $1 AND key = $2
     RETURNING failures`,
    [platformTenant, key, new Date(now.getTime() - forgetAfterMs), now],
  );
  const failures = rows[0]?.failures ?? 1;
  const until = new Date(now.getTime() + delayMs(kind, failures));
  await sql.query('UPDATE login_throttle SET blocked_until = $3 WHERE tenant = $1 AND key = $2', [
    platformTenant,
    key,
    until,
  ]);
  return { failures, until };
}

function keysOf({ login, network }: Attempt): readonly { kind: Kind; key: string }[] {
  const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
  const address = { kind: 'address', key: `address:${digest(networkOf(network))}` } as const;
  return login === undefined ? [address] : [address, { kind: 'account', key: `account:${digest(login)}` }];
}

/** What one subscriber holds: an IPv4 address, or the /64 of an IPv6 one, inside which anybody takes 2^64 addresses at will. */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(plain)) return plain;
  // `::` stands for as many zero groups as are missing.
  const [head = '', tail] = plain.toLowerCase().split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
