import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTables, mappingsFolder } from '../../../src/adapters/hl7v2/tables.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mappings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function changed(name: string, change: (content: string) => string): Promise<string> {
  await cp(mappingsFolder, folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  await writeFile(file, change(await readFile(file, 'utf8')));
  return folder;
}

it('the tables of the repository are valid', async () => {
  expect((await loadTables()).fingerprint).toMatch(/^[0-9a-f]{16}$/);
});

it.each([
  [
    'encounter-classes',
    (text: string) => text.replace('"display": "Urgence"', '"label": "Urgence"'),
    /encounter-classes/,
  ],
  ['code-systems', (text: string) => text.replace('2.16.840.1.113883.6.96', '2.16.840.01'), /code-systems/],
  ['errors', (text: string) => text.replace('"unknown-sender"', '"unknown-sendr"'), /errors.*unknown-sender/],
  ['sites', (text: string) => text.replace('"sites": {}', '"sites": {"A|B": {"zone": 1}}'), /sites/],
  ['flows', (text: string) => text.slice(1), /flows\.json/],
])('a mistake in %s.json stops the start and is named', async (name, change, message) => {
  await expect(loadTables(await changed(name, change))).rejects.toThrow(message);
});

it('an establishment changes what it must and keeps the rest', async () => {
  const site = '{"RIS|OUTREMER": {"timeZone": "Indian/Reunion", "notRequired": ["OBR-13"]}}';
  const tables = await loadTables(await changed('sites', (text) => text.replace('"sites": {}', `"sites": ${site}`)));
  expect(tables.site('RIS|OUTREMER')).toMatchObject({ notRequired: ['OBR-13'], outboundCharset: 'UNICODE UTF-8' });
  expect(tables.site('RIS|OUTREMER').zone.offsetMinutes(Date.UTC(2026, 6, 1))).toBe(240);
  expect(tables.site('AUTRE|RIS').zone.offsetMinutes(Date.UTC(2026, 6, 1))).toBe(120);
  expect(tables.fingerprint).not.toBe((await loadTables()).fingerprint);
});
