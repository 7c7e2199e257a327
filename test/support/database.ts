import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, ensureDatabase, openDatabase } from '../../src/db/index.ts';

/** A fresh, migrated database with the tenants `a` (alias of the tests' hospital) and `b`; close it in `afterAll`. */
export async function testDatabase(): Promise<Database> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  const url = await ensureDatabase(inject('superuserUrl'), name, 'template_passerelle');
  const database = openDatabase(url, url);
  await database.addTenant('aa', 'Hospital A');
  await database.addTenant('bb', 'Hospital B');
  return {
    ...database,
    async close() {
      await database.close();
      await dropDatabase(name);
    },
  };
}

/** What is left of a file takes memory, and work of the server's own vacuum, for the rest of the run. */
async function dropDatabase(name: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('superuserUrl') });
  await client.connect();
  try {
    await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}
