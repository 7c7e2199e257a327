/** Types this tenant has anything of, deleted or not: what can be skipped when everything is asked for. */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { r4Types } from '../definitions/structure-r4.ts';
import { usedTypesStatement } from '../search/used-types.ts';

const { text } = usedTypesStatement(r4Types, '');

/** One statement; in the order of the types' names. */
export async function typesInUse(sql: Sql, tenant: string): Promise<ResourceType[]> {
  const { rows } = await sql.query<{ type: ResourceType }>({
    name: 'fhir_types_in_use',
    text,
    values: [tenant],
  });
  return rows.map(({ type }) => type);
}
