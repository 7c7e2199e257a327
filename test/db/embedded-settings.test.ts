import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, it } from 'vitest';
import { sizedSettings } from '../../src/db/embedded-settings.ts';
import { startEmbeddedPostgres } from '../../src/db/index.ts';

const gigabyte = 1024 ** 3;

it('takes a quarter of the memory as shared buffers, within what helps', () => {
  expect(sizedSettings(16 * gigabyte, 500 * gigabyte)).toContain('shared_buffers=4096MB');
  expect(sizedSettings(gigabyte / 4, 500 * gigabyte)).toContain('shared_buffers=128MB');
  expect(sizedSettings(512 * gigabyte, 500 * gigabyte)).toContain('shared_buffers=8192MB');
});

it('leaves the log between two checkpoints half the memory, and an eighth of the disk that is free', () => {
  expect(sizedSettings(16 * gigabyte, 500 * gigabyte)).toContain('max_wal_size=8192MB');
  expect(sizedSettings(16 * gigabyte, 24 * gigabyte)).toContain('max_wal_size=3072MB');
  expect(sizedSettings(gigabyte / 4, gigabyte / 4)).toContain('max_wal_size=1024MB');
  expect(sizedSettings(512 * gigabyte, 5_000 * gigabyte)).toContain('max_wal_size=16384MB');
});

it('starts sized for the machine, unless told otherwise', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-sized-'));
  const server = await startEmbeddedPostgres({
    directory: join(folder, 'postgres'),
    settings: ['shared_buffers=160MB', 'max_wal_size=2GB'],
  });
  try {
    const client = new pg.Client({ connectionString: server.superuserUrl });
    await client.connect();
    const { rows } = await client.query(
      "SELECT current_setting('shared_buffers') AS buffers, current_setting('jit') AS jit, current_setting('max_wal_size') AS log",
    );
    await client.end();
    expect(rows).toEqual([{ buffers: '160MB', jit: 'off', log: '2GB' }]);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
