import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { openWorld, type World } from './world.ts';

/** Every table of the catalogue, under the role of the application: what a statement that forgot its tenant would show. */
let world: World;
let database: Database;
beforeAll(async () => {
  world = await openWorld();
  ({ database } = world.server);
}, 60_000);
afterAll(() => world?.close());

interface Table {
  name: string;
  hasTenant: boolean;
}

/** Those the role may read, partitions and views included. */
async function tables(): Promise<Table[]> {
  const { rows } = await database.query<Table>(
    'aa',
    `SELECT c.oid::regclass::text AS name, EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant') AS "hasTenant"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_%'
       AND has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
     ORDER BY 1`,
  );
  return rows;
}

/** Tables without tenants: names of tenants, of migrations, of the trail's months, and the queue's, whose jobs carry ids only (design §3). */
const shared = /^(?:tenant|migration|fhir\.audit_part|pgboss\..+)$/;
/** Functions that act as the owner of the tables: none of them reads a row for its caller. */
const lending = ['terminology.gather_statistics()', 'fhir.add_audit_month(date)'];

describe('in SQL, under the role of the application', () => {
  it('every table but the list of tenants has a tenant', async () => {
    const without = (await tables()).filter(({ hasTenant, name }) => !hasTenant && !shared.test(name));
    expect(without).toEqual([]);
  });

  it('no table shows rows of another tenant, but the definitions the platform shares', async () => {
    const all = (await tables()).filter(({ hasTenant, name }) => hasTenant && name !== 'tenant');
    expect(all.length).toBeGreaterThan(300);
    const shown: string[] = [];
    for (const { name } of all) {
      const { rows } = await database.query<{ tenant: string }>('aa', `SELECT DISTINCT tenant FROM ${name}`);
      for (const { tenant } of rows) if (tenant !== 'aa') shown.push(`${name} ${tenant}`);
    }
    expect(shown.filter((row) => !row.endsWith(' platform'))).toEqual([]);
    const sharing = /^(?:terminology\.\w+|fhir\.(?:codesystem|valueset|conceptmap)) platform$/;
    expect(shown.filter((row) => !sharing.test(row))).toEqual([]);
  }, 60_000);

  it('there is something of the other tenant in most of them: the question is worth asking', async () => {
    let filled = 0;
    for (const { name, hasTenant } of await tables()) {
      if (!hasTenant || !name.startsWith('fhir.')) continue;
      const { rows } = await database.query('bb', `SELECT FROM ${name} LIMIT 1`);
      filled += rows.length;
    }
    expect(filled).toBeGreaterThan(145);
  }, 60_000);

  it('no table takes a row in the name of another tenant, nor changes one', async () => {
    const changed: string[] = [];
    for (const { name, hasTenant } of await tables()) {
      if (!hasTenant || name === 'tenant') continue;
      for (const statement of [
        `UPDATE ${name} SET tenant = tenant WHERE tenant = 'bb'`,
        `DELETE FROM ${name} WHERE tenant = 'bb'`,
      ]) {
        const { rowCount } = await database.query('aa', statement).catch(() => ({ rowCount: 0 }));
        if (rowCount) changed.push(statement);
      }
    }
    expect(changed).toEqual([]);
    await expect(
      database.query(
        'aa',
        `INSERT INTO fhir.patient (tenant, id, version, updated, content) VALUES ('bb', 'planted', 1, now(), '{}')`,
      ),
    ).rejects.toThrow('row-level security');
  }, 60_000);

  it('without a tenant nothing is shown at all', async () => {
    const { rows } = await database.query('', 'SELECT FROM fhir.patient LIMIT 1');
    expect(rows).toEqual([]);
  });

  it('no function lends its owner’s rights but those that are known', async () => {
    const { rows } = await database.query<{ name: string }>(
      'aa',
      `SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
       WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND has_function_privilege(p.oid, 'EXECUTE')`,
    );
    expect(rows.map(({ name }) => name).filter((name) => !lending.includes(name))).toEqual([]);
  });
});
