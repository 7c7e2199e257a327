/** `_sort` and keyset paging: the next page starts after the last row's sort values and id, so it is stable while rows come and go. */
import { noDate } from './index-values.ts';
import type { Parameter } from './parameters.ts';
import { invalid, type SortKey } from './query.ts';
import type { SqlValues } from './sql-values.ts';

interface SortColumn {
  expression: string;
  /** Type a cursor's value is read back as. */
  type: 'timestamptz' | 'text' | 'double precision';
  descending: boolean;
}

/** How to order a search; `r.id` last, in the direction of the key before it. */
export interface Ordering {
  orderBy: string;
  /** Select list of the sort values as text, `s1`, `s2`…, with a leading comma. */
  select: string;
  /** Condition that a row comes after the cursor. @throws FhirError 400 for a cursor that is none of this search. */
  after(cursor: string): string;
  /** Cursor of a row read with `select`. */
  cursor(row: Readonly<Record<`s${number}`, string>>): string;
}

export function createOrdering(sort: readonly SortKey[], values: SqlValues): Ordering {
  const columns = sort.map((key) => sortColumn(key, values));
  if (columns.at(-1)?.expression !== 'r.id') {
    columns.push({ expression: 'r.id', type: 'text', descending: columns.at(-1)?.descending ?? false });
  }
  const direction = (column: SortColumn) => (column.descending ? 'DESC' : 'ASC');
  return {
    orderBy: columns.map((column) => `${column.expression} ${direction(column)}`).join(', '),
    select: columns.map(({ expression }, index) => `, (${expression})::text AS s${index + 1}`).join(''),
    after: (cursor) => afterCondition(columns, decodeCursor(cursor, columns.length), values),
    cursor: (row) =>
      Buffer.from(JSON.stringify(columns.map((_, index) => row[`s${index + 1}` as const]))).toString('base64url'),
  };
}

function sortColumn({ parameter, descending }: SortKey, values: SqlValues): SortColumn {
  if (parameter.code === '_id') return { expression: 'r.id', type: 'text', descending };
  if (parameter.code === '_lastUpdated') return { expression: 'r.updated', type: 'timestamptz', descending };
  if (parameter.dateColumn !== undefined) {
    return { expression: `r.d${parameter.dateColumn}_lo`, type: 'timestamptz', descending };
  }
  // Several values: ascending by the least, descending by the greatest.
  const pick = descending ? 'max' : 'min';
  const lookup = (table: string, column: string, missing: string, extra = '') =>
    `coalesce((SELECT ${pick}(k.${column}) FROM fhir.${table} k WHERE k.tenant = $1 AND k.id = r.id AND k.param = ${values.add(parameter.key)}::integer${extra}), '${missing}')`;
  switch (parameter.type) {
    case 'string':
      return { expression: lookup('string_key', 'value', ''), type: 'text', descending };
    case 'date':
      return { expression: lookup('date_key', 'lo', noDate), type: 'timestamptz', descending };
    case 'number':
    case 'quantity':
      return {
        expression: lookup('number_key', 'lo', '-Infinity', ' AND k.unit = 0'),
        type: 'double precision',
        descending,
      };
    default:
      return { expression: contentValue(parameter), type: 'text', descending };
  }
}

/** Codes and references have no ordered index: a top-level element is read from the text, which suits a filtered list. */
function contentValue({ code, expression, resourceType }: Parameter): string {
  const match = new RegExp(`^${resourceType}\\.([a-zA-Z]+)(\\.where\\(resolve\\(\\) is [A-Za-z]+\\))?$`).exec(
    expression,
  );
  if (!match) throw invalid(`_sort by ${code} is not supported`);
  const element = `r.content::json -> '${match[1]}'`;
  const text = `coalesce(${element} #>> '{coding,0,code}', ${element} #>> '{reference}', ${element} #>> '{0,value}', ${element} #>> '{}', '')`;
  return `(${text} COLLATE "C")`;
}

function decodeCursor(cursor: string, length: number): string[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(values) && values.length === length && values.every((value) => typeof value === 'string'))
      return values;
  } catch {
    // Falls through to the refusal.
  }
  throw invalid('The page cursor does not belong to this search');
}

function afterCondition(columns: readonly SortColumn[], cursor: readonly string[], values: SqlValues): string {
  const placeholders = columns.map(({ type }, index) => `${cursorValue(cursor[index]!, type, values)}::${type}`);
  const operator = (column: SortColumn) => (column.descending ? '<' : '>');
  // One direction: a row comparison, which an index can serve.
  if (columns.every((column) => column.descending === columns[0]!.descending)) {
    return `(${columns.map((column) => column.expression).join(', ')}) ${operator(columns[0]!)} (${placeholders.join(', ')})`;
  }
  const alternatives = columns.map((column, index) => {
    const equal = columns.slice(0, index).map((before, at) => `${before.expression} = ${placeholders[at]}`);
    return `(${[...equal, `${column.expression} ${operator(column)} ${placeholders[index]}`].join(' AND ')})`;
  });
  return `(${alternatives.join(' OR ')})`;
}

const timestampPattern = /^(-infinity|\d{4,6}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?[+-]\d{2}(:\d{2}){0,2})$/;

/** A forged cursor must be a 400, not an error of the database. */
function cursorValue(value: string, type: SortColumn['type'], values: SqlValues): string {
  const valid =
    type === 'text'
      ? !value.includes('\u0000')
      : type === 'timestamptz'
        ? timestampPattern.test(value)
        : !Number.isNaN(Number(value)) || /^-?Infinity$/.test(value);
  if (!valid) throw invalid('The page cursor does not belong to this search');
  return values.add(value);
}
