/** Matches that are not in the database (our own definitions) before those that are: one more segment of the same pages. */
import type { Resource } from '@medplum/fhirtypes';
import { stringifyJson } from '../json/index.ts';
import { type Cursor, foreignCursor } from './cursor.ts';
import { type OrderedRows, type PageRow, segmentOf } from './pages.ts';

/** @param leading in their order, which must not change from page to page. */
export function rowsAfter(leading: readonly Resource[], stored: OrderedRows): OrderedRows {
  if (leading.length === 0) return stored;
  // The last sort value says which of the leading ones a row is; a stored row has none.
  const columnCount = stored.columnCount + 1;
  const rows = leading.map((resource, index) => ({ ...rowOf(resource), [`s${columnCount}`]: String(index) }));
  const inStored = (cursor: Cursor): Cursor => ({ ...cursor, place: cursor.place.slice(0, -1) });
  return {
    columnCount,
    segmentCount: stored.segmentCount + 1,
    segmentOf: (cursor) => (cursor.place.at(-1) === null ? 1 + segmentOf(stored, inStored(cursor)) : 0),
    async read(segment, cursor, backward, limit) {
      if (segment > 0) return stored.read(segment - 1, cursor && inStored(cursor), backward, limit);
      const at = cursor ? indexIn(cursor) : backward ? rows.length : -1;
      return backward
        ? rows.slice(Math.max(0, at - limit), Math.max(0, at)).reverse()
        : rows.slice(at + 1, at + 1 + limit);
    },
  };
}

function rowOf(resource: Resource): PageRow {
  const { resourceType: type, id = '' } = resource;
  return { type, id, version: 1, updated: new Date(0), content: stringifyJson(resource) };
}

/** @throws FhirError 400 for a cursor that was not made here. */
function indexIn({ place }: Cursor): number {
  const text = place.at(-1) ?? '';
  if (!/^\d{1,6}$/.test(text)) throw foreignCursor();
  return Number(text);
}
