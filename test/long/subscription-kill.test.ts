/**
 * What was acknowledged is told, under numbers without gaps, whatever becomes of the server: it is killed (kill -9) in the middle of
 * writing and of delivering, and started again on the same data.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import {
  asked,
  focusesIn,
  numbersIn,
  openReceiver,
  order,
  type Receiver,
  topic,
} from '../fhir/subscriptions/support.ts';

const requests = 600;
const writers = 8;
/** Killed when so many requests were acknowledged, and again when so many notifications had arrived after the restart. */
const killAfterWrites = 250;
const killAfterNotifications = 20;

/** The test runner's own BASE_URL (`/`) is not the server's. */
const environment = { LOG_LEVEL: 'error', BASE_URL: '' };

let folder: string;
let server: ChildServer;
let hook: Receiver;
let token: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-subscription-kill-'));
  hook = await openReceiver();
  await start();
});
afterAll(async () => {
  await (server as ChildServer | undefined)?.stop({ keepData: true });
  await hook.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  server = await startChildServer(environment, folder);
  token = (await server.token('conformance')).trim();
}

async function kill(): Promise<void> {
  const gone = once(server.process, 'exit');
  server.process.kill('SIGKILL');
  await gone;
}

async function send(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: { id: string; status: string } }> {
  const response = await fetch(`${server.httpUrl}/fhir/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as never };
}

/** Looks until it holds; only the outside is seen. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Event numbers as they arrived, with what each was about. */
function arrived(): { number: number; id: string | undefined }[] {
  return hook.received.flatMap(({ body }) => {
    const focuses = focusesIn(body);
    return numbersIn(body).map((number, n) => ({ number, id: focuses[n]?.split('/').at(-1) }));
  });
}

it('tells every acknowledged request after kill -9, in order, and repeats numbers only for what it cannot know was taken', async () => {
  const subscription = asked(topic('request-received'), { endpoint: hook.url, content: 'id-only', maxCount: 5 });
  const { body: made } = await send('POST', 'Subscription', subscription);
  await until(async () => (await send('GET', `Subscription/${made.id}`)).body.status === 'active');

  const waiting = Array.from({ length: requests }, (_, n) => `kill-${n}`);
  const acknowledged: string[] = [];
  const write = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const { status } = await send('PUT', `ServiceRequest/${id}`, { ...order(), id });
      expect([200, 201]).toContain(status);
      acknowledged.push(id);
      if (acknowledged.length === killAfterWrites) await kill();
    }
  };
  await Promise.allSettled(Array.from({ length: writers }, write));
  expect(acknowledged.length).toBeGreaterThanOrEqual(killAfterWrites);

  await start();
  const before = hook.received.length;
  const rest = Promise.allSettled(Array.from({ length: writers }, write));
  await until(() => hook.received.length >= before + killAfterNotifications);
  await kill();
  await rest;
  await start();
  while (waiting.length > 0) await Promise.all(Array.from({ length: writers }, write));

  await until(() => {
    const told = new Set(arrived().map(({ id }) => id));
    return acknowledged.every((id) => told.has(id));
  });
  const about = new Map<number, string | undefined>();
  let last = 0;
  for (const { number, id } of arrived()) {
    // A repetition goes back over one notification at most, and tells the same again; a new number is the next one.
    if (about.has(number)) expect(about.get(number)).toBe(id);
    else expect(number).toBe(last + 1);
    last = Math.max(last, number);
    about.set(number, id);
  }
  const repeated = arrived().length - about.size;
  expect(repeated).toBeLessThanOrEqual(2 * 5);
}, 400_000);
