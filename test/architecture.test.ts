import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

it('keeps the import law between the rooms (.dependency-cruiser.cjs)', () => {
  const result = spawnSync(
    process.execPath,
    ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.cjs', 'src'],
    { cwd: root, encoding: 'utf8' },
  );
  expect(result.stdout + result.stderr).toContain('no dependency violations found');
  // A program of its own over every source: six seconds alone, more beside other tests.
}, 120_000);

it('has the rooms of the design and no other', () => {
  const rooms = readdirSync(`${root}/src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(rooms.map((entry) => entry.name).sort()).toEqual(
    [
      'access',
      'adapters',
      'cli',
      'config',
      'db',
      'delivery',
      'fhir',
      'imaging',
      'report',
      'sockets',
      'teleradiology',
      'ui',
      'vault',
    ].sort(),
  );
});
