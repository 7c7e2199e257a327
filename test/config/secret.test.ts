import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ConfigError, loadConfig, secret, secretText } from '../../src/config/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'passerelle-secret-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

it('a secret comes from its variable or from the file the variable with _FILE names', () => {
  expect(secretText({ KEY: ' abc ' }, 'KEY')).toBe('abc');
  expect(secretText({ KEY_FILE: file('key', 'def\n') }, 'KEY')).toBe('def');
  expect(secretText({}, 'KEY')).toBeUndefined();
});

it('a file that was replaced counts from the next use on, and one that is away for a moment does no harm', () => {
  const path = file('rotating', 'first');
  const read = secret({ KEY_FILE: path }, 'KEY')!;
  expect(read()).toBe('first');
  file('rotating', 'second');
  expect(read()).toBe('second');
  rmSync(path);
  expect(read()).toBe('second');
});

it.each([
  [{ KEY: 'a', KEY_FILE: file('both', 'b') }, 'tous les deux'],
  [{ KEY_FILE: join(folder, 'absent') }, 'ENOENT'],
  [{ KEY_FILE: file('empty', '\n') }, 'fichier vide'],
])('what cannot be meant is refused, and the secret is not in the message', (env, words) => {
  expect(() => secretText(env, 'KEY')).toThrow(ConfigError);
  expect(() => secretText(env, 'KEY')).toThrow(words);
});

it('every secret of the configuration may come from a file', () => {
  const config = loadConfig({
    DATABASE_URL_FILE: file('database', 'postgresql://app:pw@db/passerelle'),
    DATABASE_ADMIN_URL_FILE: file('admin', 'postgresql://owner:pw@db/passerelle'),
    DEMO_PASSWORD_FILE: file('demo', 'Nuit-de-garde-2026'),
    SMTP_HOST: 'mail',
    SMTP_FROM: 'a@example.org',
    SMTP_PASSWORD_FILE: file('smtp', 's3cret'),
  });
  expect(config).toMatchObject({
    databaseUrl: 'postgresql://app:pw@db/passerelle',
    databaseAdminUrl: 'postgresql://owner:pw@db/passerelle',
    demoPassword: 'Nuit-de-garde-2026',
  });
  expect(config.smtp?.password?.()).toBe('s3cret');
});
