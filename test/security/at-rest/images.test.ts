import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobFiles, contentOf, openTestRoom, storeFiles, type TestRoom } from '../../imaging/room.ts';
import { smallCt } from '../../support/synthetic-ct.ts';

let room: TestRoom;
const name = 'TEST-SECRET^MADELEINE';
/** Studies of one image, told apart by a number. */
const studyUid = (number: number) => `2.25.70${number}`;
const image = (number: number) => smallCt({ studyUid: studyUid(number), patientName: name, slices: 1 })[0]!;

beforeAll(async () => {
  room = await openTestRoom();
});
afterAll(() => room.close());

async function stored(number: number) {
  for await (const instance of room.imaging.listInstances('aa', { studyUid: studyUid(number) })) return instance;
  throw new Error('not stored');
}

const pathOf = (blob: string) => join(room.folder, 'aa', blob.slice(0, 2), blob);

describe('images at rest', () => {
  it('are nowhere in clear on the disk', async () => {
    const file = image(1);
    expect(file.includes(name)).toBe(true);
    await storeFiles(room.imaging, [file]);
    for (const entry of await readdir(room.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      expect(bytes.includes('MADELEINE')).toBe(false);
      expect(bytes.includes('DICM')).toBe(false);
    }
    const opened = await room.imaging.open('aa', await stored(1));
    expect((await contentOf(opened)).equals(file)).toBe(true);
    await opened.close();
  });

  it('do not open in the place of another image, nor when a clear file is put in their place', async () => {
    await storeFiles(room.imaging, [image(2), image(3)]);
    const [two, three] = [await stored(2), await stored(3)];
    const kept = await readFile(pathOf(two.blob));
    await copyFile(pathOf(three.blob), pathOf(two.blob));
    await expect(room.imaging.open('aa', two)).rejects.toMatchObject({ code: 'damaged' });
    await writeFile(pathOf(two.blob), image(2));
    await expect(room.imaging.open('aa', two)).rejects.toMatchObject({ code: 'not-sealed' });
    expect((await room.imaging.keepAtRest('aa')).damaged).toEqual([two.blob]);
    await writeFile(pathOf(two.blob), kept);
    expect((await room.imaging.keepAtRest('aa')).damaged).toEqual([]);
  });

  it('that are older than the vault are read, and sealed when asked for', async () => {
    const file = image(4);
    await storeFiles(room.imaging, [file]);
    const { blob } = await stored(4);
    // As an earlier version left it.
    const clear = 'c'.repeat(32);
    await mkdir(join(room.folder, 'aa', 'cc'), { recursive: true });
    await writeFile(pathOf(clear), file);
    await room.database.query('aa', 'UPDATE dicom_instance SET blob = $2 WHERE tenant = $1 AND blob = $3', [
      'aa',
      clear,
      blob,
    ]);
    const before = await room.imaging.open('aa', await stored(4));
    expect((await contentOf(before)).equals(file)).toBe(true);
    await before.close();

    expect(await room.imaging.keepAtRest('aa')).toEqual({ sealed: 1, rewrapped: 0, damaged: [] });
    expect(await blobFiles(room.folder)).not.toContain(clear);
    const after = await stored(4);
    expect(after.blob).toMatch(/^v/);
    const opened = await room.imaging.open('aa', after);
    expect(
      createHash('sha256')
        .update(await contentOf(opened))
        .digest()
        .equals(after.sha256),
    ).toBe(true);
    await opened.close();
  });

  it('that were changed while they lay in clear are not vouched for', async () => {
    const file = image(5);
    await storeFiles(room.imaging, [file]);
    const clear = 'd'.repeat(32);
    await mkdir(join(room.folder, 'aa', 'dd'), { recursive: true });
    const changed = Buffer.from(file);
    changed[changed.length - 1]! ^= 1;
    await writeFile(pathOf(clear), changed);
    const { blob } = await stored(5);
    await room.database.query('aa', 'UPDATE dicom_instance SET blob = $2 WHERE tenant = $1 AND blob = $3', [
      'aa',
      clear,
      blob,
    ]);
    expect(await room.imaging.keepAtRest('aa')).toMatchObject({ sealed: 0, damaged: [clear] });
    expect((await stored(5)).blob).toBe(clear);
  });
});
