/** The transitive closure of a hierarchy in which a concept may have several parents. */

export interface Closure {
  /** Concepts by their position in an order in which parents come before children, siblings in the order given. */
  order: Int32Array;
  /** Positions of everything above the concept at a position, ascending. */
  ancestors: readonly Int32Array[];
}

/** Codes run in a circle: nothing can be above itself. */
export class HierarchyCircleError extends Error {
  override name = 'HierarchyCircleError';
  /** Index of a concept in the circle. */
  readonly index: number;
  constructor(index: number) {
    super('The hierarchy runs in a circle');
    this.index = index;
  }
}

/**
 * @param parents for each concept, the indexes directly above it.
 * @throws HierarchyCircleError
 */
export function closureOf(parents: readonly (readonly number[])[]): Closure {
  const order = parentsFirst(parents);
  const positions = new Int32Array(order.length);
  order.forEach((index, position) => {
    positions[index] = position;
  });
  const ancestors: Int32Array[] = [];
  // Which positions were met for the concept at hand: one array for all, told apart by a stamp.
  const met = new Int32Array(order.length).fill(-1);
  for (let position = 0; position < order.length; position++) {
    const above: number[] = [];
    const meet = (other: number) => {
      if (met[other] === position) return;
      met[other] = position;
      above.push(other);
    };
    for (const parent of parents[order[position]!]!) {
      const at = positions[parent]!;
      meet(at);
      for (const further of ancestors[at]!) meet(further);
    }
    ancestors.push(Int32Array.from(above).sort());
  }
  return { order, ancestors };
}

/** Depth first from the roots, each concept after the last of its parents. */
function parentsFirst(parents: readonly (readonly number[])[]): Int32Array {
  const size = parents.length;
  const children: number[][] = Array.from({ length: size }, () => []);
  const missing = new Int32Array(size);
  parents.forEach((above, index) => {
    missing[index] = above.length;
    for (const parent of above) children[parent]!.push(index);
  });
  const order = new Int32Array(size);
  let count = 0;
  const waiting: number[] = [];
  for (let root = 0; root < size; root++) {
    if (parents[root]!.length > 0) continue;
    waiting.push(root);
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      order[count++] = index;
      const below = children[index]!;
      for (let n = below.length - 1; n >= 0; n--) {
        const child = below[n]!;
        missing[child] = missing[child]! - 1;
        if (missing[child] === 0) waiting.push(child);
      }
    }
  }
  if (count < size) throw new HierarchyCircleError(missing.findIndex((number) => number > 0));
  return order;
}
