/** The real clamd, where it is installed, with a database of one signature of our own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { scan } from '../../src/access/malware/clamd.ts';

const program = ['/usr/sbin/clamd', '/usr/bin/clamd'].find((path) => existsSync(path));
const folder = await mkdtemp(join(tmpdir(), 'passerelle-clamd-'));
const path = join(folder, 'clamd.sock');
const bad = Buffer.from(['PASSERELLE', 'TEST', 'SIGNATURE'].join('-'));
let daemon: ChildProcess;

const settings = { clamd: { path }, timeoutMs: 20_000 };
async function* pieces(octets: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < octets.length; at += 10_000) yield octets.subarray(at, at + 10_000);
}

describe.runIf(program)('clamd', () => {
  beforeAll(async () => {
    const database = join(folder, 'db');
    await mkdir(database);
    await writeFile(join(database, 'own.ndb'), `Passerelle.Test:0:*:${bad.toString('hex')}\n`);
    const config = join(folder, 'clamd.conf');
    const lines = [
      `LocalSocket ${path}`,
      `DatabaseDirectory ${database}`,
      'Foreground yes',
      'StreamMaxLength 1M',
      'User root',
    ];
    await writeFile(config, `${(process.getuid?.() === 0 ? lines : lines.slice(0, -1)).join('\n')}\n`);
    await chmod(folder, 0o700);
    daemon = spawn(program!, ['--config-file', config], { stdio: 'ignore' });
    // Loading its database takes it a moment: ready when it answers.
    await vi.waitFor(() => scan(settings, pieces(Buffer.from('x'))), { timeout: 60_000, interval: 200 });
  }, 90_000);
  afterAll(async () => {
    daemon?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it('finds what is infected, lets pass what is clean, whatever the size', async () => {
    const filler = Buffer.alloc(300_000, 'a');
    expect(await scan(settings, pieces(Buffer.concat([filler, bad, filler])))).toEqual({
      kind: 'infected',
      signature: 'Passerelle.Test.UNOFFICIAL',
    });
    expect(await scan(settings, pieces(filler))).toEqual({ kind: 'clean' });
    expect(await scan(settings, pieces(Buffer.alloc(0)))).toEqual({ kind: 'clean' });
  });

  it('says that a stream is longer than it takes', async () => {
    await expect(scan(settings, pieces(Buffer.alloc(3_000_000, 'a')))).rejects.toMatchObject({ reason: 'too-large' });
  });
});

it.skipIf(program)('clamd is not installed here: nothing was shown', () => {
  expect(() => execFileSync('clamd', ['--version'])).toThrow();
});
