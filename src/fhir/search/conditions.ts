/** Tests of values as SQL conditions on a resource table with alias `r`. `$1` is the tenant. */

import { clauseTest, type ResolvedClause, type TestScope } from './clause-test.ts';
import { hashHead, noDate, sqlTime, unitKey } from './index-values.ts';
import { type KeyHasher, keyKind, keyText } from './keys.ts';
import { distanceSql, latitudeBounds } from './near.ts';
import type { Parameter } from './parameters.ts';
import type { SqlValues } from './sql-values.ts';
import type { Circle, RangeTest, StringTest, ValueTest } from './value-test.ts';
import { jsonPaths, type TextPlace } from './words.ts';

export interface ConditionScope extends TestScope {
  hasher: KeyHasher;
  values: SqlValues;
}

/** Largest code point: every string that starts with `x` sorts before `x` followed by it. */
const lastCharacter = '\u{10FFFF}';

/** The condition of one clause; chains are resolved before and come as references. @throws FhirError 400. */
export function clauseCondition(clause: ResolvedClause, scope: ConditionScope): string {
  return condition(clauseTest(clause, scope), scope);
}

/** Condition that a reference parameter names one of these resources; `newest` are canonicals without a version. */
export function targetCondition(
  { code }: Parameter,
  references: readonly string[],
  newest: readonly string[],
  scope: ConditionScope,
): string {
  const keys = [
    ...references.map((reference) => keyText(scope.tenant, code, keyKind.value, reference)),
    ...newest.map((url) => keyText(scope.tenant, code, keyKind.newest, url)),
  ];
  return keys.length === 0 ? 'false' : keysCondition(keys, scope);
}

/** One key must be there, or one of several. */
export function keysCondition(
  keys: readonly string[],
  { hasher, values }: Pick<ConditionScope, 'hasher' | 'values'>,
): string {
  return `r.keys ${keys.length === 1 ? '@>' : '&&'} ${values.add(hasher.array(new Set(keys)))}::bigint[]`;
}

function condition(test: ValueTest, scope: ConditionScope): string {
  const { values, hasher } = scope;
  switch (test.kind) {
    case 'all':
    case 'any':
      return joined(
        test.of.map((part) => condition(part, scope)),
        test.kind === 'all' ? 'AND' : 'OR',
      );
    case 'not':
      return `NOT (${condition(test.of, scope)})`;
    case 'constant':
      return String(test.value);
    case 'keys':
      return keysCondition(test.texts, scope);
    case 'id':
      return `r.id = ANY(${values.add(test.ids)}::text[])`;
    case 'updated':
      return range(test.range, 'r.updated', 'r.updated', timeValue(values));
    case 'date-column':
      return range(test.range, `r.d${test.column}_lo`, `r.d${test.column}_hi`, timeValue(values));
    case 'date':
      return inTable('date_key', test.param, range(test.range, 'k.lo', 'k.hi', timeValue(values)), scope);
    case 'number': {
      const unit = `k.unit = ${values.add(unitKey(hasher, test.unit))}::bigint`;
      return inTable(
        'number_key',
        test.param,
        `${unit} AND ${range(test.range, 'k.lo', 'k.hi', numberValue(values))}`,
        scope,
      );
    }
    case 'string':
      return inTable(
        'string_key',
        test.param,
        joined(
          test.tests.map((part) => stringCondition(part, values)),
          'OR',
        ),
        scope,
      );
    case 'head-string':
      return inTable('string_key', test.param, startsWith(hashHead(hasher, test.head) + test.starts, values), scope);
    case 'near':
      return inTable('number_key', test.param, nearCondition(test.near, values), scope);
    case 'words':
      return wordsCondition(test.place, test.patterns, values);
  }
}

function joined(conditions: readonly string[], operator: 'AND' | 'OR'): string {
  return conditions.length === 1 ? conditions[0]! : `(${conditions.map((part) => `(${part})`).join(` ${operator} `)})`;
}

type OrderedTable = 'string_key' | 'date_key' | 'number_key';

function inTable(table: OrderedTable, param: number, rows: string, { values }: ConditionScope): string {
  return `r.id IN (SELECT k.id FROM fhir.${table} k WHERE k.tenant = $1 AND k.param = ${values.add(param)}::integer AND (${rows}))`;
}

/** Adds a bound of a range; answers its placeholder. */
type AddBound = (value: number) => string;

const timeValue =
  (values: SqlValues): AddBound =>
  (ms) =>
    ms === Number.NEGATIVE_INFINITY ? `'${noDate}'` : `${values.add(sqlTime(ms))}::timestamptz`;

const numberValue =
  (values: SqlValues): AddBound =>
  (value) =>
    `${values.add(value)}::double precision`;

function range(test: RangeTest, lo: string, hi: string, add: AddBound): string {
  if ('all' in test)
    return joined(
      test.all.map((part) => range(part, lo, hi, add)),
      'AND',
    );
  if ('any' in test)
    return joined(
      test.any.map((part) => range(part, lo, hi, add)),
      'OR',
    );
  if ('not' in test) return `NOT (${range(test.not, lo, hi, add)})`;
  return `${test.end === 'lo' ? lo : hi} ${test.is} ${add(test.value)}`;
}

function stringCondition(test: StringTest, values: SqlValues): string {
  if ('starts' in test) return startsWith(test.starts, values);
  if ('contains' in test) return `strpos(k.value, ${values.add(test.contains)}) > 0`;
  return joined(
    test.words.map((word) => `strpos(' ' || k.value, ${values.add(` ${word}`)}) > 0`),
    'AND',
  );
}

function startsWith(text: string, values: SqlValues): string {
  const from = values.add(text);
  return `k.value >= ${from} AND k.value < ${values.add(text + lastCharacter)}`;
}

/** Latitude is in `lo`, longitude in `hi`. */
function nearCondition(near: Circle, values: SqlValues): string {
  const add = numberValue(values);
  const { lo, hi } = latitudeBounds(near);
  const distance = distanceSql('k.lo', 'k.hi', add(near.latitude), add(near.longitude));
  return `k.unit = 0 AND k.lo >= ${add(lo)} AND k.lo <= ${add(hi)} AND ${distance} <= ${add(near.metres)}`;
}

/** Reads the content of the rows that the other conditions leave. */
function wordsCondition(place: TextPlace, patterns: readonly string[], values: SqlValues): string {
  const paths = jsonPaths(place, patterns);
  const exists = (path: string) => `jsonb_path_exists(j.content, ${values.add(path)}::jsonpath)`;
  const found = 'all' in paths ? joined(paths.all.map(exists), 'AND') : joined(paths.any.map(exists), 'OR');
  // Letters stand in the text as they are: most rows are passed over before their JSON is parsed, which takes twice the time. A
  // deleted resource has no content to parse, and PostgreSQL may look at it before it knows. OFFSET 0 keeps it to one parsing.
  const letters = joined(
    patterns.map((pattern) => `r.content ~ ${values.add(pattern)}`),
    'AND',
  );
  return `CASE WHEN r.deleted OR NOT (${letters}) THEN false
    ELSE (SELECT ${found} FROM (SELECT r.content::jsonb AS content OFFSET 0) j) END`;
}
