import type { Database, Sql } from '../../db/index.ts';

/** For one statement on its own: no BEGIN and COMMIT around it. */
export function single(database: Database, tenant: string): Sql {
  return {
    query: ((statement: Parameters<Database['query']>[1], values?: readonly unknown[]) =>
      database.query(tenant, statement, values)) as Sql['query'],
  };
}
