import pg from 'pg';

/** Anything that runs parameterised SQL: a pooled client inside a transaction, as the rooms see it. */
export interface Sql {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<Row>>;
  /**
   * The same with a name: PostgreSQL keeps the parsed statement on the connection. `timeoutMs` ends a statement that runs outside
   * a transaction (SQLSTATE 57014); inside one the limit of all statements holds.
   */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(statement: {
    name?: string;
    text: string;
    values?: readonly unknown[];
    timeoutMs?: number;
  }): Promise<pg.QueryResult<Row>>;
}

/** The database as every room sees it: nothing runs outside the scope of one tenant (design §5 rule 8). */
export interface Database {
  /**
   * Runs `work` in one transaction whose row-level security shows `tenant` alone; commits when it resolves, rolls back when
   * it throws, and rethrows.
   */
  transaction<T>(tenant: string, work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Runs one statement on its own in the scope of `tenant`; with a name, PostgreSQL keeps it parsed on the connection. It may take
   * `timeoutMs`, a minute when absent.
   */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    tenant: string,
    statement: string | { name?: string; text: string; values?: readonly unknown[]; timeoutMs?: number },
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<Row>>;
  /** Every tenant's name, the platform's own included, in a stable order. */
  tenants(): Promise<string[]>;
  /** Adds a tenant; adding it again changes nothing. */
  addTenant(tenant: string, display: string): Promise<void>;
  /** Connection string of the application's role, for libraries that bring their own pool. */
  readonly url: string;
  /** Connection string of the role that owns the tables. */
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** Tenant of the platform's own staff and reference data. */
export const platformTenant = 'platform';

const poolSize = 12;
/** Whoever holds a lock and waits for a second connection could wait for ever: both waits have an end. */
const connectionTimeoutMs = 20_000;
const lockTimeoutMs = 30_000;
/** A dozen searches without an end would otherwise hold every connection, and nobody could sign a report. */
const statementTimeoutMs = 60_000;

/** Every connection of the application takes this role, whatever the login is: a superuser would see through row-level security. */
export const applicationRole = 'passerelle_app';

/**
 * Said to the connection itself and not in the start-up options: a connection string with `options=` of its own would replace
 * those without a word, and the login behind it may be a superuser.
 */
const scopeStatement = `SELECT set_config('passerelle.tenant', $1, false), set_config('role', $2, false), set_config('lock_timeout', $3, false),
  set_config('statement_timeout', $4, false)`;

/**
 * Opens the pool of the application. The tenant is a setting of the session: a connection that last served the same tenant
 * needs no extra round trip, and one that did not is switched before it is handed out, never after.
 */
export function openDatabase(url: string, adminUrl: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectionTimeoutMs,
    application_name: 'passerelle',
  });
  // A connection lost while idle is replaced by the pool; without a listener the process would end.
  pool.on('error', () => undefined);
  const scopes = new WeakMap<pg.PoolClient, { tenant: string; timeoutMs: number }>();

  async function checkout(tenant: string, timeoutMs = statementTimeoutMs): Promise<pg.PoolClient> {
    const client = await pool.connect();
    const scope = scopes.get(client);
    if (scope?.tenant === tenant && scope.timeoutMs === timeoutMs) return client;
    try {
      scopes.delete(client);
      await client.query(scopeStatement, [tenant, applicationRole, String(lockTimeoutMs), String(timeoutMs)]);
      scopes.set(client, { tenant, timeoutMs });
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  const query: Database['query'] = async (tenant, statement, values) => {
    const client = await checkout(tenant, typeof statement === 'string' ? undefined : statement.timeoutMs);
    try {
      return await (client as Sql).query(typeof statement === 'string' ? { text: statement, values } : statement);
    } finally {
      client.release();
    }
  };

  return {
    url,
    adminUrl,
    query,
    async transaction(tenant, work) {
      const client = await checkout(tenant);
      let broken = false;
      try {
        await client.query('BEGIN');
        const result = await work(client as Sql);
        const { command } = await client.query('COMMIT');
        // PostgreSQL answers so when a statement failed and the failure was swallowed on the way: nothing was kept.
        if (command !== 'COMMIT') throw new Error('The transaction was rolled back: one of its statements had failed');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {
          broken = true;
        });
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async tenants() {
      const { rows } = await query<{ tenant: string }>(platformTenant, 'SELECT tenant FROM tenant ORDER BY tenant');
      return rows.map((row) => row.tenant);
    },
    async addTenant(tenant, display) {
      await query(platformTenant, 'INSERT INTO tenant (tenant, display) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        tenant,
        display,
      ]);
    },
    close: () => pool.end(),
  };
}
