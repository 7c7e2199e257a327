/** Search clauses as SQL conditions on a resource table with alias `r`. `$1` is the tenant. */
import { dateCondition, instantCondition, numberCondition } from './comparisons.ts';
import { splitBars, unescapeValue } from './escapes.ts';
import { unitKey, unversionedReference } from './index-values.ts';
import { type KeyHasher, type KeyKind, keyKind, keyText } from './keys.ts';
import type { Parameter } from './parameters.ts';
import { type Clause, invalid } from './query.ts';
import type { SqlValues } from './sql-values.ts';
import { foldString } from './strings.ts';

export interface ConditionScope {
  tenant: string;
  hasher: KeyHasher;
  values: SqlValues;
  nowMs: number;
  types: ReadonlySet<string>;
}

/** Largest code point: every string that starts with `x` sorts before `x` followed by it. */
const lastCharacter = '\u{10FFFF}';

/** The condition of one clause; chains are resolved before and come as references. */
export function clauseCondition(clause: Clause, scope: ConditionScope): string {
  const { parameter, modifier } = clause;
  if (modifier === 'missing') return missingCondition(clause, scope);
  if (parameter.code === '_id') return idCondition(clause, scope);
  switch (parameter.type) {
    case 'token':
      return tokenCondition(clause, scope);
    case 'reference':
      return referenceCondition(clause, scope);
    case 'uri':
      if (modifier === 'not')
        return negated(keysCondition(clause.values.map(unescapeValue).map(valueKey(clause, scope)), scope));
      refuseModifier(parameter, modifier);
      return keysCondition(clause.values.map(unescapeValue).map(valueKey(clause, scope)), scope);
    case 'string':
      return stringCondition(clause, scope);
    case 'date':
      refuseModifier(parameter, modifier);
      return any(clause.values.map((value) => dateClause(parameter, unescapeValue(value), scope)));
    case 'number':
    case 'quantity':
      refuseModifier(parameter, modifier);
      return any(clause.values.map((value) => numberClause(parameter, value, scope)));
  }
}

function any(conditions: readonly string[]): string {
  return conditions.length === 1 ? conditions[0]! : `(${conditions.map((condition) => `(${condition})`).join(' OR ')})`;
}

function negated(condition: string): string {
  return `NOT (${condition})`;
}

function refuseModifier({ code, type }: Parameter, modifier: string | undefined): void {
  if (modifier === undefined) return;
  throw invalid(`Modifier :${modifier.slice(0, 40)} is not supported on the ${type} parameter ${code}`);
}

const valueKey =
  ({ parameter }: Clause, { tenant }: ConditionScope) =>
  (value: string) =>
    keyText(tenant, parameter.code, keyKind.value, value);

/** One key must be there, or one of several. */
export function keysCondition(
  keys: readonly string[],
  { hasher, values }: Pick<ConditionScope, 'hasher' | 'values'>,
): string {
  return `r.keys ${keys.length === 1 ? '@>' : '&&'} ${values.add(hasher.array(new Set(keys)))}::bigint[]`;
}

function missingCondition({ parameter, values: [value], values }: Clause, scope: ConditionScope): string {
  if (values.length !== 1 || (value !== 'true' && value !== 'false')) {
    throw invalid(`${parameter.code}:missing is true or false`);
  }
  if (parameter.code === '_id' || parameter.code === '_lastUpdated') return String(value === 'false');
  const present = keysCondition([keyText(scope.tenant, parameter.code, keyKind.present)], scope);
  return value === 'true' ? negated(present) : present;
}

function idCondition({ parameter, modifier, values }: Clause, scope: ConditionScope): string {
  const condition = `r.id = ANY(${scope.values.add(values.map(unescapeValue))}::text[])`;
  if (modifier === 'not') return negated(condition);
  refuseModifier(parameter, modifier);
  return condition;
}

function tokenCondition(clause: Clause, scope: ConditionScope): string {
  const { parameter, modifier } = clause;
  const key = (kind: KeyKind, ...parts: string[]) => keyText(scope.tenant, parameter.code, kind, ...parts);
  if (modifier === 'of-type') {
    const keys = clause.values.map((value) => {
      const [system, code, identifier, ...rest] = splitBars(value);
      if (!system || !code || !identifier || rest.length > 0) {
        throw invalid(`${parameter.code}:of-type takes system|code|value`);
      }
      return key(keyKind.ofType, system, code, identifier);
    });
    return keysCondition(keys, scope);
  }
  const keys = clause.values.map((value) => {
    const [first, second, ...rest] = splitBars(value) as [string, string?, ...string[]];
    if (rest.length > 0 || (first === '' && !second))
      throw invalid(`${parameter.code}: a token is code, system|code, |code or system|`);
    if (second === undefined) return key(keyKind.value, first);
    return second === '' ? key(keyKind.system, first) : key(keyKind.systemValue, first, second);
  });
  const condition = keysCondition(keys, scope);
  if (modifier === 'not') return negated(condition);
  refuseModifier(parameter, modifier);
  return condition;
}

function referenceCondition(clause: Clause, scope: ConditionScope): string {
  const { parameter, modifier } = clause;
  const key = (kind: KeyKind, ...parts: string[]) => keyText(scope.tenant, parameter.code, kind, ...parts);
  if (modifier === 'identifier') {
    const keys = clause.values.map((value) => {
      const parts = splitBars(value);
      if (parts.length > 2 || parts.at(-1) === '')
        throw invalid(`${parameter.code}:identifier takes value or system|value`);
      return key(keyKind.identifier, ...parts);
    });
    return keysCondition(keys, scope);
  }
  if (modifier !== undefined && modifier !== 'not' && !scope.types.has(modifier)) refuseModifier(parameter, modifier);
  const keys = clause.values.flatMap((value) => {
    const reference = unversionedReference(unescapeValue(value));
    if (modifier !== undefined && modifier !== 'not') {
      const id = reference.startsWith(`${modifier}/`) ? reference.slice(modifier.length + 1) : reference;
      return [key(keyKind.value, `${modifier}/${id}`)];
    }
    if (reference.includes('/') || reference.includes(':')) return [key(keyKind.value, reference)];
    // A bare id may be of any type the parameter points to.
    return parameter.target.map((type) => key(keyKind.value, `${type}/${reference}`));
  });
  if (keys.length === 0) throw invalid(`${parameter.code} needs a reference of the form Type/id`);
  const condition = keysCondition(keys, scope);
  return modifier === 'not' ? negated(condition) : condition;
}

/** Condition that a reference parameter points to one of these resources. */
export function targetCondition(parameter: Parameter, references: readonly string[], scope: ConditionScope): string {
  if (references.length === 0) return 'false';
  return keysCondition(
    references.map((reference) => keyText(scope.tenant, parameter.code, keyKind.value, reference)),
    scope,
  );
}

function stringCondition(clause: Clause, scope: ConditionScope): string {
  const { parameter, modifier } = clause;
  const texts = clause.values.map(unescapeValue);
  if (modifier === 'exact') {
    return keysCondition(
      texts.map((text) => keyText(scope.tenant, parameter.code, keyKind.exact, text)),
      scope,
    );
  }
  if (modifier !== 'contains') refuseModifier(parameter, modifier);
  const matches = texts.map((text) => {
    const folded = foldString(text);
    if (folded === '') throw invalid(`${parameter.code} has nothing to search for`);
    if (modifier === 'contains') return `strpos(k.value, ${scope.values.add(folded)}) > 0`;
    const from = scope.values.add(folded);
    return `k.value >= ${from} AND k.value < ${scope.values.add(folded + lastCharacter)}`;
  });
  return ordered('string_key', parameter, any(matches), scope);
}

function dateClause(parameter: Parameter, value: string, { values, nowMs }: ConditionScope): string {
  if (parameter.code === '_lastUpdated') return instantCondition(parameter.code, value, 'r.updated', values, nowMs);
  if (parameter.dateColumn !== undefined) {
    const column = `r.d${parameter.dateColumn}`;
    return dateCondition(parameter.code, value, `${column}_lo`, `${column}_hi`, values, nowMs);
  }
  return ordered('date_key', parameter, dateCondition(parameter.code, value, 'k.lo', 'k.hi', values, nowMs), {
    values,
  });
}

function numberClause(parameter: Parameter, value: string, scope: ConditionScope): string {
  const [number, system, code, ...rest] = splitBars(value) as [string, string?, string?, ...string[]];
  const hasUnit = system !== undefined;
  if (rest.length > 0 || (hasUnit && (parameter.type === 'number' || code === undefined))) {
    throw invalid(
      `${parameter.code} takes ${parameter.type === 'number' ? 'a number' : 'number or number|system|code'}`,
    );
  }
  const unit = code ? unitKey(scope.hasher, system ? { system, code } : { code }) : '0';
  const condition = `k.unit = ${scope.values.add(unit)}::bigint AND ${numberCondition(parameter.code, number, scope.values)}`;
  return ordered('number_key', parameter, condition, scope);
}

type OrderedTable = 'string_key' | 'date_key' | 'number_key';

function ordered(
  table: OrderedTable,
  parameter: Parameter,
  condition: string,
  { values }: Pick<ConditionScope, 'values'>,
): string {
  const key = values.add(parameter.key);
  return `r.id IN (SELECT k.id FROM fhir.${table} k WHERE k.tenant = $1 AND k.param = ${key}::integer AND (${condition}))`;
}
