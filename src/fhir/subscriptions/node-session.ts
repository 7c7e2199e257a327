/**
 * One database session per node: it hears that something is to be done (NOTIFY only wakes; what counts are rows), and holds the advisory
 * locks of the subscriptions this node is serving. When the process or the machine dies the session ends, the locks fall, and
 * another node goes on at once, without a lease to wait for.
 */
import type pg from 'pg';
import { lastingSession, noticeOurLoss } from '../../db/index.ts';
import type { Log } from './contract.ts';

export const wakeChannel = 'passerelle_subscription';

const reconnectEveryMs = 2_000;

export interface NodeSession {
  /** False when another node has it, or while there is no session. */
  tryLock(name: string): Promise<boolean>;
  unlock(name: string): Promise<void>;
  close(): Promise<void>;
}

/** @param onWake told the tenant in which something is to be done. */
export async function openNodeSession(url: string, onWake: (tenant: string) => void, log?: Log): Promise<NodeSession> {
  let current: pg.Client | undefined;
  let closed = false;
  /** One statement at a time on the one connection. */
  let turn: Promise<unknown> = Promise.resolve();

  function query<Row extends pg.QueryResultRow>(text: string, name: string): Promise<Row[]> {
    const answer = turn.then(async () => (current ? (await current.query<Row>(text, [name])).rows : []));
    turn = answer.catch(() => undefined);
    return answer;
  }

  async function connect(): Promise<void> {
    if (closed) return;
    const client = lastingSession(url, 'passerelle-subscriptions');
    let lost = false;
    const onLoss = () => {
      if (lost) return;
      lost = true;
      // One that is lost before it is open is told by `connect` itself: told twice, each attempt would become two, and locks would stay with
      // a session that nobody asks any more.
      if (current !== client) return;
      current = undefined;
      if (!closed) reconnectLater();
    };
    client.on('error', onLoss);
    client.on('end', onLoss);
    client.on('notification', ({ payload }) => onWake(payload ?? ''));
    try {
      await client.connect();
      await client.query(noticeOurLoss);
      await client.query(`LISTEN ${wakeChannel}`);
      if (lost) throw new Error('the session was lost while it was opened');
    } catch (error) {
      lost = true;
      await client.end().catch(() => undefined);
      throw error;
    }
    if (closed) await client.end();
    else current = client;
  }

  function reconnectLater(): void {
    setTimeout(() => {
      connect().catch((error: Error) => {
        log?.warn({ error: error.name }, 'no session for subscriptions, will be tried again');
        reconnectLater();
      });
    }, reconnectEveryMs).unref();
  }

  await connect();
  return {
    async tryLock(name) {
      const [row] = await query<{ locked: boolean }>(
        'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
        name,
      );
      return row?.locked === true;
    },
    async unlock(name) {
      // A session that was lost lost its locks.
      await query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', name).catch(() => undefined);
    },
    async close() {
      closed = true;
      await turn;
      await current?.end();
      current = undefined;
    },
  };
}
