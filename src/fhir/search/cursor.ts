/**
 * Cursors of pages: the sort values of a row and the direction to go from it, so that pages are stable while other rows come and
 * go. Opaque to clients; a forged one is a 400, never an error of the database.
 */
import { invalid } from './refusals.ts';
import type { SortColumn } from './sort.ts';
import { isSqlNumber, isSqlTimestamp } from './sql-texts.ts';
import type { SqlValues } from './sql-values.ts';

/** Sort values of a row as text; null for a missing one. */
export type Place = readonly (string | null)[];

export interface Cursor {
  direction: 'next' | 'previous';
  place: Place;
}

export function encodeCursor({ direction, place }: Cursor): string {
  return Buffer.from(JSON.stringify([direction === 'next' ? 'n' : 'p', ...place])).toString('base64url');
}

/** @throws FhirError 400 when it cannot be of a search with this many sort columns. */
export function decodeCursor(text: string, columnCount: number): Cursor {
  try {
    const values: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(values) && values.length === columnCount + 1) {
      const [direction, ...place] = values;
      const valid =
        (direction === 'n' || direction === 'p') && place.every((item) => item === null || typeof item === 'string');
      if (valid) return { direction: direction === 'n' ? 'next' : 'previous', place };
    }
  } catch {
    // Falls through to the refusal.
  }
  throw foreignCursor();
}

/** The refusal of a cursor that no page of this search has. */
export function foreignCursor() {
  return invalid('The page cursor does not belong to this search', '_cursor');
}

/** Condition that a row lies beyond the cursor, in the order of `columns`. */
export function beyond(columns: readonly SortColumn[], { direction, place }: Cursor, values: SqlValues): string {
  const backward = direction === 'previous';
  const operators = columns.map(({ descending }) => (descending !== backward ? '<' : '>'));
  const add = (index: number) =>
    `${cursorValue(place[index] ?? null, columns[index]!, values)}::${columns[index]!.type}`;
  // One direction and no gaps: a row comparison, which an index can serve.
  if (columns.every(({ nullable }, index) => !nullable && operators[index] === operators[0])) {
    const placeholders = columns.map((_, index) => add(index));
    return `(${columns.map(({ expression }) => expression).join(', ')}) ${operators[0]} (${placeholders.join(', ')})`;
  }
  const alternatives = columns.flatMap((column, index) => {
    const step = beyondColumn(column, index, place[index] ?? null, operators[index]!, backward, add);
    if (step === undefined) return [];
    const equal = columns
      .slice(0, index)
      .map(({ expression }, at) => (place[at] === null ? `${expression} IS NULL` : `${expression} = ${add(at)}`));
    return [`(${[...equal, step].join(' AND ')})`];
  });
  const first = columns[0]!;
  // Follows from the rest and lets the index of the first column start at the right place.
  const bound = first.nullable ? '' : `${first.expression} ${operators[0]}= ${add(0)} AND `;
  return `${bound}(${alternatives.join(' OR ')})`;
}

/** Missing values come last: forward nothing lies beyond one in its column, backward everything that has a value does. */
function beyondColumn(
  { expression, nullable }: SortColumn,
  index: number,
  value: string | null,
  operator: string,
  backward: boolean,
  add: (index: number) => string,
): string | undefined {
  if (value === null) return backward ? `${expression} IS NOT NULL` : undefined;
  const comparison = `${expression} ${operator} ${add(index)}`;
  return nullable && !backward ? `(${comparison} OR ${expression} IS NULL)` : comparison;
}

function cursorValue(value: string | null, { type, nullable }: SortColumn, values: SqlValues): string {
  const valid =
    value === null
      ? nullable
      : type === 'text'
        ? !value.includes('\u0000')
        : type === 'timestamptz'
          ? value === '-infinity' || isSqlTimestamp(value)
          : isSqlNumber(value);
  if (!valid) throw foreignCursor();
  return values.add(value);
}
