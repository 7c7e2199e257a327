import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/index.ts';
import { testDatabase } from '../../support/database.ts';

let database: Database;
/** A login as production has it: may take the application's role, owns nothing. */
let application: Database;
const login = `app_${Math.random().toString(36).slice(2, 10)}`;

async function asAdmin(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  await work(client).finally(() => client.end());
}

beforeAll(async () => {
  database = await testDatabase();
  await asAdmin(async (client) => {
    await client.query(`CREATE ROLE ${login} LOGIN PASSWORD 'x' IN ROLE passerelle_app, passerelle_limited`);
  });
  const url = new URL(database.adminUrl);
  url.username = login;
  url.password = 'x';
  application = openDatabase(url.href, database.adminUrl);
});
afterAll(async () => {
  await application.close();
  await asAdmin(async (client) => {
    await client.query(`DROP ROLE ${login}`);
  });
  await database.close();
});

const insert = `INSERT INTO fhir.patient (tenant, id, version, updated, content) VALUES ('aa', 'x', 1, now(), '{}')`;

describe('destruction', () => {
  it.each(['fhir.patient', 'fhir.patient_past', 'fhir.auditevent', 'fhir.journal', 'audit_seal', 'purged_blob'])(
    'is not within the reach of the application: %s',
    async (table) => {
      await expect(application.query('aa', `DELETE FROM ${table} WHERE tenant = 'aa'`)).rejects.toMatchObject({
        code: '42501',
      });
    },
  );

  it('cannot be taken up by the application’s login', async () => {
    await expect(application.query('aa', 'SET ROLE passerelle_purge')).rejects.toMatchObject({ code: '42501' });
  });

  it('keeps to its tenant, and leaves the trail alone, also in the hands of the role that may destroy', async () => {
    await database.query('aa', insert);
    await asAdmin(async (client) => {
      const tried = async (tenant: string, statement: string) => {
        await client.query('BEGIN');
        await client.query(
          "SELECT set_config('role', 'passerelle_purge', true), set_config('passerelle.tenant', $1, true)",
          [tenant],
        );
        try {
          return (await client.query(statement)).rowCount;
        } catch (error) {
          return (error as { code: string }).code;
        } finally {
          await client.query('ROLLBACK');
        }
      };
      expect(await tried('bb', 'DELETE FROM fhir.patient')).toBe(0);
      expect(await tried('aa', 'DELETE FROM fhir.patient')).toBe(1);
      for (const table of ['fhir.auditevent', 'fhir.journal', 'fhir.journal_pending', 'audit_seal', 'audit_purge']) {
        expect(await tried('aa', `DELETE FROM ${table}`), table).toBe('42501');
      }
      expect(await tried('aa', `UPDATE fhir.patient SET content = ''`)).toBe('42501');
    });
  });
});
