import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import iconv from 'iconv-lite';

/** A folder for files in the formats of publishers, with content of our own making. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'terminology-'));
  return {
    path,
    async write(name: string, content: string | Buffer): Promise<string> {
      const file = join(path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    },
    remove: () => rm(path, { recursive: true }),
  };
}

export const table = (separator: string, ...rows: (string | number)[][]) =>
  rows.map((row) => `${row.join(separator)}\r\n`).join('');

/** A dBase III table of character fields in DOS Western Europe. */
export function dbf(fields: Record<string, number>, rows: Record<string, string>[]): Buffer {
  const names = Object.keys(fields);
  const width = 1 + Object.values(fields).reduce((sum, length) => sum + length, 0);
  const header = Buffer.alloc(32 + 32 * names.length + 1);
  header[0] = 3;
  header.writeUInt32LE(rows.length, 4);
  header.writeUInt16LE(header.length, 8);
  header.writeUInt16LE(width, 10);
  names.forEach((name, n) => {
    header.write(name, 32 + 32 * n, 'latin1');
    header[32 + 32 * n + 11] = 'C'.charCodeAt(0);
    header[32 + 32 * n + 16] = fields[name]!;
  });
  header[header.length - 1] = 0x0d;
  const records = rows.map((row) => {
    const text = names.map((name) => (row[name] ?? '').padEnd(fields[name]!)).join('');
    return Buffer.concat([Buffer.from(row.deleted ? '*' : ' '), iconv.encode(text, 'cp850')]);
  });
  return Buffer.concat([header, ...records]);
}
