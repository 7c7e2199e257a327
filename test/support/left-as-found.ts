/**
 * The files of the suite take turns in two processes (vitest.config.ts): what one of them loaded and compiled serves the next. No module of
 * the product holds state, so nothing passes from file to file but by the process itself; a file that does not leave it as it found it fails
 * here, and not the one after it somewhere else.
 */
import { afterAll, expect, vi } from 'vitest';

const events = [
  'exit',
  'beforeExit',
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'warning',
  'uncaughtException',
  'unhandledRejection',
];
const closingMs = 10_000;

/** What a file could change for whoever comes after it. */
function found() {
  return {
    environment: { ...process.env },
    folder: process.cwd(),
    exitCode: process.exitCode,
    listeners: Object.fromEntries(events.map((event) => [event, process.listenerCount(event)])),
    prints: [process.stdout.write, process.stderr.write, console.log, console.info, console.warn, console.error],
    globals: [
      fetch,
      setTimeout,
      setInterval,
      setImmediate,
      queueMicrotask,
      Date,
      Date.now,
      Math.random,
      performance.now,
    ],
    hasFakeTimers: vi.isFakeTimers(),
    // Servers that listen, programs that run.
    running: process.getActiveResourcesInfo().filter((kind) => /Server|Process/.test(kind)),
  };
}

const before = found();
// Registered before the hooks of the file itself, so it runs after them; what they closed without waiting may take a moment.
afterAll(() => vi.waitFor(() => expect(found()).toEqual(before), { timeout: closingMs }), 2 * closingMs);
