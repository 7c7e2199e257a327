/** Conditions that only `_filter` asks for: parts and order of texts, and periods that overlap. */
import type { ConditionScope } from './conditions.ts';
import { contentPath } from './content-path.ts';
import { noDate, sqlTime } from './index-values.ts';
import { invalid } from './refusals.ts';
import type { Criterion, TextOperator } from './request.ts';
import { foldString } from './strings.ts';

/** Strings are compared folded, as they are kept; texts of codes, references and addresses are read from the content. */
export function textCondition(
  { parameter, operator, value }: Extract<Criterion, { kind: 'text' }>,
  { values }: ConditionScope,
): string {
  if (parameter.type === 'string') {
    const folded = foldString(value);
    if (folded === '') throw invalid(`_filter: ${parameter.code} ${operator} has nothing to search for`);
    const test = textTest('k.value', operator, `${values.add(folded)}::text`);
    return `r.id IN (SELECT k.id FROM fhir.string_key k WHERE k.tenant = $1 AND k.param = ${values.add(parameter.key)}::integer AND ${test})`;
  }
  const paths = contentPath(parameter);
  if (!paths) throw invalid(`_filter: ${parameter.code} cannot be compared by ${operator}`);
  const texts = paths.map(
    (path) => `SELECT jsonb_path_query(r.content::jsonb, ${values.add(path)}::jsonpath) #>> '{}' AS text`,
  );
  const test = textTest('lower(v.text)', operator, `lower(${values.add(value)})`);
  // A deleted resource has no content to read, and PostgreSQL may look at it before it knows.
  return `CASE WHEN r.deleted THEN false ELSE EXISTS (SELECT FROM (${texts.join(' UNION ALL ')}) v WHERE ${test}) END`;
}

function textTest(text: string, operator: TextOperator, value: string): string {
  switch (operator) {
    case 'eq':
      return `${text} = ${value}`;
    case 'ne':
      return `${text} <> ${value}`;
    case 'co':
      return `strpos(${text}, ${value}) > 0`;
    case 'sw':
      return `starts_with(${text}, ${value})`;
    case 'ew':
      return `right(${text}, length(${value})) = ${value}`;
    case 'gt':
      return `${text} > ${value}`;
    case 'lt':
      return `${text} < ${value}`;
    case 'ge':
      return `${text} >= ${value}`;
    case 'le':
      return `${text} <= ${value}`;
  }
}

/** The date and the period of the value have a moment in common. */
export function overlapCondition(
  { parameter, loMs, hiMs }: Extract<Criterion, { kind: 'overlap' }>,
  { values }: ConditionScope,
): string {
  const from = `${values.add(sqlTime(loMs))}::timestamptz`;
  const to = `${values.add(sqlTime(hiMs))}::timestamptz`;
  if (parameter.code === '_lastUpdated') return `(r.updated >= ${from} AND r.updated < ${to})`;
  const { dateColumn, key } = parameter;
  if (dateColumn !== undefined) {
    const column = `r.d${dateColumn}`;
    return `(${column}_lo > '${noDate}' AND ${column}_lo < ${to} AND ${column}_hi > ${from})`;
  }
  return `r.id IN (SELECT k.id FROM fhir.date_key k
    WHERE k.tenant = $1 AND k.param = ${values.add(key)}::integer AND k.lo < ${to} AND k.hi > ${from})`;
}
