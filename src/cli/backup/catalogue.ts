/** What a database holds beyond what the migrations make: asked of PostgreSQL itself, so that no table is ever forgotten. */
import type pg from 'pg';

export interface Table {
  /** `schema.name`, quoted where it must be. */
  name: string;
  /** Quoted, generated ones left out. */
  columns: string[];
  /** Under row-level security by tenant. */
  byTenant: boolean;
  isPartitioned: boolean;
}

export interface Partition {
  /** Quoted. */
  name: string;
  parent: string;
  /** `FOR VALUES FROM … TO …` */
  bound: string;
  /** Under row-level security, which parts of a protected table are without a policy of their own. */
  protected: boolean;
}

/** Its rows say which migrations were applied: a restore applies them itself. */
const migrationTable = 'migration';

const ofOurs = `n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relpersistence = 'p'`;

/** Every table that holds rows, those a table refers to before it. */
export async function tablesInOrder(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<{
    oid: string;
    name: string;
    columns: string[];
    protected: boolean;
    kind: string;
  }>(
    `SELECT c.oid, c.oid::regclass::text AS name, c.relrowsecurity AS protected, c.relkind AS kind,
       (SELECT array_agg(quote_ident(a.attname) ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')::text[] AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${ofOurs}
     ORDER BY n.nspname, c.relname`,
  );
  const { rows: keys } = await client.query<{ table: string; target: string }>(
    `SELECT conrelid AS table, confrelid AS target FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid`,
  );
  const tables = new Map(rows.filter(({ name }) => name !== migrationTable).map((row) => [row.oid, row]));
  const ordered = new Map<string, Table>();
  const visit = (oid: string) => {
    const row = tables.get(oid);
    if (!row || ordered.has(oid)) return;
    tables.delete(oid);
    for (const { table, target } of keys) if (table === oid) visit(target);
    const { name, columns, protected: byTenant, kind } = row;
    ordered.set(oid, { name, columns, byTenant, isPartitioned: kind === 'p' });
  };
  for (const oid of [...tables.keys()]) visit(oid);
  return [...ordered.values()];
}

/** Partitions are made while the server runs (a month of the trail): a restore makes them again. */
export async function partitions(client: pg.Client): Promise<Partition[]> {
  const { rows } = await client.query<Partition>(
    `SELECT c.oid::regclass::text AS name, i.inhparent::regclass::text AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound,
       c.relrowsecurity AS protected
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_inherits i ON i.inhrelid = c.oid
     WHERE c.relispartition AND c.relkind IN ('r', 'p') AND ${ofOurs}
     ORDER BY c.relkind DESC, 1`,
  );
  return rows;
}

/** Numbers already given away. */
export async function sequences(client: pg.Client): Promise<{ name: string; last: string }[]> {
  const { rows } = await client.query<{ name: string; last: string }>(
    `SELECT format('%I.%I', schemaname, sequencename) AS name, last_value::text AS last
     FROM pg_sequences WHERE last_value IS NOT NULL AND schemaname NOT LIKE 'pg\\_%'`,
  );
  return rows;
}

/** Whether this login sees through row-level security; if not, rows are read tenant by tenant. */
export async function seesEverything(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ sees: boolean }>(
    'SELECT rolsuper OR rolbypassrls AS sees FROM pg_roles WHERE rolname = current_user',
  );
  return rows[0]?.sees === true;
}

/** Names and hashes of the migrations applied. */
export async function appliedMigrations(client: pg.Client): Promise<{ name: string; sha256: string }[]> {
  const { rows } = await client.query<{ name: string; sha256: string }>(
    `SELECT name, sha256 FROM ${migrationTable} ORDER BY name`,
  );
  return rows;
}
