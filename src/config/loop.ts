/** Work that comes again while the server runs: one round at a time, the next one some time after the end of the last. */

export interface Loop {
  /** The first round comes after a pause, or at once. */
  start(when?: 'at once'): void;
  /** The next round comes at once, or right after the one under way. Does nothing before the start and after the stop. */
  wake(): void;
  /** No further round comes; resolves when the one under way is over. It may start again. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  /** Pause between two rounds, in milliseconds; 0 leaves everything to `wake`. */
  everyMs: number;
  /** After a failure the pause doubles, up to this many milliseconds; it stays the same when absent. */
  longestMs?: number;
  /** A long round asks `isStopped` between its parts. */
  round(isStopped: () => boolean): Promise<unknown>;
  /** Told of what a round threw; the rounds go on. */
  onFailure(error: unknown): void;
}

export function createLoop({ everyMs, longestMs = everyMs, round, onFailure }: LoopOptions): Loop {
  let pauseMs = everyMs;
  let isStopped = true;
  let timer: NodeJS.Timeout | undefined;
  /** Undefined between rounds. */
  let working: Promise<void> | undefined;
  let again = false;

  function schedule(afterMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(run, afterMs).unref();
  }

  function run(): void {
    again = false;
    working = attempt().finally(() => {
      working = undefined;
      if (isStopped) return;
      if (again) schedule(0);
      else if (everyMs > 0) schedule(pauseMs);
    });
  }

  async function attempt(): Promise<void> {
    try {
      await round(() => isStopped);
      pauseMs = everyMs;
    } catch (error) {
      onFailure(error);
      pauseMs = Math.min(longestMs, pauseMs * 2);
    }
  }

  return {
    start(when) {
      isStopped = false;
      if (working) return;
      if (when === 'at once') schedule(0);
      else if (everyMs > 0) schedule(everyMs);
    },
    wake() {
      if (isStopped) return;
      if (working) again = true;
      else schedule(0);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await working;
    },
  };
}
