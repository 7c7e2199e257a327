import { defineConfig } from 'vitest/config';
import type { TestSequencerConstructor } from 'vitest/node';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst as unknown as TestSequencerConstructor },
    projects: [
      {
        test: {
          name: 'suite',
          include: ['test/**/*.test.ts'],
          exclude: ['test/long/**'],
          globalSetup: ['test/support/postgres-server.ts'],
          setupFiles: ['test/support/left-as-found.ts'],
          // What one file loaded and compiled serves the next: no module holds state, and left-as-found.ts sees to the process.
          isolate: false,
          // Ends what hangs. Beside six other programs the longest test with this limit takes 24 s.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Looks again until it holds: what never holds still fails, and a slow machine is given its time.
          expect: { poll: { timeout: 20_000 } },
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          globalSetup: ['test/support/postgres-server.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
