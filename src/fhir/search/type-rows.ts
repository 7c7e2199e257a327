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
  return {
    columnCount: order.length,
    order: order.map(({ type: kind, descending }) => ({ type: kind, descending })),
    segmentCount: segmentCount(keys),
    read(index, cursor, backward, limit) {
      const values = createSqlValues(...where.values.list);
      const { join, condition, columns } = segment(keys, index, values);
      const conditions = condition === undefined ? [] : [condition];
      const present = columns.filter((column): column is SortColumn => column !== null);
      if (cursor) {
        const place = cursor.place.filter((_, at) => columns[at] !== null);
        conditions.push(beyond(present, { ...cursor, place }, values));
      }
      const statement = (isNarrow: boolean) => {
        const rows = rowsWhere(type, { ...where, isNarrow });
        return `SELECT '${type}' AS type, r.id, r.version, r.updated, r.content${selectPlace(columns)} FROM ${rows.from}${join}
         WHERE ${[rows.condition, ...conditions].join(' AND ')} ORDER BY ${orderBy(present, backward)} LIMIT ${limit}`;
      };
      return search.sql.query<PageRow>(statement(where.isNarrow), values.list, statement(!where.isNarrow));
    },
  };
}

/** Reading made sure that the type has them. */
export function sortParameters({ registry }: RunningSearch, type: string, sort: readonly SortKey[]): SortParameter[] {
  return sort.map(({ code, descending }) => ({ parameter: registry.of(type).get(code)!, descending }));
}
