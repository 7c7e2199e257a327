/**
 * An acknowledged message is never lost and never done twice (design §5 rule 1): the server is killed in the middle of a load and
 * started again on the same data.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectMllp, type MllpClient } from '../../src/adapters/hl7v2/index.ts';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { render, request } from '../fixtures/hl7v2/messages.ts';

const messages = 1_000;
const connections = 8;
/** Killed when this many acknowledgements have arrived. */
const killAfter = 400;

/** The test runner's own BASE_URL (`/`) is not the server's. */
const environment = { LOG_LEVEL: 'error', BASE_URL: '' };

let folder: string;
let server: ChildServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-kill-'));
  server = await startChildServer(environment, folder);
});
afterAll(async () => {
  // Undefined when it never became ready.
  await (server as ChildServer | undefined)?.stop({ keepData: true });
  await rm(folder, { recursive: true, force: true });
});

const controlId = (n: number) => `KILL${String(n).padStart(6, '0')}`;
/** One birth date each: a thousand patients of one name and date are a thousand homonyms, which is another test's matter. */
const born = (n: number) => new Date(Date.UTC(1930, 0, 1 + 7 * n)).toISOString().slice(0, 10).replaceAll('-', '');
const octets = (n: number) =>
  Buffer.from(
    render(request({ controlId: controlId(n), placer: `KILL-${n}`, ipp: `8${String(n).padStart(9, '0')}` }))
      // One INS belongs to one patient only: these are told apart by their IPP.
      .replace(/~\d{15}\^\^\^ASIP[^|]*/, '')
      .replace('|VALI|', '|PROV|')
      .replace('|19900214|', `|${born(n)}|`),
  );

/** Sends every message given, over eight connections; stops where the connection is lost. @returns numbers acknowledged AA. */
async function sendAll(numbers: readonly number[], onAck: (acknowledged: number) => void): Promise<number[]> {
  const waiting = [...numbers];
  const acknowledged: number[] = [];
  const work = async (client: MllpClient) => {
    for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
      const answer = await client.send(octets(n));
      expect(answer.toString()).toContain(`MSA|AA|${controlId(n)}`);
      acknowledged.push(n);
      onAck(acknowledged.length);
    }
  };
  const clients = await Promise.all(
    Array.from({ length: connections }, () => connectMllp({ host: '127.0.0.1', port: server.mllpPort })),
  );
  const results = await Promise.allSettled(clients.map(work));
  await Promise.all(clients.map((client) => client.close()));
  for (const result of results) {
    if (result.status === 'rejected' && (result.reason as Error).name !== 'MllpError') throw result.reason;
  }
  return acknowledged;
}

/** How many cases each placer number has, through the FHIR interface. */
async function casesByNumber(): Promise<Map<string, number>> {
  const token = (await server.token('conformance')).trim();
  const found = new Map<string, number>();
  let url: string | undefined = `${server.httpUrl}/fhir/Task?code=teleradiology-case&_count=500`;
  while (url !== undefined) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(200);
    const bundle = (await response.json()) as Bundle<Task>;
    for (const entry of bundle.entry ?? []) {
      const number = entry.resource?.groupIdentifier?.value ?? '';
      if (number.startsWith('KILL-')) found.set(number, (found.get(number) ?? 0) + 1);
    }
    url = bundle.link?.find((link) => link.relation === 'next')?.url;
  }
  return found;
}

it('a SIGKILL in the middle of a load loses no acknowledged message, and a second sending doubles none', async () => {
  const all = Array.from({ length: messages }, (_, index) => index + 1);
  const gone = once(server.process, 'exit');
  const before = await sendAll(all, (count) => {
    if (count === killAfter) server.process.kill('SIGKILL');
  });
  await gone;
  expect(before.length).toBeGreaterThanOrEqual(killAfter);
  expect(before.length).toBeLessThan(messages);

  server = await startChildServer(environment, folder);
  const survived = await casesByNumber();
  expect(before.filter((n) => survived.get(`KILL-${n}`) !== 1)).toEqual([]);

  // A RIS sends again what it has no answer for, and after a restore perhaps everything.
  const after = await sendAll(all, () => undefined);
  expect(after).toHaveLength(messages);
  const cases = await casesByNumber();
  expect(all.filter((n) => cases.get(`KILL-${n}`) !== 1)).toEqual([]);
});
