/**
 * Keeps the embedded PostgreSQL running: one whose main process is killed (the kernel does, for want of memory) or gives up (a recovery on a
 * full disk) is started again at the same address, as long as nobody stops it. Connections are opened anew by those who hold them.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Postmaster, stopProcess } from './postmaster.ts';

/** Facts first, then a sentence. */
export interface ServerLog {
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** The first start is at once; then twice as long each time. It never gives up: without a database nothing works anyway. */
const firstWaitMs = 1_000;
const longestWaitMs = 30_000;
/** One that ran for so long did not fail to start. */
const steadyMs = 60_000;

interface Kept {
  /** The server that runs now. */
  first: Postmaster;
  /** Finds or starts the next; to be ended by the signal. */
  start(signal: AbortSignal): Promise<Postmaster>;
  log: ServerLog;
}

/** @returns what stops the server, whether it runs, is away or is being started. */
export function keepRunning({ first, start, log }: Kept): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  let current: Postmaster | undefined = first;
  const done = watch();

  async function watch(): Promise<void> {
    let failures = 0;
    for (let server: Postmaster | undefined = first; server; ) {
      const begun = performance.now();
      const ending = await Promise.race([server.ended(signal), aborted(signal)]);
      if (signal.aborted) return;
      current = undefined;
      if (performance.now() - begun > steadyMs) failures = 0;
      const facts = { process: server.pid, ...ending, waitMs: waitAfter(failures) };
      log.error(facts, 'the embedded PostgreSQL ended by itself: it is started again');
      const away = performance.now();
      server = await startAgain(failures);
      current = server;
      // Ending again soon is one failure more.
      failures += 1;
      if (server)
        log.warn(
          { process: server.pid, awayMs: Math.round(performance.now() - away) },
          'the embedded PostgreSQL runs again',
        );
    }
  }

  /** Undefined when it is to stop. */
  async function startAgain(before: number): Promise<Postmaster | undefined> {
    for (let failures = before; ; failures++) {
      await pause(waitAfter(failures), undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return undefined;
      try {
        return await start(signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        // Its last words at a start name files and settings, no data.
        const facts = { reason: (error as Error).message, waitMs: waitAfter(failures + 1) };
        log.error(facts, 'the embedded PostgreSQL does not start: it is tried again');
      }
    }
  }

  return {
    async stop() {
      stopping.abort();
      await done;
      if (current) await stopProcess(current.pid);
    },
  };
}

function waitAfter(failures: number): number {
  return failures === 0 ? 0 : Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs);
}

function aborted(signal: AbortSignal): Promise<Record<string, never>> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve({});
    else signal.addEventListener('abort', () => resolve({}), { once: true });
  });
}
