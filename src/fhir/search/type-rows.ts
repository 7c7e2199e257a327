/** The matches of a search of one type, in its order. */
import { beyond } from './cursor.ts';
import type { OrderedRows, PageRow } from './pages.ts';
import type { SortKey } from './request.ts';
import type { RunningSearch } from './scope.ts';
import {
  idColumns,
  orderBy,
  type SortColumn,
  type SortParameter,
  segment,
  segmentCount,
  selectPlace,
  sortColumns,
} from './sort.ts';
import { createSqlValues } from './sql-values.ts';
import { rowsWhere, type Where } from './where.ts';

export function typeRows(search: RunningSearch, type: string, where: Where, sort: readonly SortKey[]): OrderedRows {
  const keys = sortParameters(search, type, sort);
  const order = [...sortColumns(keys, createSqlValues(search.tenant)), ...idColumns(keys)];
  /** Told with the rows of the first segment. */
  let isWhole = false;
  return {
    columnCount: order.length,
    order: order.map(({ type: kind, descending }) => ({ type: kind, descending })),
    segmentCount: segmentCount(keys),
    async read(index, cursor, backward, limit) {
      if (index > 0 && isWhole) return [];
      const values = createSqlValues(...where.values.list);
      const { join, condition, columns, mayFollow } = segment(type, keys, index, values);
      const conditions = condition === undefined ? [] : [condition];
      const present = columns.filter((column): column is SortColumn => column !== null);
      if (cursor) {
        const place = cursor.place.filter((_, at) => columns[at] !== null);
        conditions.push(beyond(present, { ...cursor, place }, values));
      }
      const statement = (isNarrow: boolean) => {
        const rows = rowsWhere(type, { ...where, isNarrow });
        const told = mayFollow === undefined ? '' : `, ${mayFollow} AS followed`;
        return `SELECT '${type}' AS type, r.id, r.version, r.updated, r.content${selectPlace(columns)}${told} FROM ${rows.from}${join}
         WHERE ${[rows.condition, ...conditions].join(' AND ')} ORDER BY ${orderBy(present, backward)} LIMIT ${limit}`;
      };
      const found = await search.sql.query<PageRow & { followed?: boolean }>(
        statement(where.isNarrow),
        values.list,
        statement(!where.isNarrow),
      );
      isWhole = found[0]?.followed === false;
      return found;
    },
  };
}

/** Reading made sure that the type has them. */
export function sortParameters({ registry }: RunningSearch, type: string, sort: readonly SortKey[]): SortParameter[] {
  return sort.map(({ code, descending }) => ({ parameter: registry.of(type).get(code)!, descending }));
}
