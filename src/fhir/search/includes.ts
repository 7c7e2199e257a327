/** `_include` and `_revinclude` (https://hl7.org/fhir/R4/search.html#include): resources the matches point to, or that point to them. */
import type { OperationOutcomeIssue, ResourceType } from '@medplum/fhirtypes';
import type { StoredVersion } from '../store/contract.ts';
import { keysCondition } from './conditions.ts';
import { unversionedReference } from './index-values.ts';
import { keyKind, keyText } from './keys.ts';
import type { Parameter } from './parameters.ts';
import type { Include } from './query.ts';
import { type SearchParts, type SearchScope, tableOf } from './scope.ts';
import { createSqlValues } from './sql-values.ts';

/** Most resources added to one page, and rounds of `:iterate`. */
const includedLimit = 1000;
const roundLimit = 5;

/** Resources to add to a page; says in `warnings` when there were more than fit. */
export async function collectIncludes(
  parts: SearchParts,
  scope: SearchScope,
  includes: readonly Include[],
  matches: readonly StoredVersion[],
  warnings: OperationOutcomeIssue[],
): Promise<StoredVersion[]> {
  if (includes.length === 0) return [];
  const seen = new Set(matches.map(({ type, id }) => `${type}/${id}`));
  const included: StoredVersion[] = [];
  let round = [...matches];
  for (let n = 0; n < roundLimit && round.length > 0; n++) {
    const found: StoredVersion[] = [];
    for (const include of includes) {
      if (n > 0 && !include.iterate) continue;
      const more = include.reverse
        ? await pointing(parts, scope, include, round)
        : await pointedTo(parts, scope, include, round, seen);
      for (const version of more) {
        const reference = `${version.type}/${version.id}`;
        if (seen.has(reference)) continue;
        seen.add(reference);
        found.push(version);
      }
    }
    included.push(...found);
    if (included.length > includedLimit) {
      warnings.push({
        severity: 'warning',
        code: 'too-costly',
        diagnostics: `More than ${includedLimit} resources to include: the rest was left out`,
      });
      return included.slice(0, includedLimit);
    }
    round = found;
  }
  return included;
}

async function pointedTo(
  parts: SearchParts,
  scope: SearchScope,
  include: Include,
  round: readonly StoredVersion[],
  seen: ReadonlySet<string>,
): Promise<StoredVersion[]> {
  const wanted = new Map<string, Set<string>>();
  for (const version of round) {
    if (version.type !== include.sourceType) continue;
    const resource: unknown = JSON.parse(version.text);
    for (const parameter of parametersOf(parts, include)) {
      for (const value of parameter.select(resource)) {
        const reference = (value as { reference?: unknown } | null)?.reference;
        if (typeof reference !== 'string') continue;
        const [type, id, ...rest] = unversionedReference(reference).split('/');
        if (!type || !id || rest.length > 0 || !parts.registry.types.has(type)) continue;
        if (include.targetType !== undefined && include.targetType !== type) continue;
        if (seen.has(`${type}/${id}`)) continue;
        wanted.set(type, (wanted.get(type) ?? new Set()).add(id));
      }
    }
  }
  const found: StoredVersion[] = [];
  for (const [type, ids] of wanted) {
    found.push(...(await select(scope, type as ResourceType, 'r.id = ANY($2::text[])', [[...ids]])));
  }
  return found;
}

function parametersOf(parts: SearchParts, include: Include): Parameter[] {
  if (include.parameter) return [include.parameter];
  return [...parts.registry.of(include.sourceType).values()].filter((parameter) => parameter.type === 'reference');
}

async function pointing(
  parts: SearchParts,
  scope: SearchScope,
  include: Include,
  round: readonly StoredVersion[],
): Promise<StoredVersion[]> {
  const targets = round.filter(({ type }) => include.targetType === undefined || include.targetType === type);
  if (targets.length === 0) return [];
  const keys = parametersOf(parts, include).flatMap(({ code }) =>
    targets.map(({ type, id }) => keyText(scope.tenant, code, keyKind.value, `${type}/${id}`)),
  );
  const values = createSqlValues(scope.tenant);
  const condition = keysCondition(keys, { hasher: parts.hasher, values });
  return select(scope, include.sourceType as ResourceType, condition, values.list.slice(1));
}

async function select(
  scope: SearchScope,
  type: ResourceType,
  condition: string,
  values: readonly unknown[],
): Promise<StoredVersion[]> {
  const { rows } = await scope.sql.query<{ id: string; version: number; updated: Date; content: string }>(
    `SELECT r.id, r.version, r.updated, r.content FROM ${tableOf(type)} r
     WHERE r.tenant = $1 AND NOT r.deleted AND ${condition} ORDER BY r.id LIMIT ${includedLimit + 1}`,
    [scope.tenant, ...values],
  );
  return rows.map(({ id, version, updated, content }) => ({
    type,
    id,
    version,
    updated,
    deleted: false,
    text: content,
  }));
}
