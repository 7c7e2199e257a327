/** Profiles, tags and security labels that the current resources of a type, or of every type, carry. */
import type { Coding, Meta, ResourceType } from '@medplum/fhirtypes';
import type { OperationCall } from '../contract.ts';
import { seenCondition } from '../search/row-limits.ts';
import { tableOf } from '../search/scope.ts';
import { createSqlValues } from '../search/sql-values.ts';
import type { RestTransaction } from '../store/contract.ts';
import { readsOf, sight } from './reads.ts';
import { typesInUse } from './types-in-use.ts';

interface Row {
  kind: 'profile' | 'tag' | 'security';
  system: string | null;
  code: string | null;
  display: string | null;
}

/** Reads every current resource of the types (about 10 µs each): the statement's time limit is its limit. */
export async function labelsInUse(call: OperationCall): Promise<Meta> {
  const tx = readsOf(call);
  const types = call.type ? [call.type] : await visibleTypes(call);
  const found = new Map<string, Row>();
  for (const type of types) {
    const { text, values } = labelsQuery(type, tx);
    const { rows } = await tx.seen.sql.query<Row>(text, values);
    for (const row of rows) found.set(`${row.kind} ${row.system} ${row.code}`, row);
  }
  const rows = [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  const labels = (kind: Row['kind']) => rows.filter((row) => row.kind === kind);
  const profile = labels('profile').flatMap(({ code }) => code ?? []);
  const [tag, security] = [labels('tag').map(coding), labels('security').map(coding)];
  return {
    ...(profile.length > 0 ? { profile } : {}),
    ...(tag.length > 0 ? { tag } : {}),
    ...(security.length > 0 ? { security } : {}),
  };
}

function labelsQuery(
  type: ResourceType,
  { context, seen }: RestTransaction,
): { text: string; values: readonly unknown[] } {
  const values = createSqlValues(context.tenant);
  const condition = seenCondition(seen.rows, type, values);
  const isSeen = condition === undefined ? '' : ` AND ${condition}`;
  // The text says cheaply that a label is there at all; only then it is parsed.
  const labelled = (element: string) => `r.tenant = $1 AND NOT r.deleted${isSeen} AND r.content LIKE '%"${element}":%'`;
  const codings = (element: string) =>
    `SELECT '${element}' AS kind, label ->> 'system' AS system, label ->> 'code' AS code, max(label ->> 'display') AS display
     FROM ${tableOf(type)} r, json_array_elements(r.content::json #> '{meta,${element}}') label
     WHERE ${labelled(element)} GROUP BY 2, 3`;
  const text = `SELECT DISTINCT 'profile' AS kind, NULL AS system, profile AS code, NULL AS display
     FROM ${tableOf(type)} r, json_array_elements_text(r.content::json #> '{meta,profile}') profile
     WHERE ${labelled('profile')}
   UNION ALL ${codings('tag')} UNION ALL ${codings('security')}`;
  return { text, values: values.list };
}

/** Types the tenant has anything of and the caller may see. */
async function visibleTypes(call: OperationCall): Promise<ResourceType[]> {
  const sees = sight(call);
  return (await typesInUse(call.tx.sql, call.tx.context.tenant)).filter((type) => sees.may(type));
}

function coding({ system, code, display }: Row): Coding {
  return { ...(system ? { system } : {}), ...(code ? { code } : {}), ...(display ? { display } : {}) };
}
