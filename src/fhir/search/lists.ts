/** `_list` (https://hl7.org/fhir/R4/search.html#list): what a stored List has as items. */
import type { List } from '@medplum/fhirtypes';
import { notSupported } from './refusals.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { targetOf } from './token-facts.ts';

/**
 * Ids of the items of one type, those marked as removed left out; none when there is no such List.
 * @throws FhirError 400 for whoever does not see what is in Lists.
 */
export async function listItems(search: RunningSearch, type: string, id: string): Promise<string[]> {
  const items = search.registry.of('List').get('item');
  if (!items) throw notSupported('_list: what Lists have as items is not seen');
  const [row] = await search.sql.query<{ content: string }>(
    `SELECT r.content FROM ${tableOf('List')} r WHERE r.tenant = $1 AND NOT r.deleted AND r.id = $2`,
    [search.tenant, id],
  );
  if (!row) return [];
  const { entry = [] } = JSON.parse(row.content) as List;
  return entry.flatMap(({ item, deleted }) => {
    const target = targetOf(item, items.shared.base);
    return target?.type === type && deleted !== true ? [target.id] : [];
  });
}
