/** Criteria as the condition of a statement on the table of a type, with alias `r`; `$1` is the tenant. */
import { chainCondition, reverseChainCondition } from './chains.ts';
import { type ConditionScope, clauseCondition, keysCondition } from './conditions.ts';
import { overlapCondition, textCondition } from './filter-conditions.ts';
import { keyKind, keyText } from './keys.ts';
import { listItems } from './lists.ts';
import { aboutParameter } from './refusals.ts';
import type { Criterion, NamedCriterion } from './request.ts';
import { seenCondition } from './row-limits.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { createSqlValues, type SqlValues } from './sql-values.ts';
import { resolveCodes } from './terminology-clauses.ts';

export interface Where {
  text: string;
  /** Parameters of the condition; a statement that adds its own takes a copy. */
  values: SqlValues;
  /** Asks for an identifier: few rows are left, whatever the planner believes. */
  isNarrow: boolean;
}

/**
 * Chains and lists among the criteria are resolved by statements of their own first.
 * @throws FhirError 400, 422 for values that a parameter does not take, naming the parameter.
 */
export async function buildWhere(
  search: RunningSearch,
  type: string,
  criteria: readonly NamedCriterion[],
  values: SqlValues = createSqlValues(search.tenant),
): Promise<Where> {
  const { tenant, hasher, nowMs, registry } = search;
  const scope: ConditionScope = { tenant, hasher, values, nowMs, types: registry.types };
  const texts = ['r.tenant = $1', 'NOT r.deleted'];
  const seen = seenCondition(search.rows, type, values);
  if (seen !== undefined) texts.push(seen);
  for (const criterion of criteria) {
    try {
      texts.push(await condition(search, type, criterion, scope));
    } catch (error) {
      throw criterion.asked === undefined ? error : aboutParameter(error, criterion.asked);
    }
  }
  return { text: texts.join(' AND '), values, isNarrow: criteria.some(isNarrow) };
}

/** An identifier, not just its system. */
function isNarrow(criterion: Criterion): boolean {
  if (criterion.kind !== 'clause') return false;
  const { parameter, modifier, values } = criterion.clause;
  const isIdentifier = parameter.type === 'token' && parameter.code === 'identifier';
  return (
    isIdentifier && (modifier === undefined || modifier === 'of-type') && values.every((value) => !value.endsWith('|'))
  );
}

/**
 * What a search reads, as `r`, and the condition left to say. Statistics know no key that occurs once, so that with a LIMIT the
 * planner may hope to meet one soon along another index: where an identifier is asked for, its rows are found first (OFFSET 0 keeps
 * the two apart).
 */
export function rowsWhere(type: string, { text, isNarrow }: Where): { from: string; condition: string } {
  if (!isNarrow) return { from: `${tableOf(type)} r`, condition: text };
  return { from: `(SELECT r.* FROM ${tableOf(type)} r WHERE ${text} OFFSET 0) r`, condition: 'true' };
}

async function condition(
  search: RunningSearch,
  type: string,
  criterion: Criterion,
  scope: ConditionScope,
): Promise<string> {
  switch (criterion.kind) {
    case 'clause':
      return clauseCondition(await resolveCodes(search, criterion.clause), scope);
    case 'chain':
      return chainCondition(search, criterion, scope, buildWhere);
    case 'has':
      return reverseChainCondition(search, type, criterion, scope, buildWhere);
    case 'list':
      return `r.id = ANY(${scope.values.add(await listItems(search, type, criterion.id))}::text[])`;
    case 'compartment': {
      const { owner, parameters, isOwner } = criterion;
      const keys = parameters.map(({ code }) => keyText(scope.tenant, code, keyKind.value, owner));
      const conditions = keys.length > 0 ? [keysCondition(keys, scope)] : [];
      if (isOwner) conditions.push(`r.id = ${scope.values.add(owner.slice(owner.indexOf('/') + 1))}`);
      return `(${conditions.join(' OR ')})`;
    }
    case 'text':
      return textCondition(criterion, scope);
    case 'overlap':
      return overlapCondition(criterion, scope);
    case 'not':
      return `NOT (${await condition(search, type, criterion.of, scope)})`;
    case 'all':
    case 'any': {
      const parts: string[] = [];
      for (const part of criterion.of) parts.push(`(${await condition(search, type, part, scope)})`);
      return parts.length === 1 ? parts[0]! : `(${parts.join(criterion.kind === 'all' ? ' AND ' : ' OR ')})`;
    }
  }
}
