import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inClear, openHandedOver, sealedFor } from '../../../src/vault/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handed-over-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function opened(path: string, identity: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of openHandedOver(path, identity)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('what was written in pieces is read whole by each recipient, and by nobody else', async () => {
  const [one, other, stranger] = [await generateIdentity(), await generateIdentity(), await generateIdentity()];
  const sealing = await sealedFor([await identityToRecipient(one), await identityToRecipient(other)]);
  const path = join(folder, 'pieces.age');
  const content = randomBytes(3_000_000);
  const file = await sealing.create(path);
  for (let at = 0; at < content.length; at += 70_000) await file.write(content.subarray(at, at + 70_000));
  await file.write('fin');
  await file.close();
  const expected = Buffer.concat([content, Buffer.from('fin')]);
  expect((await opened(path, one)).equals(expected)).toBe(true);
  expect((await opened(path, other)).equals(expected)).toBe(true);
  await expect(opened(path, stranger)).rejects.toMatchObject({ code: 'recipient' });
  const sealed = await readFile(path);
  expect(sealed.includes(content.subarray(0, 16))).toBe(false);
  expect((await stat(path)).mode & 0o777).toBe(0o600);

  const cut = join(folder, 'cut.age');
  await writeFile(cut, sealed.subarray(0, sealed.length - 20));
  await expect(opened(cut, one)).rejects.toMatchObject({ code: 'recipient' });
  await appendFile(path, 'x');
  await expect(opened(path, one)).rejects.toMatchObject({ code: 'recipient' });
});

test('nothing is written over, in clear or sealed', async () => {
  const path = join(folder, 'there');
  await writeFile(path, 'x');
  const sealing = await sealedFor([await identityToRecipient(await generateIdentity())]);
  await expect(sealing.create(path)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(inClear.create(path)).rejects.toMatchObject({ code: 'EEXIST' });
});

test('a key that is none is said, and so is nobody', async () => {
  await expect(sealedFor(['age1nothing'])).rejects.toMatchObject({ code: 'recipient' });
  await expect(sealedFor([])).rejects.toMatchObject({ code: 'recipient' });
  await expect(opened(join(folder, 'there'), 'AGE-SECRET-KEY-1X')).rejects.toMatchObject({ code: 'recipient' });
});
