import { describe, expect, it, vi } from 'vitest';
import { demo } from '../../src/cli/demo/index.ts';
import { scenarios } from '../../src/cli/demo/scenario/index.ts';
import { next } from '../../src/cli/demo/scenario/stage-clock.ts';
import { createTimeline } from '../../src/cli/demo/scenario/timeline.ts';

describe('the clock of a scenario', () => {
  it.each([
    ['02:33', '2027-01-13T02:10:00+01:00', '2027-01-13T02:33:00+01:00'],
    ['02:10', '2027-01-13T02:10:30+01:00', '2027-01-13T02:10:00+01:00'],
    ['01:00', '2027-01-13T23:10:00+01:00', '2027-01-14T01:00:00+01:00'],
    ['08:00', '2027-03-27T23:00:00+01:00', '2027-03-28T08:00:00+02:00'],
    ['08:00', '2026-10-24T23:00:00+02:00', '2026-10-25T08:00:00+01:00'],
  ])('shows %s next, seen from %s, at %s', (time, from, expected) => {
    expect(next(time, new Date(from))).toEqual(new Date(expected));
  });
});

describe('the timeline of a scenario', () => {
  it('says the day once, then the time where the hospital is, who, what and the evidence', () => {
    const lines: string[] = [];
    const timeline = createTimeline((line) => lines.push(line));
    timeline.add({ at: new Date('2027-03-28T00:59:00Z'), who: 'Le RIS', what: 'demande', evidence: ['MSA|AA'] });
    timeline.add({
      at: new Date('2027-03-28T01:00:00Z'),
      who: 'Le RIS',
      what: 'attend',
      evidence: ['rien'],
      failed: true,
    });
    expect(lines).toEqual([
      '  dimanche 28 mars',
      '  01:59  Le RIS demande',
      '         ✔ MSA|AA',
      '  03:00  Le RIS attend',
      '         ✘ rien',
    ]);
    expect(timeline.moments).toHaveLength(2);
  });
});

describe('the command', () => {
  it('names every scenario with --list', async () => {
    const written: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const code = await demo(['--list'], {}).finally(() => write.mockRestore());
    expect(code).toBe(0);
    expect(written.map((line) => line.split(' ')[0])).toEqual(scenarios.map(({ name }) => name));
  });

  it.each([[['--scenario', 'somewhere']], [['--scenario']]])(
    'refuses %j naming the scenarios there are',
    async (args) => {
      await expect(demo(args, {})).rejects.toThrow(/Garde inconnue .*night-stroke.*all/);
    },
  );

  it('refuses an option it does not know', async () => {
    await expect(demo(['--night'], {})).rejects.toThrow('demo [--list');
  });
});
