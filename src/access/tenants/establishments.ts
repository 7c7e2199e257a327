/** Establishments an account works for: Organizations of its own tenant (SE-4: per establishment). */
import type { Database } from '../../db/index.ts';
import { refusal } from '../refusals.ts';

const idSyntax = /^[A-Za-z0-9.-]{1,64}$/;
const establishmentsAtMost = 200;

/** Ids of the Organizations, sorted; with the one a machine is bound to. Empty for an account that is bound to none. */
export async function establishmentsOf(database: Database, tenant: string, login: string): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(tenant, {
    name: 'establishments_of',
    text: `SELECT organization_id COLLATE "C" AS id FROM account
           WHERE tenant = $1 AND login = $2 AND organization_id IS NOT NULL
           UNION
           SELECT organization_id FROM account_establishment WHERE tenant = $1 AND login = $2
           ORDER BY id`,
    values: [tenant, login],
  });
  return rows.map(({ id }) => id);
}

/** Binds an account to these establishments and no others. @throws FhirError 404 without such an account, 422. */
export async function setEstablishments(
  database: Database,
  { tenant, login, establishments }: { tenant: string; login: string; establishments: readonly string[] },
): Promise<void> {
  checkEstablishments(establishments);
  await database.transaction(tenant, async (sql) => {
    // Two changes at once would leave the union of both.
    const { rowCount } = await sql.query('SELECT FROM account WHERE tenant = $1 AND login = $2 FOR UPDATE', [
      tenant,
      login,
    ]);
    if (rowCount === 0)
      throw refusal(404, 'not-found', {
        diagnostics: 'No such account',
        text: `Le groupe ${tenant} n’a pas de compte « ${login} ».`,
      });
    await sql.query('DELETE FROM account_establishment WHERE tenant = $1 AND login = $2', [tenant, login]);
    await sql.query(
      `INSERT INTO account_establishment (tenant, login, organization_id) SELECT $1, $2, id FROM unnest($3::text[]) AS id`,
      [tenant, login, [...new Set(establishments)]],
    );
  });
}

/** @throws FhirError 422. */
export function checkEstablishments(establishments: readonly string[]): void {
  if (establishments.length > establishmentsAtMost || !establishments.every((id) => idSyntax.test(id)))
    throw refusal(422, 'invalid', {
      diagnostics: `establishments: ids of Organizations, ${establishmentsAtMost} at most`,
      text: `Établissements : des identifiants d’Organization, ${establishmentsAtMost} au plus.`,
    });
}
