import fastify from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../src/db/index.ts';
import { healthRoutes } from '../src/health.ts';
import { testDatabase } from './support/database.ts';

let database: Database;
const app = fastify();
const broken = {
  name: 'passerelle_test_broken',
  help: 'Things nobody can count',
  read: async () => {
    throw new Error('relation "outbox" of 10.0.0.3');
  },
};
beforeAll(async () => {
  database = await testDatabase();
  await app.register(healthRoutes, {
    database,
    metricsToken: () => 'for-prometheus',
    gauges: [{ name: 'passerelle_test_waiting', help: 'Waiting things', read: async () => 3 }, broken],
  });
});
afterAll(() => app.close());

it('answers alive, ready, and its numbers in Prometheus text', async () => {
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
  expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready' });
  const metrics = await app.inject('/metrics');
  expect(metrics.body).toContain('passerelle_test_waiting 3');
  expect(metrics.body).toContain('process_resident_memory_bytes');
  // One number that cannot be had takes no other along and tells nothing of the inside.
  expect(metrics.statusCode).toBe(200);
  expect(metrics.body).toContain('passerelle_test_broken Nan');
  expect(metrics.body).not.toContain('10.0.0.3');
});

it('gives its numbers to monitoring and to the machine itself, one word to anybody else', async () => {
  const ask = async (url: string, headers: Record<string, string> = {}, remoteAddress = '192.0.2.7') =>
    (await app.inject({ url, remoteAddress, headers })).statusCode;
  expect(await ask('/metrics')).toBe(403);
  expect(await ask('/metrics', { authorization: 'Bearer for-prometheus?' })).toBe(403);
  expect(await ask('/metrics', { authorization: 'Bearer for-prometheus' })).toBe(200);
  expect([await ask('/healthz'), await ask('/readyz')]).toEqual([200, 200]);
  // A proxy on the same machine asks for somebody else.
  expect(await ask('/metrics', { 'x-forwarded-for': '192.0.2.7' }, '127.0.0.1')).toBe(403);
  const untold = fastify();
  await untold.register(healthRoutes, { database });
  const headers = { authorization: 'Bearer undefined' };
  expect((await untold.inject({ url: '/metrics', remoteAddress: '192.0.2.7', headers })).statusCode).toBe(403);
  await untold.close();
});

it('has its numbers also when one of them cannot be had in time', async () => {
  const hanging = fastify();
  const gauges = [{ name: 'passerelle_test_hanging', help: 'Never told', read: () => new Promise<number>(() => {}) }];
  await hanging.register(healthRoutes, { database, gauges });
  const metrics = await hanging.inject('/metrics');
  expect(metrics.body).toContain('passerelle_test_hanging Nan');
  expect(metrics.body).toContain('process_resident_memory_bytes');
  await hanging.close();
});

it('is not ready on a database that takes no writes', async () => {
  const url = new URL(database.url);
  url.searchParams.set('options', '-c default_transaction_read_only=on');
  const standby = openDatabase(url.href, database.adminUrl);
  const closed = fastify();
  await closed.register(healthRoutes, { database: standby });
  const answer = await closed.inject('/readyz');
  expect([answer.statusCode, answer.json()]).toEqual([
    503,
    { status: 'unavailable', reason: 'the database takes no writes' },
  ]);
  await closed.close();
  await standby.close();
});

it('is alive but not ready without its database, and says nothing more to the outside', async () => {
  await database.close();
  expect((await app.inject('/healthz')).statusCode).toBe(200);
  const answer = await app.inject('/readyz');
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ status: 'unavailable', reason: 'the database does not answer' });
});
