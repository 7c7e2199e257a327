/** Pages of a search in either direction, by cursors and not by counting: rows that come and go between pages move no other row. */
import { type Cursor, decodeCursor, encodeCursor, type Place } from './cursor.ts';
import type { SortOrder } from './merge.ts';

export interface PageRow {
  type: string;
  id: string;
  version: number;
  updated: Date;
  content: string;
  [place: `s${number}`]: string | null;
}

/** Rows in one order, in segments that follow each other (see sort.ts, leading-rows.ts). */
export interface OrderedRows {
  /** Sort values of a row, the last ones making the order total. */
  columnCount: number;
  /** What they compare by, where rows of other searches may be put in one order with these. */
  order?: readonly SortOrder[];
  segmentCount: number;
  /** Segment that the place of a cursor is in, where {@link segmentOf} cannot tell. */
  segmentOf?(cursor: Cursor): number;
  /** Rows of a segment beyond a cursor, `limit` at most; backward from the end of the segment to its start. */
  read(segment: number, cursor: Cursor | undefined, backward: boolean, limit: number): Promise<PageRow[]>;
}

export interface Page {
  rows: PageRow[];
  /** Of each row. */
  places: Place[];
  /** Cursors of the neighbouring pages, where there is something. */
  next?: string;
  previous?: string;
}

/** @throws FhirError 400 for a cursor of another search. */
export async function readPage(source: OrderedRows, cursorText: string | undefined, count: number): Promise<Page> {
  const cursor = cursorText === undefined ? undefined : decodeCursor(cursorText, source.columnCount);
  const backward = cursor?.direction === 'previous';
  const found = await readRows(source, cursor, backward, count + 1);
  const more = found.length > count;
  const rows = found.slice(0, count);
  if (backward) rows.reverse();
  const cursorAt = (row: PageRow | undefined, direction: Cursor['direction']) =>
    row && encodeCursor({ direction, place: placeOf(row, source.columnCount) });
  // The row the cursor was made of lies behind us.
  const next = backward || more ? cursorAt(rows.at(-1), 'next') : undefined;
  const previous = backward ? more : cursor !== undefined;
  return {
    rows,
    places: rows.map((row) => placeOf(row, source.columnCount)),
    ...(next === undefined ? {} : { next }),
    ...(previous && rows.length > 0 ? { previous: cursorAt(rows[0], 'previous')! } : {}),
  };
}

async function readRows(
  source: OrderedRows,
  cursor: Cursor | undefined,
  backward: boolean,
  limit: number,
): Promise<PageRow[]> {
  const last = source.segmentCount - 1;
  let at = cursor ? segmentOf(source, cursor) : 0;
  const rows = await source.read(at, cursor, backward, limit);
  while (rows.length < limit) {
    at += backward ? -1 : 1;
    if (at < 0 || at > last) break;
    rows.push(...(await source.read(at, undefined, backward, limit - rows.length)));
  }
  return rows;
}

/** Of two segments the second has the rows without the first sort value. */
export function segmentOf(source: OrderedRows, cursor: Cursor): number {
  return source.segmentOf?.(cursor) ?? (cursor.place[0] === null ? source.segmentCount - 1 : 0);
}

function placeOf(row: PageRow, columnCount: number): (string | null)[] {
  return Array.from({ length: columnCount }, (_, index) => row[`s${index + 1}`] ?? null);
}
