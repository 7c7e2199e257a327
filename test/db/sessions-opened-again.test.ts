/** Sessions that a node keeps open (its presence, its ear): whatever breaks while one is opened again, there is one of each at the end. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/db/index.ts';
import { platformTenant } from '../../src/db/index.ts';
import { openPresence } from '../../src/delivery/presence.ts';
import { openNodeSession } from '../../src/fhir/subscriptions/node-session.ts';
import { testDatabase } from '../support/database.ts';
import { type DatabaseLine, openDatabaseLine } from '../support/database-line.ts';

let database: Database;
let line: DatabaseLine;
beforeAll(async () => {
  database = await testDatabase();
  line = await openDatabaseLine(database.adminUrl);
});
afterAll(async () => {
  await line.close();
  await database.close();
});

async function sessions(name: string): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    platformTenant,
    `SELECT count(*)::integer AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1`,
    [name],
  );
  return rows[0]!.count;
}

/** Breaks the connection, and the next `times` that get as far as saying `words`. */
function breakAt(words: string, times: number): () => number {
  let broken = 0;
  line.onSent = (piece, connection) => {
    if (broken >= times || !piece.includes(words)) return;
    broken += 1;
    connection.cut();
  };
  line.cut();
  return () => broken;
}

it('a presence that is lost again and again while it comes back is one session in the end, with the key that is used', async () => {
  let tries = 0;
  const presence = await openPresence(line.url, (retry) => {
    const again = () => {
      tries += 1;
      retry().catch(() => setTimeout(again, 20));
    };
    again();
  });
  const broken = breakAt('pg_advisory_lock', 4);
  await expect.poll(broken, { timeout: 5_000 }).toBe(4);
  await expect.poll(() => presence.key(), { timeout: 5_000 }).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(tries).toBe(5);
  await expect.poll(() => sessions('passerelle-delivery')).toBe(1);
  await presence.close();
  await expect.poll(() => sessions('passerelle-delivery')).toBe(0);
});

it('a session that listens is one in the end: no lock stays with one that nobody asks any more', async () => {
  const session = await openNodeSession(line.url, () => undefined);
  const broken = breakAt('LISTEN', 2);
  await expect.poll(broken, { timeout: 10_000 }).toBe(2);
  await expect.poll(() => session.tryLock('a subscription'), { timeout: 10_000 }).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(await sessions('passerelle-subscriptions')).toBe(1);
  // The lock is the session's own: it can be asked for again.
  expect(await session.tryLock('a subscription')).toBe(true);
  await session.close();
  await expect.poll(() => sessions('passerelle-subscriptions')).toBe(0);
}, 30_000);
