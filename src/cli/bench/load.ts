/** Load from this process: a fixed number of workers, a fixed amount of work or time, every duration kept. */

export interface Load {
  /** Completed per second over the whole run. */
  perSecond: number;
  /** Milliseconds each, in order of completion. */
  durations: number[];
}

/** Runs `work(n)` with `workers` at once until `seconds` have passed (at least one each). */
export async function loadFor(seconds: number, workers: number, work: (n: number) => Promise<unknown>): Promise<Load> {
  const start = performance.now();
  const end = start + seconds * 1000;
  return load(start, workers, work, () => performance.now() < end);
}

/** Runs `work(0…total-1)` with `workers` at once. */
export async function loadTotal(total: number, workers: number, work: (n: number) => Promise<unknown>): Promise<Load> {
  return load(performance.now(), workers, work, (n) => n < total);
}

async function load(
  start: number,
  workers: number,
  work: (n: number) => Promise<unknown>,
  wanted: (n: number) => boolean,
): Promise<Load> {
  const durations: number[] = [];
  let next = 0;
  const worker = async () => {
    while (wanted(next)) {
      const n = next++;
      const begin = performance.now();
      await work(n);
      durations.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return { perSecond: (durations.length * 1000) / (performance.now() - start), durations };
}
