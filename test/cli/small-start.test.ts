import { spawnSync } from 'node:child_process';
import v8 from 'node:v8';
import { afterEach, expect, it, vi } from 'vitest';
import { allowGrowth, startSmall } from '../../src/small-start.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function flagsSet(work: () => void): string[] {
  const set = vi.spyOn(v8, 'setFlagsFromString').mockReturnValue();
  set.mockClear();
  work();
  return set.mock.calls.map(([flag]) => flag);
}

it('sets flags that this V8 knows: it only complains on standard error of others', () => {
  const flags = [...flagsSet(startSmall), ...flagsSet(allowGrowth)];
  expect(flags.length).toBeGreaterThan(2);
  const known = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout;
  expect(flags.filter((flag) => !known.includes(`  ${flag.slice(0, flag.indexOf('='))} (`))).toEqual([]);
});

// Between two collections of the reducer V8 checks that it may have begun the first: lowered then, the number ends the process (SIGTRAP).
it('says before anything is loaded how often V8 reduces memory, and never again', () => {
  vi.useFakeTimers();
  expect(flagsSet(startSmall)).toContain('--memory-reducer-gc-count=0');
  const later = flagsSet(() => {
    allowGrowth();
    vi.advanceTimersByTime(3_600_000);
  });
  expect(later.filter((flag) => flag.includes('memory-reducer'))).toEqual([]);
});
