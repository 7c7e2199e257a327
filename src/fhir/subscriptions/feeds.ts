/** The table `subscription_feed`: every statement on it, and nothing else. */
import type { Sql } from '../../db/index.ts';
import type { Channel } from './wanted.ts';

export type Status = 'requested' | 'active' | 'error' | 'off';

export interface Feed {
  id: string;
  owner: string;
  status: Status;
  channel: Channel;
  heartbeatSeconds: number | null;
  endsAt: Date | null;
  lastEvent: number;
  delivered: number;
  attempts: number;
  failingSince: Date | null;
  lastError: string | null;
  nextAt: Date;
  heartbeatAt: Date | null;
}

/** A feed with what a worker must know to decide. */
export interface FeedState extends Feed {
  /** Events nobody has taken yet. */
  isBehind: boolean;
  /** Milliseconds since what is recorded for it last changed, on the database's clock. */
  unchangedMs: number;
}

const columns = `id, owner, status, channel, heartbeat_seconds AS "heartbeatSeconds", ends_at AS "endsAt",
  last_event::float8 AS "lastEvent", delivered::float8 AS delivered, attempts, failing_since AS "failingSince",
  last_error AS "lastError", next_at AS "nextAt", heartbeat_at AS "heartbeatAt"`;

export async function readFeed(sql: Sql, tenant: string, id: string): Promise<Feed | undefined> {
  const { rows } = await sql.query<Feed & Record<string, unknown>>({
    name: 'subscription-feed',
    text: `SELECT ${columns} FROM subscription_feed WHERE tenant = $1 AND id = $2`,
    values: [tenant, id],
  });
  return rows[0];
}

/** Feeds that may need something done, and those nobody works on but that end one day. */
export async function feedStates(sql: Sql, tenant: string): Promise<FeedState[]> {
  const { rows } = await sql.query<FeedState & Record<string, unknown>>({
    name: 'subscription-feed-states',
    text: `SELECT ${columns}, last_event > delivered OR EXISTS (
                    SELECT FROM subscription_event AS event
                    WHERE event.tenant = feed.tenant AND event.subscription = feed.id AND event.number IS NULL
                  ) AS "isBehind",
                  (extract(epoch FROM clock_timestamp() - changed_at) * 1000)::float8 AS "unchangedMs"
           FROM subscription_feed AS feed
           WHERE tenant = $1 AND (status IN ('requested', 'active') OR status = 'error' AND ends_at IS NOT NULL)`,
    values: [tenant],
  });
  return rows;
}

/** How many feeds a tenant has, and how many of one owner. */
export async function countFeeds(sql: Sql, tenant: string, owner: string): Promise<{ all: number; owned: number }> {
  const { rows } = await sql.query<{ all: number; owned: number }>(
    `SELECT count(*)::integer AS all, (count(*) FILTER (WHERE owner = $2))::integer AS owned
     FROM subscription_feed WHERE tenant = $1`,
    [tenant, owner],
  );
  return rows[0]!;
}

export type Settings = Pick<Feed, 'id' | 'status' | 'channel' | 'endsAt'> & { heartbeatSeconds: number | null };

/** A new Subscription, or one made again after its deletion: numbers begin at 1. */
export async function insertFeed(
  sql: Sql,
  tenant: string,
  owner: string,
  settings: Settings,
  now: Date,
): Promise<void> {
  const { id, status, channel, heartbeatSeconds, endsAt } = settings;
  await deleteFeed(sql, tenant, id, { keepSecrets: true });
  await sql.query(
    `INSERT INTO subscription_feed (tenant, id, owner, status, channel, heartbeat_seconds, ends_at, next_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [tenant, id, owner, status, channel, heartbeatSeconds, endsAt, now],
  );
  await bumpGeneration(sql, tenant);
}

/**
 * A Subscription that was changed. `restart`: it was asked for anew, so failures are forgotten and it is looked at now.
 */
export async function updateFeed(
  sql: Sql,
  tenant: string,
  settings: Settings,
  options: { restart: boolean; now: Date },
): Promise<void> {
  const { id, status, channel, heartbeatSeconds, endsAt } = settings;
  await sql.query(
    `UPDATE subscription_feed
     SET status = $3, channel = $4, heartbeat_seconds = $5, ends_at = $6, changed_at = clock_timestamp(),
         attempts = CASE WHEN $7 THEN 0 ELSE attempts END,
         failing_since = CASE WHEN $7 THEN NULL ELSE failing_since END,
         last_error = CASE WHEN $7 THEN NULL ELSE last_error END,
         next_at = CASE WHEN $7 THEN $8::timestamptz ELSE next_at END,
         heartbeat_at = CASE WHEN $3 = 'active' AND $5::integer IS NOT NULL
                             THEN coalesce(heartbeat_at, $8::timestamptz + make_interval(secs => $5)) END
     WHERE tenant = $1 AND id = $2`,
    [tenant, id, status, channel, heartbeatSeconds, endsAt, options.restart, options.now],
  );
  await bumpGeneration(sql, tenant);
}

export async function deleteFeed(
  sql: Sql,
  tenant: string,
  id: string,
  options?: { keepSecrets: boolean },
): Promise<void> {
  await sql.query('DELETE FROM subscription_feed WHERE tenant = $1 AND id = $2', [tenant, id]);
  await sql.query('DELETE FROM subscription_event WHERE tenant = $1 AND subscription = $2', [tenant, id]);
  if (options?.keepSecrets) return;
  await sql.query('DELETE FROM subscription_secret WHERE tenant = $1 AND subscription = $2', [tenant, id]);
  await bumpGeneration(sql, tenant);
}

async function bumpGeneration(sql: Sql, tenant: string): Promise<void> {
  await sql.query(
    `INSERT INTO subscription_generation AS known (tenant, generation) VALUES ($1, 1)
     ON CONFLICT (tenant) DO UPDATE SET generation = known.generation + 1`,
    [tenant],
  );
}

/** 0 when the tenant never had a Subscription. */
export async function readGeneration(sql: Sql, tenant: string): Promise<number> {
  const { rows } = await sql.query<{ generation: string }>({
    name: 'subscription-generation',
    text: 'SELECT generation FROM subscription_generation WHERE tenant = $1',
    values: [tenant],
  });
  return Number(rows[0]?.generation ?? 0);
}

/**
 * The other side took everything up to `through`.
 * @returns false when somebody else was faster, or it was made anew meanwhile and counts from the beginning: that count stands.
 */
export async function recordDelivered(
  sql: Sql,
  tenant: string,
  id: string,
  progress: { from: number; through: number; now: Date },
): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: 'subscription-delivered',
    text: `UPDATE subscription_feed
           SET delivered = $4, attempts = 0, failing_since = NULL, last_error = NULL, next_at = $5::timestamptz,
               heartbeat_at = $5::timestamptz + make_interval(secs => heartbeat_seconds)
           WHERE tenant = $1 AND id = $2 AND delivered = $3 AND last_event >= $4`,
    values: [tenant, id, progress.from, progress.through, progress.now],
  });
  return rowCount === 1;
}

/** A connected client has everything up to `through`; others may be further. */
export async function recordSeen(sql: Sql, tenant: string, id: string, through: number): Promise<void> {
  await sql.query({
    name: 'subscription-seen',
    text: 'UPDATE subscription_feed SET delivered = $3 WHERE tenant = $1 AND id = $2 AND delivered < $3 AND last_event >= $3',
    values: [tenant, id, through],
  });
}

export async function recordFailure(
  sql: Sql,
  tenant: string,
  id: string,
  failure: { error: string; nextAt: Date; now: Date },
): Promise<void> {
  await sql.query({
    name: 'subscription-failure',
    text: `UPDATE subscription_feed
           SET attempts = attempts + 1, failing_since = coalesce(failing_since, $5), last_error = $3, next_at = $4
           WHERE tenant = $1 AND id = $2`,
    values: [tenant, id, failure.error, failure.nextAt, failure.now],
  });
}

/** When the next heartbeat is due after one that left at `now`. */
export async function recordHeartbeat(sql: Sql, tenant: string, id: string, now: Date): Promise<void> {
  await sql.query({
    name: 'subscription-heartbeat',
    text: `UPDATE subscription_feed SET heartbeat_at = $3::timestamptz + make_interval(secs => heartbeat_seconds)
           WHERE tenant = $1 AND id = $2`,
    values: [tenant, id, now],
  });
}
