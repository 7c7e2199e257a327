/**
 * Links of chains, forward and reverse (https://hl7.org/fhir/R4/search.html#chaining, #has), in two steps: first what is at the
 * other end, bounded, then the keys of exactly that. The planner sees the keys and uses the GIN index; a join on computed hashes
 * would hide them from it.
 */
import { unversionedReference } from './index-values.ts';
import { tooCostly } from './refusals.ts';
import type { Criterion } from './request.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { buildWhere } from './where.ts';

/** Most resources at the far end of one link; beyond it the search must be narrowed. */
const linkLimit = 5000;

/** Resources a reference may point to for the chain to hold, as references. @throws FhirError 422 when there are too many. */
export async function chainTargets(
  search: RunningSearch,
  { parameter, targets }: Extract<Criterion, { kind: 'chain' }>,
): Promise<string[]> {
  const references: string[] = [];
  for (const { type, criterion } of targets) {
    const { text, values } = await buildWhere(search, type, [criterion]);
    const rows = await search.sql.query<{ id: string }>(
      `SELECT r.id FROM ${tableOf(type)} r WHERE ${text} LIMIT ${linkLimit + 1 - references.length}`,
      values.list,
    );
    references.push(...rows.map(({ id }) => `${type}/${id}`));
    if (references.length > linkLimit) {
      throw tooCostly(
        `The chain through ${parameter.code} has more than ${linkLimit} targets: narrow what it asks of them`,
      );
    }
  }
  return references;
}

/** Ids of resources of `type` that the resources of a reverse chain point to. @throws FhirError 422 when there are too many. */
export async function pointedTo(
  search: RunningSearch,
  type: string,
  { type: source, parameter, criterion }: Extract<Criterion, { kind: 'has' }>,
): Promise<string[]> {
  const { text, values } = await buildWhere(search, source, [criterion]);
  const rows = await search.sql.query<{ content: string }>(
    `SELECT r.content FROM ${tableOf(source)} r WHERE ${text} LIMIT ${linkLimit + 1}`,
    values.list,
  );
  if (rows.length > linkLimit) {
    throw tooCostly(
      `_has through ${source}.${parameter.code} meets more than ${linkLimit} resources: narrow what it asks of them`,
    );
  }
  const ids = new Set<string>();
  for (const { content } of rows) {
    for (const value of parameter.select(JSON.parse(content))) {
      const reference = (value as { reference?: unknown } | null)?.reference;
      if (typeof reference !== 'string') continue;
      const [target, id, ...more] = unversionedReference(reference).split('/');
      if (target === type && id && more.length === 0) ids.add(id);
    }
  }
  return [...ids];
}
