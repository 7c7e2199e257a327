/** The matches of a search of several types (https://hl7.org/fhir/R4/search.html#all), merged in one order. */
import { beyond } from './cursor.ts';
import type { OrderedRows, PageRow } from './pages.ts';
import { notSupported } from './refusals.ts';
import type { SortKey } from './request.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { orderBy, type SortColumn, selectPlace, sortColumns } from './sort.ts';
import { createSqlValues, type SqlValues } from './sql-values.ts';
import { sortParameters } from './type-rows.ts';

/** Conditions of several types in one statement: they share its parameters. */
export interface SharedWhere {
  /** Type → condition. */
  texts: ReadonlyMap<string, string>;
  values: SqlValues;
  /** As of `Where`, of every type. */
  isNarrow: boolean;
}

/** Each type reads one page at most, by its own indexes; the merge orders those. */
export function systemRows(search: RunningSearch, where: SharedWhere, sort: readonly SortKey[]): OrderedRows {
  return {
    columnCount: sort.length + 2,
    segmentCount: 1,
    async read(_, cursor, backward, limit) {
      if (where.texts.size === 0) return [];
      const values = createSqlValues(...where.values.list);
      let merged: SortColumn[] = [];
      const arms = [...where.texts].map(([type, text]) => {
        const columns = [...sortColumns(sortParameters(search, type, sort), values, true), ...tieBreak(type, sort)];
        merged = mergedColumns(merged, columns);
        const conditions = cursor ? [text, beyond(columns, cursor, values)] : [text];
        return `(SELECT '${type}' AS type, r.id, r.version, r.updated, r.content${selectPlace(columns)}${selectSortable(columns)}
          FROM ${tableOf(type)} r WHERE ${conditions.join(' AND ')} ORDER BY ${orderBy(columns, backward)} LIMIT ${limit})`;
      });
      return search.sql.query<PageRow>(
        `SELECT * FROM (${arms.join(' UNION ALL ')}) m ORDER BY ${orderBy(merged, backward)} LIMIT ${limit}`,
        values.list,
      );
    },
  };
}

/** Type, then id: the same id may be used in several types. */
function tieBreak(type: string, sort: readonly SortKey[]): SortColumn[] {
  const descending = sort.at(-1)?.descending ?? false;
  return [`'${type}'::text COLLATE "C"`, 'r.id'].map((expression) => ({
    expression,
    type: 'text',
    descending,
    nullable: false,
  }));
}

function selectSortable(columns: readonly SortColumn[]): string {
  return columns.map(({ expression }, index) => `, ${expression} AS o${index + 1}`).join('');
}

/** The merge orders by the columns of all; a code must be of one kind in every type. */
function mergedColumns(before: readonly SortColumn[], columns: readonly SortColumn[]): SortColumn[] {
  return columns.map(({ type, descending, nullable }, index) => {
    const other = before[index];
    if (other && other.type !== type)
      throw notSupported('_sort by a parameter that is of another kind in each type', '_sort');
    return {
      expression: `m.o${index + 1}${type === 'text' ? ' COLLATE "C"' : ''}`,
      type,
      descending,
      nullable: nullable || (other?.nullable ?? false),
    };
  });
}
