/** `_list` (https://hl7.org/fhir/R4/search.html#list): what a stored List has as items. */
import type { List } from '@medplum/fhirtypes';
import { unversionedReference } from './index-values.ts';
import { type RunningSearch, tableOf } from './scope.ts';

/** Ids of the items of one type, those marked as removed left out; none when there is no such List. */
export async function listItems(search: RunningSearch, type: string, id: string): Promise<string[]> {
  const [row] = await search.sql.query<{ content: string }>(
    `SELECT r.content FROM ${tableOf('List')} r WHERE r.tenant = $1 AND NOT r.deleted AND r.id = $2`,
    [search.tenant, id],
  );
  if (!row) return [];
  const { entry = [] } = JSON.parse(row.content) as List;
  return entry.flatMap(({ item, deleted }) => {
    const [target, itemId, ...more] = unversionedReference(item?.reference ?? '').split('/');
    return target === type && itemId && more.length === 0 && deleted !== true ? [itemId] : [];
  });
}
