import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { playScenario, scenarios } from '../../src/cli/demo/scenario/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-scenarios-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
  'plays %s from outside as it must go',
  async (name, scenario) => {
    const lines: string[] = [];
    const passed = await playScenario(scenario, folder, (line) => lines.push(line));
    expect(passed, lines.join('\n')).toBe(true);
    const told = JSON.parse(await readFile(join(folder, name, 'timeline.json'), 'utf8')) as { evidence: string[] }[];
    expect(told.length).toBeGreaterThan(5);
    // Nothing is said to have happened without evidence.
    expect(told.filter(({ evidence }) => evidence.length === 0)).toEqual([]);
  },
  240_000,
);
