import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createTimeLimit } from '../../../src/fhir/validation/time-limit.ts';

const folder = mkdtempSync(join(tmpdir(), 'time-limit-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('lets work come to its end, and what it throws through', () => {
  const limited = createTimeLimit(1_000);
  let done = 0;
  expect(limited(() => done++)).toBe(true);
  expect(done).toBe(1);
  expect(() =>
    limited(() => {
      throw new TypeError('own');
    }),
  ).toThrow(TypeError);
});

it('stops a loop and a regular expression, again and again', () => {
  const limited = createTimeLimit(30);
  for (const endless of [
    () => {
      for (;;);
    },
    () => void /^(a+)+$/.test(`${'a'.repeat(60)}!`),
  ]) {
    expect(limited(endless)).toBe(false);
    expect(limited(() => undefined)).toBe(true);
  }
});

it('leaves no module half loaded', () => {
  const file = join(folder, 'slow.cjs');
  writeFileSync(file, 'exports.begun = true; if (process.env.SLOW_MODULE) for (;;); exports.ready = true;');
  const require = createRequire(import.meta.url);
  process.env.SLOW_MODULE = '1';
  expect(createTimeLimit(50)(() => void require(file))).toBe(false);
  delete process.env.SLOW_MODULE;
  expect(require(file)).toEqual({ begun: true, ready: true });
});
