/**
 * Says which worker is alive: each holds a PostgreSQL session with an advisory lock named by its key. When its process or its
 * machine dies the session ends, the lock falls, and what it was sending is taken over at once, without a lease to wait for.
 */
import { randomInt } from 'node:crypto';
import type pg from 'pg';
import { lastingSession, noticeOurLoss } from '../db/index.ts';

/** First half of the advisory lock's name, so that worker keys meet no other lock of the application. */
export const presenceLockClass = 7_253_020;

export interface Presence {
  /** Key of this worker now; undefined while it has no session, when it must not start to send. */
  key(): number | undefined;
  close(): Promise<void>;
}

/**
 * Opens the session and keeps it: a lost one is replaced by a new session with a new key, so that results of the old one are
 * fenced out.
 * @param reconnect called after a loss with the function that tries again; it decides when.
 */
export async function openPresence(url: string, reconnect: (retry: () => Promise<void>) => void): Promise<Presence> {
  let current: { client: pg.Client; key: number } | undefined;
  let closed = false;

  async function connect(): Promise<void> {
    if (closed) return;
    const client = lastingSession(url, 'passerelle-delivery');
    const key = randomInt(1, 2 ** 31 - 1);
    let lost = false;
    const onLoss = () => {
      if (lost) return;
      lost = true;
      // One that is lost before it is open is told by `connect` itself: told twice, each attempt would become two, and every session that
      // comes of them but the last stay open with a key nobody uses.
      if (current?.client !== client) return;
      current = undefined;
      if (!closed) reconnect(connect);
    };
    client.on('error', onLoss);
    client.on('end', onLoss);
    try {
      await client.connect();
      await client.query(noticeOurLoss);
      await client.query('SELECT pg_advisory_lock($1, $2)', [presenceLockClass, key]);
      if (lost) throw new Error('the session was lost while it was opened');
    } catch (error) {
      lost = true;
      await client.end().catch(() => undefined);
      throw error;
    }
    if (closed) await client.end();
    else current = { client, key };
  }

  await connect();
  return {
    key: () => current?.key,
    async close() {
      closed = true;
      await current?.client.end();
      current = undefined;
    },
  };
}
