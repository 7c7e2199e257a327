/**
 * `_sort` (https://hl7.org/fhir/R4/search.html#sort). Resources without the value come last, ascending and descending. Of several
 * values the least counts ascending and the greatest descending. Rows that are equal in everything follow their id.
 */
import { contentPath } from './content-path.ts';
import { noDate } from './index-values.ts';
import type { Parameter } from './parameters.ts';
import { notSupported } from './refusals.ts';
import { tableOf } from './scope.ts';
import type { SqlValues } from './sql-values.ts';

export interface SortColumn {
  expression: string;
  /** Type a cursor's value is read back as. */
  type: 'timestamptz' | 'text' | 'double precision';
  descending: boolean;
  /** Rows may have no value. */
  nullable: boolean;
}

/**
 * A part of the rows that an index can hand out in order. A search by a value kept in a table of its own has two: the rows that
 * have it, joined to that table, then the rows that do not.
 */
export interface Segment {
  join: string;
  condition?: string;
  /** The last one is the id. A null stands for a value that no row of the segment has. */
  columns: readonly (SortColumn | null)[];
  /** What tells in SQL, at the price of a look into an index, whether the segment after this one may have rows at all. */
  mayFollow?: string;
}

export interface SortParameter {
  parameter: Parameter;
  descending: boolean;
}

/**
 * Columns that order any rows. `shared` when rows of several types are put in one order: a date that is a column in one type and a
 * row of `fhir.date_key` in another must then be missing in the same way.
 */
export function sortColumns(sort: readonly SortParameter[], values: SqlValues, shared = false): SortColumn[] {
  return sort.map((key) => column(key, values, shared));
}

/** What makes the order total: the id, in the direction of the last key, so that an index of both can be read either way. */
export function idColumns(sort: readonly SortParameter[]): SortColumn[] {
  const last = sort.at(-1);
  if (last?.parameter.code === '_id') return [];
  return [{ expression: 'r.id', type: 'text', descending: last?.descending ?? false, nullable: false }];
}

/** How many segments {@link segment} has for this order. */
export function segmentCount(sort: readonly SortParameter[]): 1 | 2 {
  const first = sort[0];
  return first && (isAscendingColumn(first) || orderedTable(first.parameter)) ? 2 : 1;
}

/** Segment `index` of an order of a type's rows; its parameters are added to `values`. */
export function segment(type: string, sort: readonly SortParameter[], index: number, values: SqlValues): Segment {
  const [first, ...others] = sort;
  if (!first || segmentCount(sort) === 1) {
    return { join: '', columns: [...sortColumns(sort, values), ...idColumns(sort)] };
  }
  const isMissing = index === 1;
  const isColumn = isAscendingColumn(first);
  const key = isColumn ? columnSegment(first, isMissing) : tableSegment(first, isMissing, values);
  const own = isMissing
    ? null
    : { expression: key.expression, type: key.type, descending: first.descending, nullable: false };
  return {
    join: key.join,
    condition: key.condition,
    columns: [own, ...sortColumns(others, values), ...idColumns(sort)],
    ...(isColumn && !isMissing ? { mayFollow: someWithoutDate(type, first.parameter) } : {}),
  };
}

/** Deleted rows hold no date either; so many of them are passed over, beyond it is a maybe. */
const deletedPassedOver = 20;

/** Whether a tenant has rows of a type without a date. Its requests nearly always have theirs: then no statement asks for the rest. */
function someWithoutDate(type: string, { dateColumn }: Parameter): string {
  return `(SELECT count(*) FILTER (WHERE NOT m.deleted) > 0 OR count(*) = ${deletedPassedOver} FROM
    (SELECT n.deleted FROM ${tableOf(type)} n WHERE n.tenant = $1 AND n.d${dateColumn}_lo = '${noDate}' LIMIT ${deletedPassedOver}) m)`;
}

interface FirstKey extends Pick<SortColumn, 'expression' | 'type'> {
  join: string;
  condition: string;
}

/** Descending, the rows without a date come last by themselves: they hold `-infinity`. */
function isAscendingColumn({ parameter, descending }: SortParameter): boolean {
  return parameter.dateColumn !== undefined && !descending;
}

function columnSegment({ parameter }: SortParameter, isMissing: boolean): FirstKey {
  const expression = `r.d${parameter.dateColumn}_lo`;
  return {
    join: '',
    condition: `${expression} ${isMissing ? '=' : '>'} '${noDate}'`,
    expression,
    type: 'timestamptz',
  };
}

interface OrderedTable {
  table: string;
  value: string;
  type: SortColumn['type'];
  /** What else tells rows of one parameter and one value apart. */
  tieBreak?: string;
  condition: string;
}

function orderedTable({ type, dateColumn, code }: Parameter): OrderedTable | undefined {
  if (dateColumn !== undefined || code === '_lastUpdated') return undefined;
  switch (type) {
    case 'string':
      return { table: 'fhir.string_key', value: 'value', type: 'text', condition: '' };
    case 'date':
      return { table: 'fhir.date_key', value: 'lo', type: 'timestamptz', tieBreak: 'hi', condition: '' };
    case 'number':
    case 'quantity':
      return {
        table: 'fhir.number_key',
        value: 'lo',
        type: 'double precision',
        tieBreak: 'hi',
        // The number as written, whatever its unit.
        condition: ' AND {alias}.unit = 0',
      };
    default:
      return undefined;
  }
}

/** The row's least (or greatest) value, found through the order of the table: the planner may start from either side. */
function tableSegment({ parameter, descending }: SortParameter, isMissing: boolean, values: SqlValues): FirstKey {
  const { table, value, type, tieBreak, condition } = orderedTable(parameter)!;
  const param = `${values.add(parameter.key)}::integer`;
  const of = (alias: string) =>
    `${alias}.tenant = $1 AND ${alias}.param = ${param}${condition.replace('{alias}', alias)} AND ${alias}.id = r.id`;
  if (isMissing) {
    return { join: '', condition: `NOT EXISTS (SELECT FROM ${table} k WHERE ${of('k')})`, expression: '', type };
  }
  const place = (alias: string) => (tieBreak ? `(${alias}.${value}, ${alias}.${tieBreak})` : `${alias}.${value}`);
  return {
    join: ` JOIN ${table} s ON ${of('s')}`,
    condition: `NOT EXISTS (SELECT FROM ${table} t WHERE ${of('t')} AND ${place('t')} ${descending ? '>' : '<'} ${place('s')})`,
    expression: `s.${value}`,
    type,
  };
}

function column({ parameter, descending }: SortParameter, values: SqlValues, shared: boolean): SortColumn {
  const { code, dateColumn, type } = parameter;
  if (code === '_id') return { expression: 'r.id', type: 'text', descending, nullable: false };
  if (code === '_lastUpdated') return { expression: 'r.updated', type: 'timestamptz', descending, nullable: false };
  if (dateColumn !== undefined) {
    const expression = `r.d${dateColumn}_lo`;
    return descending && !shared
      ? { expression, type: 'timestamptz', descending, nullable: false }
      : { expression: `nullif(${expression}, '${noDate}')`, type: 'timestamptz', descending, nullable: true };
  }
  const pick = descending ? 'max' : 'min';
  const ordered = orderedTable(parameter);
  if (ordered) {
    const { table, value, condition } = ordered;
    const expression = `(SELECT ${pick}(k.${value}) FROM ${table} k WHERE k.tenant = $1 AND k.id = r.id AND k.param = ${values.add(parameter.key)}::integer${condition.replace('{alias}', 'k')})`;
    return { expression, type: ordered.type, descending, nullable: true };
  }
  // Codes, references and addresses have no order of their own in an index: they are read from the content of the matches.
  const path = contentPath(parameter);
  if (!path) throw notSupported(`_sort by ${code}, of type ${type}, is not supported`, '_sort');
  const texts = path.map(
    (step) => `SELECT jsonb_path_query(c.content, ${values.add(step)}::jsonpath) #>> '{}' AS text`,
  );
  // What a reference to a contained resource says means nothing outside its resource.
  const meant = type === 'reference' ? ` WHERE left(v.text, 1) <> '#'` : '';
  const expression = `(SELECT ${pick}(v.text COLLATE "C") FROM (SELECT r.content::jsonb AS content) c, LATERAL (${texts.join(' UNION ALL ')}) v${meant})`;
  return { expression, type: 'text', descending, nullable: true };
}

/** `ORDER BY` list; `backward` for the page before. */
export function orderBy(columns: readonly SortColumn[], backward: boolean): string {
  return columns
    .map(({ expression, descending, nullable }) => {
      const nulls = nullable ? (backward ? ' NULLS FIRST' : ' NULLS LAST') : '';
      return `${expression} ${descending !== backward ? 'DESC' : 'ASC'}${nulls}`;
    })
    .join(', ');
}

/** Select list of the sort values as text, `s1`, `s2`…, with a leading comma. */
export function selectPlace(columns: readonly (SortColumn | null)[]): string {
  return columns.map((item, index) => `, ${item ? `(${item.expression})::text` : 'NULL'} AS s${index + 1}`).join('');
}
