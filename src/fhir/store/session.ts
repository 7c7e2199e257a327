/** A database transaction that is opened when first needed, so that a work that only creates resources can join a group commit. */
import {
  type Database,
  DatabaseAway,
  isLoss,
  limitStatement,
  limitValues,
  ofLimitedRole,
  type RowLimits,
  type Sql,
} from '../../db/index.ts';

export interface Session {
  /** The whole tenant. */
  sql: Sql;
  /** The same transaction with limits on rows; it can only read. */
  limited(rows: RowLimits): Sql;
  /** Commits; rejects when PostgreSQL did not keep the work. */
  commit(): Promise<void>;
  rollback(reason: unknown): Promise<void>;
}

/** Opens a transaction in the scope of a tenant and hands over its control. */
export function openSession(database: Database, tenant: string): Promise<Session> {
  return new Promise((resolve, reject) => {
    let aborted: unknown;
    const finished = database.transaction(tenant, (sql) => {
      const { promise: over, resolve: end, reject: fail } = Promise.withResolvers<void>();
      const tracked = {
        // A failed statement leaves the transaction aborted, and PostgreSQL answers its COMMIT by rolling back without an error.
        query: (...args: Parameters<Sql['query']>) =>
          (sql.query as (...args: unknown[]) => Promise<unknown>)(...args).then(
            (result) => {
              aborted = undefined;
              return result;
            },
            (error) => {
              aborted = isLoss(error) ? new DatabaseAway(error) : error;
              throw aborted;
            },
          ),
      } as Sql;
      // Statements run in the order they are asked for, so each finds the limits that were set just before it.
      let current: RowLimits | undefined;
      const within = (rows: RowLimits | undefined): Sql => ({
        query: ((statement: string | { name?: string; text: string }, values?: readonly unknown[]) => {
          if (current !== rows) {
            current = rows;
            tracked.query(limitStatement, limitValues(rows)).catch(() => undefined);
          }
          if (typeof statement === 'string') return tracked.query(statement, values);
          return tracked.query(rows ? ofLimitedRole(statement) : statement);
        }) as Sql['query'],
      });
      resolve({
        sql: within(undefined),
        limited: within,
        commit: () => {
          if (aborted !== undefined) fail(aborted);
          else end();
          return finished;
        },
        rollback: (reason) => {
          fail(reason);
          return finished.catch(() => undefined);
        },
      });
      return over;
    });
    finished.catch(reject);
  });
}
