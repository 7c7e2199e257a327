import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase, searchesUseTheirIndex } from '../../src/db/index.ts';
import { testDatabase } from '../support/database.ts';

let database: Database;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

describe('the scope of a tenant', () => {
  it('is forced on every table but the list of tenants and the migrations', async () => {
    const { rows } = await database.query<{ relname: string }>(
      'aa',
      `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname IN ('public', 'fhir') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
       ORDER BY 1`,
    );
    expect(rows.map((row) => row.relname)).toEqual(['migration', 'tenant']);
  });

  it('is that of the parent for a partition: by itself none can be read', async () => {
    const { rows } = await database.query<{ name: string; readable: boolean }>(
      'aa',
      `SELECT oid::regclass::text AS name, has_table_privilege(oid, 'SELECT, INSERT, UPDATE, DELETE') AS readable
       FROM pg_class WHERE relispartition AND relkind = 'r'`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ readable }) => readable)).toEqual([]);
  });

  it('starts every key with the tenant', async () => {
    const { rows } = await database.query<{ relname: string }>(
      'aa',
      `SELECT c.relname FROM pg_index i
       JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
       WHERE n.nspname IN ('public', 'fhir') AND i.indisprimary AND a.attname <> 'tenant' AND c.relname <> 'migration'`,
    );
    expect(rows).toEqual([]);
  });

  it('runs as a role that neither owns the tables nor sees through row-level security', async () => {
    const { rows } = await database.query(
      'aa',
      'SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user',
    );
    expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false }]);
  });

  it('does so too behind a connection string with options of its own, which replace those of the pool', async () => {
    const url = new URL(database.url);
    url.searchParams.set('options', '-c statement_timeout=7');
    const other = openDatabase(url.href, url.href);
    try {
      const { rows } = await other.query(
        'aa',
        `SELECT current_user AS role, current_setting('lock_timeout') AS locks, current_setting('statement_timeout') AS statements`,
      );
      expect(rows).toEqual([{ role: 'passerelle_app', locks: '30s', statements: '1min' }]);
    } finally {
      await other.close();
    }
  });

  it('leaves searches their index, which the start checks', async () => {
    expect(await searchesUseTheirIndex(database)).toBe(true);
  });

  it('follows the caller when one connection serves tenants in turn', async () => {
    const seen = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const tenant = n % 2 ? 'aa' : 'bb';
        const { rows } = await database.query<{ current_tenant: string }>(tenant, 'SELECT current_tenant()');
        return rows[0]?.current_tenant === tenant;
      }),
    );
    expect(seen.every(Boolean)).toBe(true);
  });

  it('does not call a transaction done whose failed statement was swallowed', async () => {
    const swallowing = database.transaction('aa', async (sql) => {
      await sql.query('SELECT no_such_column').catch(() => undefined);
      return 'done';
    });
    await expect(swallowing).rejects.toThrow('rolled back');
  });

  it('rolls back what a failing transaction did', async () => {
    await expect(
      database.transaction('aa', async (sql) => {
        await sql.query('CREATE TEMP TABLE never (n int)');
        throw new Error('stop');
      }),
    ).rejects.toThrow('stop');
    const { rows } = await database.query('aa', "SELECT to_regclass('pg_temp.never') AS found");
    expect(rows).toEqual([{ found: null }]);
  });
});

describe('connections', () => {
  it('of bounded statements are not those of the rest: a search and the entry it leaves never switch one back and forth', async () => {
    const pid = async (timeoutMs?: number) => {
      const text = 'SELECT pg_backend_pid() AS pid';
      const { rows } = await database.query<{ pid: number }>(
        'aa',
        timeoutMs === undefined ? { text } : { text, timeoutMs },
      );
      return rows[0]?.pid;
    };
    const [search, entry] = [await pid(10_000), await pid()];
    expect(search).not.toBe(entry);
    expect([await pid(10_000), await pid(), await pid(10_000)]).toEqual([search, entry, search]);
  });
});
