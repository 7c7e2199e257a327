/** Criteria as the condition of a statement on the table of a type, with alias `r`; `$1` is the tenant. */
import { chainCondition } from './chains.ts';
import { type ConditionScope, clauseCondition, keysCondition } from './conditions.ts';
import { overlapCondition, textCondition } from './filter-conditions.ts';
import { keyKind, keyText } from './keys.ts';
import { listItems } from './lists.ts';
import { areFew, isNarrow } from './narrow.ts';
import { aboutParameter } from './refusals.ts';
import type { Criterion, NamedCriterion } from './request.ts';
import { reverseChainCondition } from './reverse-chains.ts';
import { seenCondition } from './row-limits.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { createSqlValues, type SqlValues } from './sql-values.ts';
import { resolveCodes } from './terminology-clauses.ts';

export interface Where {
  text: string;
  /** Parameters of the condition; a statement that adds its own takes a copy. */
  values: SqlValues;
  /** Leaves few rows, whatever the planner believes (narrow.ts). */
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
  let narrow = criteria.some(isNarrow);
  for (const criterion of criteria) {
    try {
      if (criterion.kind === 'chain') {
        const { text, references } = await chainCondition(search, criterion, scope, buildWhere);
        texts.push(text);
        narrow ||= references !== undefined && areFew(references);
      } else texts.push(await condition(search, type, criterion, scope));
    } catch (error) {
      throw criterion.asked === undefined ? error : aboutParameter(error, criterion.asked);
    }
  }
  return { text: texts.join(' AND '), values, isNarrow: narrow };
}

/**
 * What a search reads, as `r`, and the condition left to say. Statistics know no key that occurs rarely, so that with a LIMIT the
 * planner may hope to meet one soon along the index of the order, and reads ten million rows: where few are left, they are found first
 * (OFFSET 0 keeps the two apart).
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
      return (await chainCondition(search, criterion, scope, buildWhere)).text;
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
