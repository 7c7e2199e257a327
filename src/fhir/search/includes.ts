/** `_include` and `_revinclude` (https://hl7.org/fhir/R4/search.html#include): resources the matches point to, or that point to them. */
import type { OperationOutcomeIssue, ResourceType } from '@medplum/fhirtypes';
import type { SearchOptions, StoredVersion } from '../store/contract.ts';
import { includedDefinitions, namingsOfVersions, ownVersion } from './canonical-includes.ts';
import { canonicalKeys } from './canonicals.ts';
import { keysCondition } from './conditions.ts';
import { keyKind, keyText } from './keys.ts';
import type { Parameter } from './parameters.ts';
import type { Include } from './request.ts';
import { seenCondition } from './row-limits.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { createSqlValues } from './sql-values.ts';
import { targetOf } from './token-facts.ts';
import { usedTypes } from './used-types.ts';

/** Most resources added to one page, and rounds of `:iterate`. */
const includedLimit = 1000;
const roundLimit = 10;

type MayInclude = NonNullable<SearchOptions['mayInclude']>;

/** What is asked to come along, and the types that may; every type when absent. */
interface Wanted {
  includes: readonly Include[];
  mayInclude: SearchOptions['mayInclude'];
}

/** Resources to add to a page, no match among them; says in `warnings` when there were more than fit. */
export async function collectIncludes(
  search: RunningSearch,
  { includes, mayInclude = () => true }: Wanted,
  matches: readonly StoredVersion[],
  warnings: OperationOutcomeIssue[],
): Promise<StoredVersion[]> {
  if (includes.length === 0) return [];
  const seen = new Set(matches.map(({ type, id }) => `${type}/${id}`));
  const included: StoredVersion[] = [];
  let round = [...matches];
  for (let n = 0; round.length > 0; n++) {
    if (n === roundLimit) {
      warnings.push(cut(`Includes were followed ${roundLimit} times: the rest was left out`));
      break;
    }
    const found: StoredVersion[] = [];
    for (const include of includes) {
      if (n > 0 && !include.iterate) continue;
      const room = includedLimit + 1 - included.length - found.length;
      if (room <= 0) break;
      const more = include.reverse
        ? await pointing(search, include, round, room, seen, mayInclude)
        : await pointedTo(search, include, round, room, seen, mayInclude);
      for (const version of more) {
        const reference = `${version.type}/${version.id}`;
        if (seen.has(reference)) continue;
        seen.add(reference);
        found.push(version);
      }
    }
    included.push(...found);
    if (included.length > includedLimit) {
      warnings.push(cut(`More than ${includedLimit} resources to include: the rest was left out`));
      return included.slice(0, includedLimit);
    }
    round = includes.some(({ iterate }) => iterate) ? found : [];
  }
  return included;
}

function cut(diagnostics: string): OperationOutcomeIssue {
  return { severity: 'warning', code: 'too-costly', diagnostics };
}

/**
 * Forward: the references are in the content, versioned ones lead to the current version, canonicals to the definition they mean,
 * contained and external ones nowhere.
 */
async function pointedTo(
  search: RunningSearch,
  include: Include,
  round: readonly StoredVersion[],
  limit: number,
  seen: ReadonlySet<string>,
  mayInclude: MayInclude,
): Promise<StoredVersion[]> {
  const wanted = new Map<string, Set<string>>();
  const want = (type: string, id: string) => {
    if (!seen.has(`${type}/${id}`)) wanted.set(type, (wanted.get(type) ?? new Set()).add(id));
  };
  const values = valuesOf(search, include, round);
  for (const [{ shared }, selected] of values) {
    for (const target of selected.map((value) => namedBy(value, shared.base))) {
      if (!target || !search.registry.types.has(target.type)) continue;
      if (include.targetType === undefined || include.targetType === target.type) want(target.type, target.id);
    }
  }
  const definitions = await includedDefinitions(search, include, values, mayInclude);
  for (const { type, id, own } of definitions) if (!own) want(type, id);
  const found: StoredVersion[] = [];
  for (const [type, ids] of wanted) {
    if (found.length >= limit) break;
    if (!mayInclude(type as ResourceType)) continue;
    found.push(...(await select(search, type, 'r.id = ANY($2::text[])', [[...ids]], limit - found.length)));
  }
  return [...found, ...definitions.flatMap(({ own }) => (own ? ownVersion(own) : []))].slice(0, limit);
}

/** What a Reference names by type and id, or a canonical in its place; the url of a definition is no address. */
function namedBy(value: unknown, base: () => string | undefined): ReturnType<typeof targetOf> {
  return typeof value === 'string' ? targetOf({ reference: value }, () => undefined) : targetOf(value, base);
}

/** Values of the parameters that are followed. */
function valuesOf(search: RunningSearch, include: Include, round: readonly StoredVersion[]): Map<Parameter, unknown[]> {
  const values = new Map<Parameter, unknown[]>();
  for (const version of round) {
    if (include.sourceType !== undefined && version.type !== include.sourceType) continue;
    const resource: unknown = JSON.parse(version.text);
    for (const parameter of referenceParameters(search, include, version.type)) {
      const known = values.get(parameter) ?? [];
      values.set(parameter, known);
      known.push(...parameter.select(resource));
    }
  }
  return values;
}

/** Backward: by the keys of the references, in the one type asked for or in every type there is. */
async function pointing(
  search: RunningSearch,
  include: Include,
  round: readonly StoredVersion[],
  limit: number,
  seen: ReadonlySet<string>,
  mayInclude: MayInclude,
): Promise<StoredVersion[]> {
  const targets = round.filter(({ type }) => include.targetType === undefined || include.targetType === type);
  if (targets.length === 0) return [];
  const namings = await namingsOfVersions(search, targets);
  const sources = include.sourceType === undefined ? await usedTypes(search) : [include.sourceType];
  const found: StoredVersion[] = [];
  for (const source of sources) {
    if (found.length >= limit) break;
    if (!mayInclude(source as ResourceType)) continue;
    const keys = referenceParameters(search, include, source).flatMap((parameter) =>
      targets.flatMap(({ type, id }, index) => {
        const { code, form, target } = parameter;
        if (target.length > 0 && !target.includes(type)) return [];
        const byUrl = form === 'literal' ? [] : canonicalKeys(search, parameter, namings[index]!);
        return [keyText(search.tenant, code, keyKind.value, `${type}/${id}`), ...byUrl];
      }),
    );
    if (keys.length === 0) continue;
    const values = createSqlValues(search.tenant);
    const conditions = [keysCondition(keys, { hasher: search.hasher, values })];
    const known = [...seen].filter((reference) => reference.startsWith(`${source}/`));
    // What is there already takes no room.
    if (known.length > 0) {
      const ids = known.map((reference) => reference.slice(source.length + 1));
      conditions.push(`r.id <> ALL(${values.add(ids)}::text[])`);
    }
    const versions = await select(search, source, conditions.join(' AND '), values.list.slice(1), limit - found.length);
    found.push(...versions);
  }
  return found;
}

function referenceParameters({ registry }: RunningSearch, { parameter }: Include, type: string): Parameter[] {
  if (parameter) return [parameter];
  return [...registry.of(type).values()].filter((candidate) => candidate.type === 'reference');
}

async function select(
  search: RunningSearch,
  type: string,
  condition: string,
  values: readonly unknown[],
  limit: number,
): Promise<StoredVersion[]> {
  const all = createSqlValues(search.tenant, ...values);
  const seen = seenCondition(search.rows, type, all);
  const rows = await search.sql.query<{ id: string; version: number; updated: Date; content: string }>(
    `SELECT r.id, r.version, r.updated, r.content FROM ${tableOf(type)} r
     WHERE r.tenant = $1 AND NOT r.deleted AND ${condition}${seen === undefined ? '' : ` AND ${seen}`} ORDER BY r.id LIMIT ${limit}`,
    all.list,
  );
  return rows.map(({ id, version, updated, content }) => ({
    type: type as ResourceType,
    id,
    version,
    updated,
    deleted: false,
    text: content,
  }));
}
