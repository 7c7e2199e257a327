/** One line of the performance table; names are stable (design §4). */
export interface BenchResult {
  suite: string;
  /** `suite/figure`. */
  name: string;
  value: number;
  unit: string;
  /** Raw limit measured in the same run, in the same unit. */
  limit?: number;
  limitName?: string;
  /** value / limit. */
  ratio?: number;
  /** Another implementation, measured in the same run. */
  peer?: string;
  peerValue?: number;
  peerRatio?: number;
}

/** Value of the p-th percentile (0-100) of unsorted durations. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? Number.NaN;
}

/** Rounded to three significant figures, as the table and the JSON show it. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** A figure beside its raw limit. */
export function result(
  suite: string,
  figure: string,
  value: number,
  unit: string,
  limit?: { name: string; value: number },
): BenchResult {
  return {
    suite,
    name: `${suite}/${figure}`,
    value: rounded(value),
    unit,
    ...(limit ? { limit: rounded(limit.value), limitName: limit.name, ratio: rounded(value / limit.value) } : {}),
  };
}

/** The same figure beside another implementation's. */
export function besidePeer(figure: BenchResult, value: number, peer: { name: string; value: number }): BenchResult {
  return { ...figure, peer: peer.name, peerValue: rounded(peer.value), peerRatio: rounded(value / peer.value) };
}
