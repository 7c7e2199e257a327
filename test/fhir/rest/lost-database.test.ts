/** What a caller is told when the database goes away in the middle: that nothing was kept, or that nobody knows. */
import type { OperationOutcome } from '@medplum/fhirtypes';
import fastify, { type FastifyInstance } from 'fastify';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/config/index.ts';
import { type Database, openDatabase } from '../../../src/db/index.ts';
import { createFhirStore, fhirRoutes } from '../../../src/fhir/index.ts';
import { testDatabase } from '../../support/database.ts';
import { type DatabaseLine, openDatabaseLine } from '../../support/database-line.ts';

let direct: Database;
let line: DatabaseLine;
let database: Database;
let admin: pg.Client;
const app: FastifyInstance = fastify();
beforeAll(async () => {
  direct = await testDatabase();
  line = await openDatabaseLine(direct.url);
  database = openDatabase(line.url, direct.adminUrl);
  admin = new pg.Client({ connectionString: direct.adminUrl });
  await admin.connect();
  const store = await createFhirStore({ database });
  const actor = { reference: 'Device/x', display: 'x', account: 'x', kind: 'machine' as const, roles: [] };
  const guards = {
    authenticate: async () => ({ tenant: 'aa', actor }),
    authorize: () => undefined,
    isAllowed: () => true,
    auditRead: async () => undefined,
  };
  await app.register(fhirRoutes, {
    ...{ prefix: '/fhir', store, guards, clock: systemClock },
    baseUrl: () => 'https://lost.example',
  });
});
afterAll(async () => {
  await app.close();
  await database.close();
  await line.close();
  await admin.end();
  await direct.close();
});

const put = (id: string, method: 'PUT' | 'POST' = 'PUT') =>
  app.inject({
    ...{ method, url: method === 'PUT' ? `/fhir/Basic/${id}` : '/fhir/Basic' },
    headers: { 'content-type': 'application/fhir+json' },
    payload: { resourceType: 'Basic', ...(method === 'PUT' ? { id } : {}), code: { text: id } },
  });
const kept = async (text: string) =>
  (await admin.query('SELECT 1 FROM fhir.basic WHERE content LIKE $1', [`%"${text}"%`])).rowCount;
/** Breaks the line when this is sent, which arrives all the same. */
const cutAt = (words: string) => {
  line.onSent = (piece, connection) => {
    if (!piece.includes(words)) return;
    line.onSent = undefined;
    connection.cut();
  };
};

it.each([
  ['a commit of its own', 'PUT', 'COMMIT'],
  ['a commit shared with others', 'POST', 'doubt-POST'],
] as const)('%s that nobody knows the end of is not called refused', async (_, method, words) => {
  await put('before', method);
  cutAt(words);
  const answer = await put(`doubt-${method}`, method);
  expect(answer.statusCode).toBe(500);
  const [issue] = answer.json<OperationOutcome>().issue;
  expect(issue).toMatchObject({ code: 'no-store', diagnostics: expect.stringContaining('not known') });
  expect(issue?.details?.text).toContain('on ne sait pas');
  await expect.poll(() => kept(`doubt-${method}`)).toBe(1);
});

it('a line that breaks before the commit keeps nothing, says so, and may be tried again', async () => {
  cutAt('before-commit');
  const answer = await put('before-commit');
  expect(answer.statusCode).toBe(503);
  expect(answer.json<OperationOutcome>().issue[0]).toMatchObject({
    code: 'no-store',
    details: { text: expect.stringContaining('rien n’a été enregistré') },
  });
  expect(await kept('before-commit')).toBe(0);
  expect((await put('before-commit')).statusCode).toBe(201);
});

it('a database that only serves reads keeps nothing and says so', async () => {
  const { rows } = await admin.query<{ name: string }>('SELECT current_database() AS name');
  await admin.query(`ALTER DATABASE ${rows[0]!.name} SET default_transaction_read_only = on`);
  line.cut();
  expect((await put('read-only')).statusCode).toBe(503);
  expect((await put('read-only', 'POST')).statusCode).toBe(503);
  await admin.query('SET default_transaction_read_only = off');
  await admin.query(`ALTER DATABASE ${rows[0]!.name} RESET default_transaction_read_only`);
  line.cut();
  await expect.poll(async () => (await put('read-only')).statusCode).toBe(201);
});
