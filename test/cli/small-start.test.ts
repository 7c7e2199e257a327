import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('sets flags that this V8 knows: it only complains on standard error of others', () => {
  const source = readFileSync(new URL('../../src/small-start.ts', import.meta.url), 'utf8');
  const flags = Array.from(source.matchAll(/setFlagsFromString\('(--[a-z-]+)=/g), ([, flag]) => flag!);
  expect(flags.length).toBeGreaterThan(2);
  const known = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout;
  expect(flags.filter((flag) => !known.includes(`  ${flag} (`))).toEqual([]);
});
