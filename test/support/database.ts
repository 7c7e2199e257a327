import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { type Database, ensureDatabase, openDatabase } from '../../src/db/index.ts';

/** A fresh, migrated database with the tenants `a` (alias of the tests' hospital) and `b`; close it in `afterAll`. */
export async function testDatabase(): Promise<Database> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  const url = await ensureDatabase(inject('superuserUrl'), name, 'template_passerelle');
  const database = openDatabase(url, url);
  await database.addTenant('aa', 'Hospital A');
  await database.addTenant('bb', 'Hospital B');
  return database;
}
