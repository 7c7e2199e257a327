import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createVault,
  destroyFile,
  ensureKeyFile,
  fileKeyId,
  newKeyLine,
  openKeyRing,
  retireKey,
  rotateKeyFile,
} from '../../src/vault/index.ts';
import { testVault } from './ring.ts';

const day = new Date('2026-11-22T10:00:00Z');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function opened(path: string, vault = testVault(), name = 'x'): Promise<string> {
  const file = await open(path, 'r');
  try {
    const content = await vault.open(file, name);
    const bytes = Buffer.alloc(content.size);
    await content.read(bytes, 0, content.size, 0);
    return bytes.toString();
  } finally {
    await file.close();
  }
}

describe('the key ring', () => {
  it('is a file that only its owner reads, made once', async () => {
    const file = join(folder, 'made', 'data-keys');
    ensureKeyFile(file, day);
    const text = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    ensureKeyFile(file, day);
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(openKeyRing({ file }).current().id).toMatch(/^k20261122-[0-9a-f]{6}$/);
  });

  it.each([
    ['no key', ''],
    ['a short key', 'a:AAAA'],
    ['a bad id', `A_B:${Buffer.alloc(32).toString('base64')}`],
    ['one id twice', `a:${Buffer.alloc(32).toString('base64')},a:${Buffer.alloc(32, 1).toString('base64')}`],
  ])('is refused with %s, without showing it', (_what, text) => {
    expect(() => openKeyRing({ text })).toThrow(expect.objectContaining({ code: 'keys' }));
  });

  it('opens with old keys and seals with the newest after a rotation, without a restart', async () => {
    const file = join(folder, 'rotated');
    ensureKeyFile(file, day);
    const running = createVault(openKeyRing({ file }));
    const sealed = await buffer(Readable.from([Buffer.from('old')]).pipe(running.sealing('x')));
    const id = rotateKeyFile(file, day);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const next = createVault(openKeyRing({ file }));
    expect(next.ring.current().id).toBe(id);
    expect((await buffer(Readable.from([sealed]).pipe(next.opening('x')))).toString()).toBe('old');
    // What another process sealed with the new key makes this one look at its file again.
    const fresh = next.sealText('secret', 'new');
    expect(running.openText('secret', fresh)).toBe('new');
    expect(running.ring.current().id).toBe(id);
  });

  it('never gives up the current key', async () => {
    const file = join(folder, 'retired');
    ensureKeyFile(file, day);
    const [old] = openKeyRing({ file }).ids();
    const id = rotateKeyFile(file, day);
    expect(() => retireKey(file, id)).toThrow(expect.objectContaining({ code: 'keys' }));
    retireKey(file, old!);
    expect(openKeyRing({ file }).ids()).toEqual([id]);
  });
});

describe('rewrapping', () => {
  const [oldKey, newKey] = [newKeyLine(day), newKeyLine(day)];
  const before = testVault(oldKey);
  const both = testVault(newKey, oldKey);
  const after = testVault(newKey);

  it('changes the header alone, and the old key is not needed any more', async () => {
    const path = join(folder, 'rewrapped');
    const sealed = await buffer(Readable.from([Buffer.from('content')]).pipe(before.sealing('x')));
    await writeFile(path, sealed);
    expect(await both.rewrap(path, 'x')).toBe(true);
    expect(await both.rewrap(path, 'x')).toBe(false);
    expect(await fileKeyId(path)).toBe(both.ring.current().id);
    expect((await readFile(path)).subarray(256).equals(sealed.subarray(256))).toBe(true);
    expect(await opened(path, after)).toBe('content');
    await expect(opened(path, before)).rejects.toMatchObject({ code: 'key-unknown' });
  });

  it('does not disturb who reads', async () => {
    const path = join(folder, 'read-meanwhile');
    await writeFile(path, await buffer(Readable.from([Buffer.from('content')]).pipe(before.sealing('x'))));
    const reading = await both.open(await open(path, 'r'), 'x');
    await both.rewrap(path, 'x');
    const bytes = Buffer.alloc(7);
    await reading.read(bytes, 0, 7, 0);
    expect(bytes.toString()).toBe('content');
    await reading.close();
  });

  it('survives a crash in the middle of writing the new place', async () => {
    const path = join(folder, 'torn');
    const sealed = await buffer(Readable.from([Buffer.from('content')]).pipe(before.sealing('x')));
    await writeFile(path, sealed);
    await both.rewrap(path, 'x');
    const rewrapped = await readFile(path);
    for (const torn of [1, 4, 20, 60, 111]) {
      const half = Buffer.from(sealed);
      rewrapped.copy(half, 144, 144, 144 + torn);
      await writeFile(path, half);
      expect(await opened(path, both)).toBe('content');
    }
  });

  it('refuses a file that carries another name', async () => {
    const path = join(folder, 'other-name');
    await writeFile(path, await buffer(Readable.from([Buffer.from('content')]).pipe(before.sealing('x'))));
    await expect(both.rewrap(path, 'y')).rejects.toMatchObject({ code: 'damaged' });
  });
});

it('a destroyed file is gone, and what was its first block cannot be opened', async () => {
  const vault = testVault();
  const path = join(folder, 'destroyed');
  await writeFile(path, await buffer(Readable.from([Buffer.from('content')]).pipe(vault.sealing('x'))));
  const still = await open(path, 'r');
  await destroyFile(path);
  await expect(vault.open(still, 'x')).rejects.toMatchObject({ code: 'not-sealed' });
  await still.close();
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('a sealed text', () => {
  const vault = testVault();

  it('opens under its name alone', () => {
    const sealed = vault.sealText('totp/aa/x', 'JBSWY3DPEHPK3PXP é');
    expect(sealed).not.toContain('JBSWY3DP');
    expect(vault.openText('totp/aa/x', sealed)).toBe('JBSWY3DPEHPK3PXP é');
    expect(() => vault.openText('totp/aa/y', sealed)).toThrow(expect.objectContaining({ code: 'damaged' }));
  });

  it('is refused after any change of a character', () => {
    const sealed = vault.sealText('n', 'secret');
    for (let at = 0; at < sealed.length - 1; at++) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      expect(() => vault.openText('n', sealed.slice(0, at) + other + sealed.slice(at + 1))).toThrow(
        expect.objectContaining({ name: 'VaultError' }),
      );
    }
    expect(() => vault.openText('n', sealed.slice(0, -6))).toThrow(expect.objectContaining({ name: 'VaultError' }));
  });

  it('is told to be stale after a rotation', () => {
    const [oldKey, newKey] = [newKeyLine(day), newKeyLine(day)];
    const sealed = testVault(oldKey).sealText('n', 'secret');
    const rotated = testVault(newKey, oldKey);
    expect(rotated.isStaleText(sealed)).toBe(true);
    expect(rotated.openText('n', sealed)).toBe('secret');
    expect(rotated.isStaleText(rotated.sealText('n', 'secret'))).toBe(false);
  });
});
