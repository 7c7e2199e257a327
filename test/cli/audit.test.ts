import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runCommand } from '../../src/cli/commands.ts';
import type { Database } from '../../src/db/index.ts';
import { createFhirStore } from '../../src/fhir/index.ts';
import { testDatabase } from '../support/database.ts';

let folder: string;
let database: Database;
let superuser: pg.Client;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-audit-cli-'));
  database = await testDatabase();
  superuser = new pg.Client({ connectionString: database.adminUrl });
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await database.close();
  await rm(folder, { recursive: true });
});

/** Exit code and what was printed, standard error included. */
async function run(...args: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const print = (chunk: string | Uint8Array) => {
    text += chunk.toString();
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(print));
  try {
    const code = await runCommand(args, { DATABASE_URL: database.url, DATA_DIR: folder, SUDO_USER: 'lea' });
    return { code, text };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

test('operators are told of by name, and what they did is sealed, proven, exported and proven again without a database', async () => {
  expect((await run('user', 'add', 'aa', 'nouveau.compte', 'auditor', 'Practitioner/p1')).code).toBe(0);
  expect((await run('user', 'disable', 'nouveau.compte')).code).toBe(0);
  const exported = join(folder, 'export');
  const identity = await generateIdentity();
  await writeFile(join(folder, 'reader.key'), `# a key of the auditor\n${identity}\n`);
  const recipient = await identityToRecipient(identity);
  const unsaid = await run('audit-export', 'write', exported, '--tenant', 'aa');
  expect(unsaid).toMatchObject({ code: 1, text: expect.stringContaining('--for') });
  expect((await run('audit-export', 'write', `${exported}-sealed`, '--tenant', 'aa', '--for', recipient)).text).toMatch(
    /^aa : sceaux 1 à \d+, \d+ événements → /,
  );
  const unopened = await run(
    'audit-export',
    'verify',
    join(`${exported}-sealed`, 'aa'),
    '--keys',
    join(folder, 'keys', 'audit-public'),
  );
  expect(unopened).toMatchObject({ code: 1, text: expect.stringContaining('chiffrés') });
  const open = ['open', `${exported}-sealed`, '--to', exported, '--identity', join(folder, 'reader.key')];
  expect((await run('privacy', ...open)).text).toContain('3 fichiers');

  const store = await createFhirStore({ database });
  const said = (await store.search('aa', 'AuditEvent', '_sort=date')).map(({ agent, subtype }) => [
    agent.at(-1)?.who?.display,
    subtype?.at(-1)?.code,
  ]);
  expect(said).toContainEqual(['exploitation (lea)', 'operator:user-add']);
  expect(said).toContainEqual(['exploitation (lea)', 'operator:user-disable']);
  expect(said).toContainEqual(['exploitation (lea)', 'operator:audit-export']);

  const keys = join(folder, 'keys', 'audit-public');
  expect(await readdir(keys)).toHaveLength(1);
  const offline = await run('audit-export', 'verify', join(exported, 'aa'), '--keys', keys);
  expect(offline).toMatchObject({ code: 0, text: expect.stringContaining(' : entière. aa, ') });
  expect(await run('audit-verify', '--tenant', 'aa')).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^aa : entière\. /),
  });
});

test('a change by the superuser is named, with exit code 1', async () => {
  const { rows } = await superuser.query<{ id: string }>("SELECT min(id) AS id FROM fhir.journal WHERE tenant = 'aa'");
  await superuser.query("UPDATE fhir.journal SET entries = replace(entries, 'lea', 'eve') WHERE id = $1", [
    rows[0]!.id,
  ]);
  const { code, text } = await run('audit-verify');
  expect(code).toBe(1);
  expect(text).toContain(`aa : ROMPUE. row-altered (ligne modifiée) : sceau 1, ligne ${rows[0]!.id}. `);
  await superuser.query("UPDATE fhir.journal SET entries = replace(entries, 'eve', 'lea') WHERE id = $1", [
    rows[0]!.id,
  ]);
});

test('events that were hidden from searches are found again when their search values are made anew', async () => {
  const store = await createFhirStore({ database });
  const found = async () => (await store.search('aa', 'AuditEvent', 'agent=Device/passerelle&_count=1000')).length;
  expect(await found()).toBeGreaterThan(2);
  await superuser.query("UPDATE fhir.auditevent SET keys = '{}' WHERE tenant = 'aa'");
  expect(await found()).toBe(0);
  const { text } = await run('audit-reindex', '--tenant', 'aa');
  expect(text).toBe(`aa : ${await found()} événements\n`);
  expect(await found()).toBeGreaterThan(2);
});

test('keys are listed and rotated; retention is set, and nothing is destroyed before its time', async () => {
  const before = (await run('audit-key', 'list')).text.slice(0, 16);
  const { text } = await run('audit-key', 'rotate');
  expect(text).toContain(`${before} reste crue.`);
  expect((await run('audit-key', 'list')).text.match(/BEGIN PUBLIC KEY/g)).toHaveLength(2);
  expect(await run('audit-verify', '--tenant', 'aa')).toMatchObject({ code: 0 });
  expect(await run('audit-retention', 'set', 'aa', '--contract-end', '2026-12-31', '--keep-days', '30')).toMatchObject({
    code: 1,
  });
  expect((await run('audit-retention', 'set', 'aa', '--contract-end', '2026-12-31')).text).toBe(
    'aa : gardée 365 jours après le 2026-12-31.\n',
  );
  expect(await run('audit-retention', 'list')).toEqual({ code: 0, text: '' });
  expect(await run('audit-verify', '--tenant', 'nobody')).toEqual({
    code: 1,
    text: 'Aucun groupe « nobody » : voyez « tenants list ».\n',
  });
});
