import pg from 'pg';
import { DatabaseAway, isLoss, isVerdict, OutcomeUnknown } from './lost.ts';
import { type Answer, runPrepared, type Statement } from './prepared/index.ts';

/** Anything that runs parameterised SQL: a pooled client inside a transaction, as the rooms see it. */
export interface Sql {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Answer<Row>>;
  /**
   * The same with a name: PostgreSQL keeps the parsed statement on the connection. `timeoutMs` ends a statement that runs outside
   * a transaction (SQLSTATE 57014); inside one the limit of all statements holds.
   */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(statement: {
    name?: string;
    text: string;
    values?: readonly unknown[];
    timeoutMs?: number;
  }): Promise<Answer<Row>>;
}

/** Part of a tenant: rows that carry one of some keys, and every row of some types (migrations/0100_row_scope.sql). */
export interface RowLimits {
  /** `bigint[]` as PostgreSQL reads it: `{1,-2}`. */
  keys: string;
  /** Types in lower case that are not limited, as a `text[]`: `{task,patient}`. */
  wholeTypes: string;
  /** Further conditions of each type, as JSON: `{"task": [["1", "2"], ["3"]]}` (migrations/0131_row_narrowing.sql). */
  narrowing?: string;
  /** Reports being written are seen, too (migrations/0183_drafts.sql). */
  drafts?: boolean;
}

/** What a statement may see: a tenant, or with `rows` the part of its patient data that they say. */
export type Scope = string | { tenant: string; rows?: RowLimits };

/** The database as every room sees it: nothing runs outside the scope of one tenant (design §5 rule 8). */
export interface Database {
  /**
   * Runs `work` in one transaction whose row-level security shows the scope alone; commits when it resolves, rolls back when
   * it throws, and rethrows. With limits on rows it can only read.
   * @throws DatabaseAway when the database was lost and nothing is kept; OutcomeUnknown when it was lost while it committed.
   */
  transaction<T>(scope: Scope, work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Runs one statement on its own in a scope; with a name, PostgreSQL keeps it parsed on the connection. It may take
   * `timeoutMs`, a minute when absent. @throws DatabaseAway
   */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    scope: Scope,
    statement: string | { name?: string; text: string; values?: readonly unknown[]; timeoutMs?: number },
    values?: readonly unknown[],
  ): Promise<Answer<Row>>;
  /** Every tenant's name, the platform's own included, in a stable order. */
  tenants(): Promise<string[]>;
  /** Adds a tenant; adding it again changes nothing. @returns false for one that was known. */
  addTenant(tenant: string, display: string): Promise<boolean>;
  /** Connection string of the application's role, for libraries that bring their own pool. */
  readonly url: string;
  /** Connection string of the role that owns the tables. */
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** Tenant of the platform's own staff and reference data. */
export const platformTenant = 'platform';

const poolSize = 12;
/** Of the connections for bounded statements, and of those for parts of a tenant. */
const sidePoolSize = 10;
/** Whoever holds a lock and waits for a second connection could wait for ever: both waits have an end. */
const connectionTimeoutMs = 20_000;
const lockTimeoutMs = 30_000;
/** A dozen searches without an end would otherwise hold every connection, and nobody could sign a report. */
const statementTimeoutMs = 60_000;
/** PostgreSQL ends a statement itself; whoever hears nothing so long after that has lost it, whatever the network pretends. */
const answerMarginMs = 30_000;
/** A machine that vanished is noticed on idle connections within some twenty seconds. */
const keepAliveMs = 10_000;

/** Every connection of the application takes this role, whatever the login is: a superuser would see through row-level security. */
export const applicationRole = 'passerelle_app';
/** Takes the place of {@link applicationRole} where rows are limited: the limits are policies of this role, and it can only read. */
const limitedRole = 'passerelle_limited';
/** The same where further conditions hold. */
const narrowedRole = 'passerelle_narrowed';

/**
 * Said to the connection itself and not in the start-up options: a connection string with `options=` of its own would replace
 * those without a word, and the login behind it may be a superuser.
 */
const scopeStatement = `SELECT set_config('passerelle.tenant', $1, false), set_config('role', $2, false), set_config('lock_timeout', $3, false),
  set_config('statement_timeout', $4, false), set_config('passerelle.row_keys', $5, false), set_config('passerelle.whole_types', $6, false),
  set_config('passerelle.row_narrowing', $7, false), set_config('passerelle.sees_drafts', $8, false)`;

/** Limits the rows of the transaction that is open, or lifts the limit; both end with it. */
export const limitStatement = `SELECT set_config('role', $1, true), set_config('passerelle.row_keys', $2, true),
  set_config('passerelle.whole_types', $3, true), set_config('passerelle.row_narrowing', $4, true),
  set_config('passerelle.sees_drafts', $5, true)`;

/** Values of {@link limitStatement}. */
export function limitValues(rows: RowLimits | undefined): string[] {
  if (!rows) return [applicationRole, '', '', '', ''];
  const { keys, wholeTypes, narrowing, drafts } = rows;
  const role = narrowing === undefined ? limitedRole : narrowedRole;
  return [role, keys, wholeTypes, narrowing ?? '', drafts ? 'on' : ''];
}

/**
 * Opens the pool of the application. The tenant is a setting of the session: a connection that last served the same tenant
 * needs no extra round trip, and one that did not is switched before it is handed out, never after.
 */
export function openDatabase(
  url: string,
  adminUrl: string,
  { answerMs = statementTimeoutMs + answerMarginMs }: { answerMs?: number } = {},
): Database {
  const openPool = (max: number) => {
    const pool = new pg.Pool({
      connectionString: url,
      max,
      connectionTimeoutMillis: connectionTimeoutMs,
      application_name: 'passerelle',
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
      query_timeout: answerMs,
    });
    // A connection lost while idle is replaced by the pool; without a listener the process would end. So it would by one that is lost
    // in somebody's hands, between two statements or in the middle of one: the pool listens to those it keeps only.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => void client.on('error', () => undefined));
    return pool;
  };
  // Statements that are bounded otherwise or see otherwise than the rest, each kind on connections of its own: a search writes its
  // entry of the trail right after itself, and on the same connection each would switch back what the other had just switched, a
  // round trip every time.
  const pools = { whole: openPool(poolSize), wholeBounded: openPool(sidePoolSize), limited: openPool(sidePoolSize) };
  const poolOf = (isLimited: boolean, timeoutMs: number) =>
    isLimited ? pools.limited : timeoutMs === statementTimeoutMs ? pools.whole : pools.wholeBounded;
  const settings = new WeakMap<pg.PoolClient, readonly string[]>();

  async function checkout(scope: Scope, timeoutMs = statementTimeoutMs): Promise<pg.PoolClient> {
    const { tenant, rows } = typeof scope === 'string' ? { tenant: scope, rows: undefined } : scope;
    const client = await poolOf(rows !== undefined, timeoutMs)
      .connect()
      .catch((error: unknown) => {
        throw new DatabaseAway(error);
      });
    const [role, ...limits] = limitValues(rows) as [string, ...string[]];
    const wanted = [tenant, role, String(lockTimeoutMs), String(timeoutMs), ...limits];
    const current = settings.get(client);
    if (current && wanted.every((value, index) => value === current[index])) return client;
    try {
      settings.delete(client);
      await client.query(scopeStatement, wanted);
      settings.set(client, wanted);
      return client;
    } catch (error) {
      client.release(true);
      throw isLoss(error) ? new DatabaseAway(error) : error;
    }
  }

  const query: Database['query'] = async (scope, statement, values) => {
    const client = await checkout(scope, typeof statement === 'string' ? undefined : statement.timeoutMs);
    const isLimited = typeof scope !== 'string' && scope.rows !== undefined;
    let isLost = false;
    try {
      return await said(
        client,
        typeof statement === 'string'
          ? { text: statement, ...(values ? { values } : {}) }
          : patient(isLimited ? ofLimitedRole(statement) : statement),
      );
    } catch (error) {
      isLost = isLoss(error);
      throw isLost ? new DatabaseAway(error, { wasAsked: true }) : error;
    } finally {
      client.release(isLost);
    }
  };

  return {
    url,
    adminUrl,
    query,
    async transaction(scope, work) {
      const client = await checkout(scope);
      let broken = false;
      let isCommitting = false;
      try {
        await client.query('BEGIN');
        const result = await work(sqlOf(client));
        isCommitting = true;
        const { command } = await client.query('COMMIT');
        isCommitting = false;
        // PostgreSQL answers so when a statement failed and the failure was swallowed on the way: nothing was kept.
        if (command !== 'COMMIT') throw new Error('The transaction was rolled back: one of its statements had failed');
        return result;
      } catch (error) {
        broken = isLoss(error);
        if (!broken)
          await client.query('ROLLBACK').catch(() => {
            broken = true;
          });
        if (isCommitting && !isVerdict(error)) throw new OutcomeUnknown(error);
        throw isLoss(error) ? new DatabaseAway(error) : error;
      } finally {
        client.release(broken);
      }
    },
    async tenants() {
      const { rows } = await query<{ tenant: string }>(platformTenant, 'SELECT tenant FROM tenant ORDER BY tenant');
      return rows.map((row) => row.tenant);
    },
    async addTenant(tenant, display) {
      const text = 'INSERT INTO tenant (tenant, display) VALUES ($1, $2) ON CONFLICT DO NOTHING';
      return (await query(platformTenant, text, [tenant, display])).rowCount === 1;
    },
    async close() {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
    },
  };
}

/** With a name, or without. */
type Said = Omit<Statement, 'name'> & { name?: string };

function said<Row extends pg.QueryResultRow>(client: pg.PoolClient, statement: Said): Promise<Answer<Row>> {
  const { name } = statement;
  return name === undefined ? client.query(statement as pg.QueryConfig) : runPrepared(client, statement as Statement);
}

function sqlOf(client: pg.PoolClient): Sql {
  return {
    query: (statement: string | Said, values?: readonly unknown[]) =>
      typeof statement === 'string' ? client.query(statement, values as unknown[]) : said(client, statement),
  };
}

/** A plan made under one role's policies is made anew under another's: each role keeps statements of its own. */
export function ofLimitedRole<Statement extends { name?: string }>(statement: Statement): Statement {
  return statement.name === undefined ? statement : { ...statement, name: `${statement.name}_l` };
}

/** A statement that may take longer than others is waited for longer, too. */
function patient<Statement extends { timeoutMs?: number }>(statement: Statement): Statement {
  const { timeoutMs = 0 } = statement;
  return timeoutMs > statementTimeoutMs ? { ...statement, query_timeout: timeoutMs + answerMarginMs } : statement;
}
