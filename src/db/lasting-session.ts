/** A session that is held as long as its process lives, for the advisory locks it has: its loss must be noticed soon at both ends. */
import pg from 'pg';

const keepAliveMs = 10_000;
const connectMs = 20_000;

/** Not yet connected. */
export function lastingSession(url: string, name: string): pg.Client {
  return new pg.Client({
    connectionString: url,
    application_name: name,
    // A database that takes the connection and says nothing is tried again.
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
  });
}

/**
 * To be said first: the server too must notice that this machine is gone. Left to the system's two hours, a machine that lost its power
 * would hold its locks, and what they guard. Forty seconds at most; a connection that is no TCP ignores it.
 */
export const noticeOurLoss = `SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '10', false),
  set_config('tcp_keepalives_count', '3', false)`;
