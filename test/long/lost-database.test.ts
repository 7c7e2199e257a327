/**
 * The server outlives its database: sessions ended by an operator again and again in the middle of a load, a backend that dies (PostgreSQL then
 * restarts all of itself), PostgreSQL's main process killed (the server starts it again), a SIGTERM in the middle. What was acknowledged is there, once; the process stays, and says whether it is ready.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle, Task } from '@medplum/fhirtypes';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectMllp } from '../../src/adapters/hl7v2/index.ts';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { render, request } from '../fixtures/hl7v2/messages.ts';

const messages = 120;
const connections = 4;
const environment = { LOG_LEVEL: 'error', BASE_URL: '' };

let folder: string;
let server: ChildServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-lost-'));
  server = await startChildServer(environment, folder);
});
afterAll(async () => {
  await (server as ChildServer | undefined)?.stop({ keepData: true });
  await rm(folder, { recursive: true, force: true });
});

const born = (n: number) => new Date(Date.UTC(1930, 0, 1 + 7 * n)).toISOString().slice(0, 10).replaceAll('-', '');
const octets = (prefix: string, n: number) =>
  Buffer.from(
    render(
      request({
        controlId: `${prefix}${String(n).padStart(5, '0')}`,
        placer: `${prefix}-${n}`,
        ipp: `9${prefix.length}${String(n).padStart(8, '0')}`,
      }),
    )
      .replace(/~\d{15}\^\^\^ASIP[^|]*/, '')
      .replace('|VALI|', '|PROV|')
      .replace('|19900214|', `|${born(n + 1000 * prefix.length)}|`),
  );

/** Sends each until it is acknowledged AA, as a RIS does, or until the server is gone. @returns the numbers acknowledged. */
async function sendAll(prefix: string, onAck: (count: number) => void = () => undefined): Promise<number[]> {
  const waiting = Array.from({ length: messages }, (_, n) => n + 1);
  const acknowledged: number[] = [];
  const work = async () => {
    const client = await connectMllp({ host: '127.0.0.1', port: server.mllpPort });
    try {
      for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
        const answer = (await client.send(octets(prefix, n))).toString();
        if (!/\rMSA\|AA\|/.test(answer)) {
          // Not taken in charge: the database was away. It comes again.
          expect(answer).toMatch(/\rMSA\|A[ER]\|/);
          waiting.push(n);
          continue;
        }
        acknowledged.push(n);
        onAck(acknowledged.length);
      }
    } finally {
      await client.close();
    }
  };
  for (const result of await Promise.allSettled(Array.from({ length: connections }, work)))
    if (result.status === 'rejected' && (result.reason as Error).name !== 'MllpError') throw result.reason;
  return acknowledged;
}

/** How many cases each placer number has. */
async function casesOf(prefix: string): Promise<Map<string, number>> {
  const token = (await server.token('conformance')).trim();
  const found = new Map<string, number>();
  let url: string | undefined = `${server.httpUrl}/fhir/Task?code=teleradiology-case&_count=500`;
  while (url !== undefined) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(200);
    const bundle = (await response.json()) as Bundle<Task>;
    for (const { resource } of bundle.entry ?? []) {
      const number = resource?.groupIdentifier?.value ?? '';
      if (number.startsWith(`${prefix}-`)) found.set(number, (found.get(number) ?? 0) + 1);
    }
    url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return found;
}

async function superuser(): Promise<pg.Client> {
  const password = (await readFile(join(folder, 'postgres.password'), 'utf8')).trim();
  const port = (await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[3];
  const client = new pg.Client({ connectionString: `postgresql://postgres:${password}@127.0.0.1:${port}/passerelle` });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const ready = async () => (await fetch(`${server.httpUrl}/readyz`)).status;
const isAlive = () => server.process.exitCode === null && server.process.signalCode === null;

it('sessions that end in the middle of everything cost no acknowledged message and double none', async () => {
  const operator = await superuser();
  let isOver = false;
  const ending = (async () => {
    while (!isOver) {
      await operator.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'passerelle%' AND random() < 0.5",
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  const acknowledged = await sendAll('END');
  isOver = true;
  await ending;
  await operator.end();
  expect(isAlive()).toBe(true);
  expect(acknowledged).toHaveLength(messages);
  await expect.poll(ready, { timeout: 10_000 }).toBe(200);
  const cases = await casesOf('END');
  expect(acknowledged.filter((n) => cases.get(`END-${n}`) !== 1)).toEqual([]);
});

it('a backend that dies, and with it all sessions, costs no acknowledged message and doubles none', async () => {
  const operator = await superuser();
  const { rows } = await operator.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'passerelle' LIMIT 1",
  );
  const acknowledged = await sendAll('CRASHED', (count) => {
    if (count === 30) process.kill(rows[0]!.pid, 'SIGKILL');
  });
  await operator.end().catch(() => undefined);
  expect(isAlive()).toBe(true);
  expect(acknowledged).toHaveLength(messages);
  await expect.poll(ready, { timeout: 20_000 }).toBe(200);
  const cases = await casesOf('CRASHED');
  expect(acknowledged.filter((n) => cases.get(`CRASHED-${n}`) !== 1)).toEqual([]);
});

it('PostgreSQL killed as a whole is started again by the server: nothing acknowledged is lost or doubled, and everything resumes', async () => {
  const token = (await server.token('conformance')).trim();
  const asked = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
  const create = (resource: object & { resourceType: string }) =>
    fetch(`${server.httpUrl}/fhir/${resource.resourceType}`, {
      method: 'POST',
      headers: asked,
      body: JSON.stringify(resource),
    });
  const heard: string[] = [];
  const listener = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      heard.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
  const subscribed = await create({
    ...{ resourceType: 'Subscription', status: 'requested', reason: 'restart', criteria: 'Basic?code=after-restart' },
    channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json' },
  } as { resourceType: string });
  expect(subscribed.status).toBe(201);

  const pid = Number((await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  const refused: { status: number; body: string }[] = [];
  const watching = (async () => {
    // Refusals meanwhile, until it answers again.
    for (let isBack = false; !isBack; ) {
      const response = await create({ resourceType: 'Basic', code: { text: 'meanwhile' } } as { resourceType: string });
      const body = await response.text();
      if (response.status === 201) isBack = refused.length > 0;
      else refused.push({ status: response.status, body });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const acknowledged = await sendAll('KILLED-WHOLE', (count) => {
    if (count === 30) process.kill(pid, 'SIGKILL');
  });
  await watching;
  expect(isAlive()).toBe(true);
  expect(acknowledged).toHaveLength(messages);
  // In doubt is only what was being kept when it died.
  expect(refused.filter(({ status }) => status !== 503).length).toBeLessThanOrEqual(1);
  expect(refused.find(({ status }) => status === 503)?.body).toContain('rien n’a été enregistré');
  await expect.poll(ready, { timeout: 20_000 }).toBe(200);
  const cases = await casesOf('KILLED-WHOLE');
  expect(acknowledged.filter((n) => cases.get(`KILLED-WHOLE-${n}`) !== 1)).toEqual([]);

  const told = await create({
    resourceType: 'Basic',
    code: { coding: [{ system: 'urn:test', code: 'after-restart' }] },
  } as { resourceType: string });
  expect(told.status).toBe(201);
  await expect.poll(() => heard.some((body) => body.includes('after-restart')), { timeout: 20_000 }).toBe(true);
  const operator = await superuser();
  // Whoever sends holds its lock again; whoever notifies listens again.
  const sessions = async () =>
    (
      await operator.query<{ name: string }>(
        `SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE application_name IN ('passerelle-delivery', 'passerelle-subscriptions')
         AND EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 7253020) ORDER BY 1`,
      )
    ).rows.map(({ name }) => name);
  await expect.poll(sessions, { timeout: 20_000 }).toEqual(['passerelle-delivery', 'passerelle-subscriptions']);
  await operator.end();
  await new Promise((resolve) => listener.close(resolve));
}, 120_000);

it('a SIGTERM in the middle ends the server soon and in order, and loses nothing acknowledged', async () => {
  const gone = once(server.process, 'exit');
  // A body that never ends must not hold the stop.
  const { hostname, port } = new URL(server.httpUrl);
  const stuck = await import('node:net').then(({ connect }) => connect(Number(port), hostname));
  stuck.on('error', () => undefined);
  stuck.write(
    'POST /fhir/Basic HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: 99\r\n\r\n',
  );
  const acknowledged = await sendAll('STOPPED-NOW', (count) => {
    if (count === 30) server.process.kill('SIGTERM');
  });
  const [code] = await gone;
  expect(code).toBe(0);
  expect(acknowledged.length).toBeGreaterThanOrEqual(30);
  stuck.destroy();
  server = await startChildServer(environment, folder);
  const cases = await casesOf('STOPPED-NOW');
  expect(acknowledged.filter((n) => cases.get(`STOPPED-NOW-${n}`) !== 1)).toEqual([]);
}, 120_000);
