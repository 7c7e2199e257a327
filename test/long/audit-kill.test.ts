/**
 * Every answered read has its AuditEvent and the chain of the trail holds, whatever becomes of the server (design §5 rule 9): it is
 * killed in the middle of 5,000 reads over many connections, and started again on the same data.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AuditEvent, Bundle, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';

const reads = 5_000;
const connections = 48;
/** Killed when this many reads were answered. */
const killAfter = 2_000;
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The test runner's own BASE_URL (`/`) is not the server's. */
const environment = { LOG_LEVEL: 'error', BASE_URL: '' };

let folder: string;
let server: ChildServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-audit-kill-'));
  server = await startChildServer(environment, folder);
});
afterAll(async () => {
  // Undefined when it never became ready.
  await (server as ChildServer | undefined)?.stop();
  await rm(folder, { recursive: true, force: true });
});

const requestId = (n: number) => `audit-kill-${String(n).padStart(5, '0')}`;

/** Reads one resource again and again; @returns request ids of the reads that were answered. */
async function readAll(token: string, path: string, onAnswer: (count: number) => void): Promise<string[]> {
  const answered: string[] = [];
  let next = 0;
  const work = async () => {
    for (let n = next++; n < reads; n = next++) {
      const id = requestId(n);
      try {
        const response = await fetch(`${server.httpUrl}/fhir/${path}`, {
          headers: { authorization: `Bearer ${token}`, 'x-request-id': id },
        });
        expect(response.status).toBe(200);
        await response.arrayBuffer();
      } catch (error) {
        if ((error as Error).name === 'AssertionError') throw error;
        return;
      }
      answered.push(id);
      onAnswer(answered.length);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return answered;
}

/** Request ids of the trail that are ours, with how many events each has. */
async function recorded(token: string, path: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  let url: string | undefined = `${server.httpUrl}/fhir/AuditEvent?entity=${path}&subtype=read&_count=1000`;
  while (url !== undefined) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(200);
    const bundle = (await response.json()) as Bundle<AuditEvent>;
    for (const { resource } of bundle.entry ?? []) {
      const id = resource?.entity?.find(({ type }) => type?.code === 'XrequestId')?.what?.identifier?.value;
      if (id?.startsWith('audit-kill-')) found.set(id, (found.get(id) ?? 0) + 1);
    }
    url = bundle.link?.find((link) => link.relation === 'next')?.url;
  }
  return found;
}

it('a SIGKILL during audited reads leaves every answered read in the trail, once, under a chain that holds', async () => {
  const token = (await server.token('conformance')).trim();
  const made = await fetch(`${server.httpUrl}/fhir/Patient`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Patient', name: [{ family: 'TEST-TRACE' }] }),
  });
  expect(made.status).toBe(201);
  const patient = (await made.json()) as Patient;
  const path = `Patient/${patient.id}`;

  const gone = once(server.process, 'exit');
  const answered = await readAll(token, path, (count) => {
    if (count === killAfter) server.process.kill('SIGKILL');
  });
  await gone;
  expect(answered.length).toBeGreaterThanOrEqual(killAfter);
  expect(answered.length).toBeLessThan(reads);

  server = await startChildServer(environment, folder);
  const again = (await server.token('conformance')).trim();
  const events = await recorded(again, path);
  expect(answered.filter((id) => events.get(id) !== 1)).toEqual([]);
  expect([...events].filter(([, count]) => count !== 1)).toEqual([]);

  const { stdout } = await promisify(execFile)(process.execPath, [main, 'audit-verify'], {
    env: { ...process.env, ...environment, DATA_DIR: folder, DATABASE_URL: '', PORT: new URL(server.httpUrl).port },
  });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThanOrEqual(2);
  for (const line of lines) expect(line).toMatch(/^[a-z-]+ : entière\. /);
});
