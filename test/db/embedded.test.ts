import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../src/db/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-embedded-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function ask(url: string, text: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

it('makes a cluster, keeps its data over a restart, and takes over a server left running', async () => {
  const directory = join(folder, 'postgres');
  const first = await startEmbeddedPostgres({ directory });
  await ask(first.superuserUrl, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)');
  await first.stop();
  await expect(ask(first.superuserUrl, 'SELECT 1')).rejects.toThrow();

  const second = await startEmbeddedPostgres({ directory });
  expect(await ask(second.superuserUrl, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);

  const visitor = await startEmbeddedPostgres({ directory, visitor: true });
  expect(visitor.superuserUrl).toBe(second.superuserUrl);
  await visitor.stop();
  expect(await ask(second.superuserUrl, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);

  // As after a SIGKILL of the process that started it: nobody stopped the server.
  const heir = await startEmbeddedPostgres({ directory });
  expect(heir.superuserUrl).toBe(second.superuserUrl);
  await heir.stop();
  await expect(ask(second.superuserUrl, 'SELECT 1')).rejects.toThrow();
});

it('waits for a server that is not ready yet instead of taking its lock file away', async () => {
  const directory = join(folder, 'recovering');
  const first = await startEmbeddedPostgres({ directory });
  const lock = join(directory, 'postmaster.pid');
  // It says so in its log before it does in its file.
  await expect.poll(() => readFile(lock, 'utf8')).toMatch(/^ready/m);
  const ready = await readFile(lock, 'utf8');
  // In one piece: it is read meanwhile.
  const say = async (text: string) => {
    await writeFile(`${lock}.new`, text);
    await rename(`${lock}.new`, lock);
  };
  await say(ready.replace(/^ready\s*$/m, 'starting'));
  const second = startEmbeddedPostgres({ directory });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await readFile(lock, 'utf8')).toContain('starting');
  await say(ready);
  expect((await second).superuserUrl).toBe(first.superuserUrl);
  await first.stop();
});
