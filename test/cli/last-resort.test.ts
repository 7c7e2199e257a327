import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lastWordsBy, surviveOurWords } from '../../src/cli/last-resort.ts';
import { holdDataFolder } from '../../src/cli/running-server.ts';

it('tells of what nobody caught, goes on after a lost promise and ends after an exception', () => {
  const told: string[] = [];
  const log = {
    error: (_: object, message: string) => told.push(`error ${message}`),
    fatal: (_: object, message: string) => told.push(`fatal ${message}`),
  };
  const of = new EventEmitter();
  const codes: number[] = [];
  lastWordsBy(log, of, (code) => codes.push(code));
  of.emit('unhandledRejection', new Error('MOREAU CAMILLE'));
  expect([told, codes]).toEqual([['error a failure that nobody waited for'], []]);
  of.emit('uncaughtException', new Error('MOREAU CAMILLE'));
  expect([told[1], codes]).toEqual(['fatal an error that nobody caught: the server ends', [1]]);
});

it('goes on when its log cannot be written any more', () => {
  const stream = new EventEmitter();
  const lost: string[] = [];
  surviveOurWords([stream], (code) => lost.push(code));
  for (const code of ['ENOSPC', 'EPIPE']) stream.emit('error', Object.assign(new Error('write'), { code }));
  expect(lost).toEqual(['ENOSPC']);
});

it('a data folder is held by a server that lives, not by another program that has its number now', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-held-'));
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(other, 'spawn');
  try {
    await holdDataFolder(folder);
    const own = await readFile(join(folder, 'server.pid'), 'utf8');
    // The number of a live process, and the start of another: what a power cut leaves.
    await writeFile(join(folder, 'server.pid'), own.replace(String(process.pid), String(other.pid)));
    await holdDataFolder(folder);
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const stat = await readFile(`/proc/${other.pid}/stat`, 'utf8');
    const begun = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    await writeFile(join(folder, 'server.pid'), `${other.pid} ${boot}:${begun}`);
    await expect(holdDataFolder(folder)).rejects.toThrow('tourne déjà');
    // Of a version that wrote the number alone.
    await writeFile(join(folder, 'server.pid'), String(other.pid));
    await expect(holdDataFolder(folder)).rejects.toThrow('tourne déjà');
  } finally {
    other.kill();
    await rm(folder, { recursive: true, force: true });
  }
});
