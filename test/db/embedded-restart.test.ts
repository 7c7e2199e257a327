/** The embedded PostgreSQL's main process killed, as the kernel does for want of memory: whoever keeps it running starts it again. */
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../src/db/index.ts';

type EmbeddedPostgres = Awaited<ReturnType<typeof startEmbeddedPostgres>>;

let folder = '';
let opened: EmbeddedPostgres[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-restart-'));
});
afterEach(async () => {
  for (const server of opened) await server.stop();
  opened = [];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The one cluster of this file, as a server opens it, or a command beside it. */
async function open(options: { visitor?: boolean } = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), ...options });
  opened.push(server);
  return server;
}

async function lock(): Promise<{ pid: number; port: string }> {
  const [pid, , , port = ''] = (await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
  return { pid: Number(pid), port };
}

async function killIt(): Promise<number> {
  const { pid } = await lock();
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** Every process that works inside the cluster. */
function processes(): number[] {
  const placeOf = (pid: string) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`);
    } catch {
      return undefined;
    }
  };
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers.filter((pid) => placeOf(pid) === join(folder, 'postgres')).map(Number);
}

function recorder() {
  const lines: { level: string; facts: object; message: string }[] = [];
  const at = (level: string) => (facts: object, message: string) => void lines.push({ level, facts, message });
  return { lines, error: at('error'), warn: at('warn') };
}

async function connect({ superuserUrl }: EmbeddedPostgres): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: superuserUrl });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function ask(server: EmbeddedPostgres, text: string): Promise<unknown> {
  const client = await connect(server);
  try {
    return Object.values((await client.query(text)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

const inTime = { timeout: 30_000 };

it('starts it again at the same address with all that was kept, at once and then with patience, and tells the operator', async () => {
  const server = await open();
  const log = recorder();
  server.keepRunning(log);
  await ask(server, 'CREATE TABLE kept AS SELECT 42 AS n');
  const first = await killIt();
  await expect.poll(() => log.lines.length, inTime).toBe(2);
  expect(await ask(server, 'SELECT n FROM kept')).toBe(42);
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ['error', 'the embedded PostgreSQL ended by itself: it is started again'],
    ['warn', 'the embedded PostgreSQL runs again'],
  ]);
  expect(log.lines[0]!.facts).toEqual({ process: first, signal: 'SIGKILL', waitMs: 0 });

  const second = await killIt();
  expect(second).not.toBe(first);
  await expect.poll(() => log.lines.length, inTime).toBe(4);
  expect(log.lines[2]!.facts).toMatchObject({ process: second, waitMs: 1000 });
  expect(await ask(server, 'SELECT n FROM kept')).toBe(42);
  await server.stop();
  expect(processes()).toEqual([]);
}, 60_000);

it('starts none beside a backend of the old one that still works: that ends first', async () => {
  const server = await open();
  const log = recorder();
  server.keepRunning(log);
  const client = await connect(server);
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const backend = rows[0]!.pid;
  // In the middle of a computation it does not notice that its postmaster is gone.
  const computation = client.query('SELECT count(*) FROM generate_series(1, 1000000000000)').catch(() => 'ended');
  await expect.poll(() => readFile(`/proc/${backend}/cmdline`, 'utf8')).toContain('SELECT');
  await killIt();
  await expect.poll(() => log.lines.length, inTime).toBe(2);
  expect(await computation).toBe('ended');
  expect(processes()).not.toContain(backend);
  expect(await ask(server, 'SELECT 1')).toBe(1);
}, 60_000);

it('starts, after server and PostgreSQL were killed together, beside no backend that still works', async () => {
  const first = await open();
  const client = await connect(first);
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const backend = rows[0]!.pid;
  const computation = client.query('SELECT count(*) FROM generate_series(1, 1000000000000)').catch(() => 'ended');
  await expect.poll(() => readFile(`/proc/${backend}/cmdline`, 'utf8')).toContain('SELECT');
  const killed = await killIt();
  await expect.poll(() => processes()).not.toContain(killed);
  const second = await open();
  expect(await computation).toBe('ended');
  expect(processes()).not.toContain(backend);
  expect(second.superuserUrl).toBe(first.superuserUrl);
  expect(await ask(second, 'SELECT 1')).toBe(1);
}, 60_000);

it('stops in order while it is away, and leaves nothing running', async () => {
  const server = await open();
  const log = recorder();
  server.keepRunning(log);
  await killIt();
  await expect.poll(() => log.lines.length).toBe(1);
  await server.stop();
  expect(processes()).toEqual([]);
  // What it left is no hindrance to the next start.
  expect(await ask(await open(), 'SELECT 1')).toBe(1);
}, 60_000);

it('starts again one that it took over from a server that was killed', async () => {
  const left = await open();
  const heir = await open();
  const log = recorder();
  heir.keepRunning(log);
  await killIt();
  await expect.poll(() => log.lines.length, inTime).toBe(2);
  expect(await ask(heir, 'SELECT 1')).toBe(1);
  expect(heir.superuserUrl).toBe(left.superuserUrl);
}, 60_000);

it('a command that starts while it is away works with it, and its end is not the end of it', async () => {
  const server = await open();
  const log = recorder();
  server.keepRunning(log);
  await killIt();
  await expect.poll(() => log.lines.length).toBe(1);
  const visitor = await open({ visitor: true });
  expect(visitor.superuserUrl).toBe(server.superuserUrl);
  expect(await ask(visitor, 'SELECT 1')).toBe(1);
  await visitor.stop();
  await expect.poll(() => ask(server, 'SELECT 1').catch(() => 'away'), inTime).toBe(1);
  await server.stop();
  expect(processes()).toEqual([]);
}, 60_000);
