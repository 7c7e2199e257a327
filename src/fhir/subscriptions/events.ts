/** The table `subscription_event`: what happened, recorded by writers, numbered under the lock of the feed. */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../db/index.ts';
import type { Change } from '../contract.ts';

export interface SubscriptionEvent {
  /** 1, 2, 3, … within its subscription. */
  number: number;
  at: Date;
  interaction: Change['interaction'];
  type: ResourceType;
  resource: string;
  version: number;
}

/** Events numbered by one statement. */
const numberedAtOnce = 500;

/** Records matches in the writer's transaction: one statement, no lock shared with other writers. */
export async function insertEvents(
  sql: Sql,
  tenant: string,
  at: Date,
  matches: readonly { subscription: string; change: Change }[],
): Promise<void> {
  await sql.query({
    name: 'subscription-event-insert',
    text: `INSERT INTO subscription_event (tenant, subscription, at, interaction, type, resource, version)
           SELECT $1, subscription, $2, interaction, type, resource, version
           FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::integer[])
                AS event (subscription, interaction, type, resource, version)`,
    values: [
      tenant,
      at,
      matches.map(({ subscription }) => subscription),
      matches.map(({ change }) => change.interaction),
      matches.map(({ change }) => change.type),
      matches.map(({ change }) => change.id),
      matches.map(({ change }) => change.version),
    ],
  });
}

/** Whether the owner of a subscription sees a resource; undefined where they see everything. */
export type Sees = ((type: ResourceType, id: string) => Promise<boolean>) | undefined;

/**
 * Gives numbers to what is committed and has none, in a transaction of its own: the lock first, then a statement that sees what
 * the previous holder of the lock numbered. Changes of one resource keep their order, since the later writer waited for the earlier.
 * What the owner does not see gets none and is forgotten: a gap, or a count, would tell of it.
 * @returns the number of the last event.
 */
export async function numberEvents(sql: Sql, tenant: string, subscription: string, sees?: Sees): Promise<number> {
  const { rows } = await sql.query<{ last: string }>({
    name: 'subscription-event-lock',
    text: 'SELECT last_event AS last FROM subscription_feed WHERE tenant = $1 AND id = $2 FOR UPDATE',
    values: [tenant, subscription],
  });
  let last = Number(rows[0]?.last ?? 0);
  if (rows.length === 0) return last;
  for (;;) {
    const { rows: found } = await sql.query<{ position: string; type: ResourceType; resource: string }>({
      name: 'subscription-event-new',
      text: `SELECT position, type, resource FROM subscription_event
             WHERE tenant = $1 AND subscription = $2 AND number IS NULL
             ORDER BY position LIMIT $3`,
      values: [tenant, subscription, numberedAtOnce],
    });
    if (found.length === 0) return last;
    const fresh = sees ? await seenOf(sql, tenant, found, sees) : found;
    // By its place in the array and without a join: joined with what the planner takes for an empty table, 800 rows took a second.
    await sql.query({
      name: 'subscription-event-number',
      text: `UPDATE subscription_event SET number = $3::bigint + array_position($4::bigint[], position)
             WHERE tenant = $1 AND subscription = $2 AND position = ANY ($4::bigint[])`,
      values: [tenant, subscription, last, fresh.map(({ position }) => position)],
    });
    last += fresh.length;
    await sql.query({
      name: 'subscription-event-count',
      text: 'UPDATE subscription_feed SET last_event = $3 WHERE tenant = $1 AND id = $2',
      values: [tenant, subscription, last],
    });
    if (found.length < numberedAtOnce) return last;
  }
}

/**
 * Numbers what is new, and looks first whether anything is: a subscription that catches up has nothing new most of the time.
 */
export async function numberNewEvents(
  database: Database,
  tenant: string,
  subscription: string,
  ownersSight: () => Promise<Sees>,
): Promise<void> {
  const { rows } = await database.query<{ any: boolean }>(tenant, {
    name: 'subscription-event-any',
    text: `SELECT EXISTS (SELECT FROM subscription_event WHERE tenant = $1 AND subscription = $2 AND number IS NULL) AS any`,
    values: [tenant, subscription],
  });
  if (!rows[0]?.any) return;
  const sees = await ownersSight();
  await database.transaction(tenant, (sql) => numberEvents(sql, tenant, subscription, sees));
}

async function seenOf<Event extends { position: string; type: ResourceType; resource: string }>(
  sql: Sql,
  tenant: string,
  events: readonly Event[],
  sees: NonNullable<Sees>,
): Promise<Event[]> {
  const seen: Event[] = [];
  const unseen: string[] = [];
  for (const event of events) {
    if (await sees(event.type, event.resource)) seen.push(event);
    else unseen.push(event.position);
  }
  if (unseen.length > 0) {
    await sql.query('DELETE FROM subscription_event WHERE tenant = $1 AND position = ANY ($2::bigint[])', [
      tenant,
      unseen,
    ]);
  }
  return seen;
}

/** Numbered events from `since` to `until`, both included, in order. */
export async function readEvents(
  sql: Sql,
  tenant: string,
  subscription: string,
  range: { since: number; until: number; limit: number },
): Promise<SubscriptionEvent[]> {
  const { rows } = await sql.query<SubscriptionEvent & Record<string, unknown>>({
    name: 'subscription-events',
    text: `SELECT number::float8 AS number, at, interaction, type, resource, version
           FROM subscription_event
           WHERE tenant = $1 AND subscription = $2 AND number BETWEEN $3 AND $4
           ORDER BY number LIMIT $5`,
    values: [tenant, subscription, range.since, range.until, range.limit],
  });
  return rows;
}

/** Forgets what happened before `before`. */
export async function forgetEvents(sql: Sql, tenant: string, before: Date): Promise<void> {
  await sql.query('DELETE FROM subscription_event WHERE tenant = $1 AND at < $2', [tenant, before]);
}
