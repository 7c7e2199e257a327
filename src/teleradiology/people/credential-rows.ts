/** Qualifications as rows, written with the Practitioner that shows them: what claims and signatures ask. */
import type { Sql } from '../../db/index.ts';
import type { Qualification, QualificationCode } from './qualification.ts';

interface CredentialRow {
  practitioner_id: string;
  code: QualificationCode;
  valid_from: Date | null;
  valid_until: Date | null;
}

/** Puts what a practitioner holds in the place of what was known. */
export async function keepCredentials(
  sql: Sql,
  tenant: string,
  practitionerId: string,
  held: readonly Qualification[],
): Promise<void> {
  await sql.query('DELETE FROM reader_credential WHERE tenant = $1 AND practitioner_id = $2', [tenant, practitionerId]);
  if (held.length === 0) return;
  await sql.query(
    `INSERT INTO reader_credential (tenant, practitioner_id, position, code, valid_from, valid_until)
     SELECT $1, $2, position, code, valid_from, valid_until
     FROM unnest($3::text[], $4::timestamptz[], $5::timestamptz[]) WITH ORDINALITY AS held (code, valid_from, valid_until, position)`,
    [
      tenant,
      practitionerId,
      held.map(({ code }) => code),
      held.map(({ from }) => from ?? null),
      held.map(({ until }) => until ?? null),
    ],
  );
}

/** What each of some practitioners holds; those who hold nothing are not in it. */
export async function credentialsHeld(
  sql: Sql,
  tenant: string,
  practitionerIds: readonly string[],
): Promise<Map<string, Qualification[]>> {
  const { rows } = await sql.query<CredentialRow>(
    `SELECT practitioner_id, code, valid_from, valid_until FROM reader_credential
     WHERE tenant = $1 AND practitioner_id = ANY ($2) ORDER BY practitioner_id, position`,
    [tenant, practitionerIds],
  );
  const held = new Map<string, Qualification[]>();
  for (const { practitioner_id, code, valid_from, valid_until } of rows) {
    const one = { code, ...(valid_from ? { from: valid_from } : {}), ...(valid_until ? { until: valid_until } : {}) };
    held.set(practitioner_id, [...(held.get(practitioner_id) ?? []), one]);
  }
  return held;
}
