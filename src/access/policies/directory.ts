/**
 * Who a person is in the directory is kept by those who keep accounts: signatures name them by it, notices reach them by its addresses. A
 * hospital's software may add and correct professionals, but not those who sign in here (SE-4).
 */
import type { Change, FhirTransaction } from '../../fhir/index.ts';
import { refusal } from '../refusals.ts';

const keepers: readonly string[] = ['administrator', 'coordinator', 'conformance', 'system'];

/** For `store.beforeCommit`. @throws FhirError 403. */
export async function guardDirectory({ type, id }: Change, tx: FhirTransaction): Promise<void> {
  if (type !== 'Practitioner') return;
  const { tenant, actor } = tx.context;
  if (actor.kind === 'system' || actor.roles.some((role) => keepers.includes(role))) return;
  const { rows } = await tx.sql.query(
    `SELECT FROM account WHERE tenant = $1 AND reference = $2
     UNION ALL SELECT FROM acceptance WHERE tenant = $1 AND reference = $2 AND ended_at IS NULL
     LIMIT 1`,
    [tenant, `Practitioner/${id}`],
  );
  if (rows.length === 0) return;
  throw refusal(403, 'forbidden', {
    diagnostics: 'The directory entry of a person who signs in here is changed by administrators and coordinators',
    text: 'La fiche d’une personne qui a un compte ici est tenue par les administrateurs et les coordonnateurs.',
  });
}
