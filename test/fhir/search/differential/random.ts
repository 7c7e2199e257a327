/** Choices that a seed repeats. */
export interface Random {
  /** 0 inclusive to `below` exclusive. */
  integer(below: number): number;
  chance(probability: number): boolean;
  one<T>(list: readonly T[]): T;
}

/** The generator mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (below: number) => Math.floor(next() * below);
  return { integer, chance: (probability) => next() < probability, one: (list) => list[integer(list.length)]! };
}
