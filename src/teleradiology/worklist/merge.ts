/**
 * The first rows of several sorted streams in one common order. A stream is read a little at a time, and again only when its rows are used
 * up: what is read depends on the page and on the number of streams, not on their length.
 */

export interface Stream<Row> {
  rows: Row[];
  /** There may be more beyond the last row. */
  more: boolean;
}

/**
 * @param compare of rows of any streams; each stream is sorted by it.
 * @param readOn the next rows of the streams named, in the same order, beyond what was read of each so far.
 */
export async function firstOf<Row>(
  streams: readonly Stream<Row>[],
  count: number,
  compare: (a: Row, b: Row) => number,
  readOn: (indexes: readonly number[], taken: readonly Row[]) => Promise<readonly Stream<Row>[]>,
): Promise<{ rows: Row[]; more: boolean }> {
  const heads = streams.map((stream) => ({ ...stream, at: 0 }));
  const rows: Row[] = [];
  for (;;) {
    const empty = heads.flatMap((head, index) => (head.at >= head.rows.length && head.more ? [index] : []));
    if (empty.length > 0 && rows.length < count) {
      const last = empty.map((index) => heads[index]!.rows.at(-1)!);
      const further = await readOn(empty, last);
      for (const [place, index] of empty.entries()) heads[index] = { ...further[place]!, at: 0 };
      continue;
    }
    const next = heads.reduce<(typeof heads)[number] | undefined>((best, head) => {
      const row = head.rows[head.at];
      if (row === undefined) return best;
      return best === undefined || compare(row, best.rows[best.at]!) < 0 ? head : best;
    }, undefined);
    if (rows.length >= count) return { rows, more: next !== undefined || heads.some(({ more }) => more) };
    if (next === undefined) return { rows, more: false };
    rows.push(next.rows[next.at]!);
    next.at++;
  }
}
