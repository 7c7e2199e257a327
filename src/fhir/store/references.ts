/** Existence of the targets of references, checked before commit when the configuration asks for it. */
import { platformTenant, type Sql } from '../../db/index.ts';
import { FhirError } from '../contract.ts';
import { tableOf } from '../search/scope.ts';

const literalPattern = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/** Literal references of a resource to this server, as `Type/id`. */
export function literalReferences(resource: unknown, types: ReadonlySet<string>): string[] {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
    } else if (typeof node === 'object' && node !== null) {
      for (const [name, value] of Object.entries(node)) {
        if (name !== 'reference' || typeof value !== 'string') {
          visit(value);
          continue;
        }
        const match = literalPattern.exec(value);
        if (match && types.has(match[1]!)) found.add(`${match[1]}/${match[2]}`);
      }
    }
  };
  visit(resource);
  return [...found];
}

/**
 * Targets may live in the tenant or in the platform's (directories, terminologies: design §5 rule 8).
 * @throws FhirError 422 naming the missing ones.
 */
export async function checkReferences(sql: Sql, tenant: string, references: readonly string[]): Promise<void> {
  let missing = await absent(sql, tenant, references);
  if (missing.length > 0 && tenant !== platformTenant) {
    // Row-level security shows one tenant at a time: look into the platform's, then come back.
    await sql.query(`SELECT set_config('passerelle.tenant', $1, true)`, [platformTenant]);
    missing = await absent(sql, platformTenant, missing);
    await sql.query(`SELECT set_config('passerelle.tenant', $1, true)`, [tenant]);
  }
  if (missing.length === 0) return;
  throw new FhirError(422, 'not-found', `Reference to what does not exist: ${missing.slice(0, 20).join(', ')}`);
}

async function absent(sql: Sql, tenant: string, references: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  const byType = Map.groupBy(references, (reference) => reference.slice(0, reference.indexOf('/')));
  for (const [type, list] of byType) {
    const ids = list.map((reference) => reference.slice(type.length + 1));
    const { rows } = await sql.query<{ id: string }>({
      name: `fhir_exists_${type}`,
      text: `SELECT id FROM ${tableOf(type)} WHERE tenant = $1 AND id = ANY($2::text[]) AND NOT deleted`,
      values: [tenant, ids],
    });
    const present = new Set(rows.map((row) => row.id));
    missing.push(...ids.filter((id) => !present.has(id)).map((id) => `${type}/${id}`));
  }
  return missing;
}
