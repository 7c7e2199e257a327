/** What is stored under the ids of an import, and whether a line says anything else. */
import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '@medplum/fhirtypes';
import type { Context } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import { tableOf } from '../search/scope.ts';
import type { RestTransaction } from '../store/contract.ts';
import { isServersLabel, isToBeLabelled } from '../store/labels.ts';
import type { Identified } from './import-line.ts';

export function nameOf({ resourceType, id }: Identified): string {
  return `${resourceType}/${id}`;
}

/**
 * Texts by `Type/id`, an empty one where the resource was deleted. As the account sees them: whether a line is the same as what it
 * does not see must not be told.
 */
export async function currentOf(
  { context, seen, shown }: RestTransaction,
  resources: readonly Identified[],
): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  for (const [type, list] of Map.groupBy(resources, ({ resourceType }) => resourceType)) {
    const { rows } = await seen.sql.query<{ id: string; content: string }>({
      name: `bulk_known_${type}`,
      text: `SELECT id, content FROM ${tableOf(type)} WHERE tenant = $1 AND id = ANY($2::text[])`,
      values: [context.tenant, list.map(({ id }) => id)],
    });
    for (const { id, content } of rows) known.set(`${type}/${id}`, shown(type, content));
  }
  return known;
}

/** Whether a write would change nothing: version and labels of establishments are the server's, whatever the line says. */
export function isAlready(context: Context, text: string, resource: Identified): boolean {
  const before = parseJson(text) as Resource;
  return isDeepStrictEqual(comparable(before), comparable(resource)) && !isToBeLabelled(before, context);
}

/** A line is not validated yet: whatever is no meta is left for the validator to refuse. */
function comparable(resource: Resource): object {
  const { meta = {}, ...rest } = resource;
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) return resource;
  const { versionId: _, lastUpdated: __, security, ...labels } = meta;
  const own: unknown = Array.isArray(security) ? security.filter((coding) => !isServersLabel(coding)) : security;
  const isNone = own === undefined || (Array.isArray(own) && own.length === 0);
  return { ...rest, meta: isNone ? labels : { ...labels, security: own } };
}
