import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { technicalAccount } from '../../src/cli/technical-account.ts';
import type { Database } from '../../src/db/index.ts';
import { testDatabase } from '../support/database.ts';

let database: Database;
let env: Record<string, string>;

beforeAll(async () => {
  database = await testDatabase();
  env = { DATABASE_URL: database.url, DATA_DIR: await mkdtemp(join(tmpdir(), 'passerelle-')) };
  await database.query(
    'aa',
    `INSERT INTO account (tenant, login, kind, reference, display, roles, created_at)
     VALUES ('aa', 'ris-1', 'machine', 'Device/ris-1', 'RIS', '{ris}', now())`,
  );
});
afterAll(() => database.close());

async function run(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
  try {
    await technicalAccount(args, env);
  } finally {
    write.mockRestore();
  }
  return lines.join('');
}

describe('the command technical-account', () => {
  it('gives an account to one person at a time, and lists who had it', async () => {
    await run('give', 'aa', 'ris-1', 'Mme Technique', 'Éditeur SA', 'Mise en service');
    await expect(run('give', 'aa', 'ris-1', 'M. Autre', 'Éditeur SA', 'Relève')).rejects.toThrow('déjà un détenteur');
    await run('end', 'aa', 'ris-1');
    await expect(run('end', 'aa', 'ris-1')).rejects.toThrow('Aucune détention');
    const listed = await run('list', 'aa');
    expect(listed).toMatch(/aa {2}ris-1\n.* → \d.*Mme Technique \(Éditeur SA\) : Mise en service/);
  });

  it.each([[['give', 'aa', 'ris-1', 'Mme T']], [['take', 'aa', 'ris-1']]])(
    'says how it is used when it is given %j',
    async (args) => {
      await expect(run(...args)).rejects.toThrow('technical-account list');
    },
  );
});
