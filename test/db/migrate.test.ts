import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ensureDatabase, migrate } from '../../src/db/index.ts';

let folder = '';
let url = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-migrations-'));
  url = await ensureDatabase(inject('superuserUrl'), `migrate_${process.pid}`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('applies numbered files once, in order, and refuses one that changed', async () => {
  await writeFile(join(folder, '0002_second.sql'), 'INSERT INTO first_table VALUES (2);');
  await writeFile(join(folder, '0001_first.sql'), 'CREATE TABLE first_table (n int);');
  await writeFile(join(folder, 'notes.txt'), 'not a migration');
  expect(await migrate(url, folder)).toEqual(['0001_first.sql', '0002_second.sql']);
  expect(await migrate(url, folder)).toEqual([]);

  await writeFile(join(folder, '0001_first.sql'), 'CREATE TABLE first_table (n bigint);');
  await expect(migrate(url, folder)).rejects.toThrow('0001_first.sql a changé depuis qu’elle a été appliquée');
});

it('leaves nothing of a file that fails, names it, and can go on when it is mended', async () => {
  await writeFile(join(folder, '0001_first.sql'), 'CREATE TABLE first_table (n int);');
  await writeFile(join(folder, '0003_bad.sql'), 'CREATE TABLE half (n int); SELECT no_such_function();');
  await expect(migrate(url, folder)).rejects.toThrow('La migration 0003_bad.sql a échoué');
  await writeFile(join(folder, '0003_bad.sql'), 'CREATE TABLE half (n int);');
  expect(await migrate(url, folder)).toEqual(['0003_bad.sql']);
});

it('lets two servers start at once', async () => {
  await writeFile(join(folder, '0004_once.sql'), 'CREATE TABLE once (n int);');
  const applied = await Promise.all([migrate(url, folder), migrate(url, folder)]);
  expect(applied.flat()).toEqual(['0004_once.sql']);
});
