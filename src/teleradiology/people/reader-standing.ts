/** Whether somebody may read for an establishment now (CM-4, CM-5): one statement, asked at every claim and every signature. */
import type { FhirTransaction } from '../../fhir/index.ts';
import { type ReaderStanding, unquestioned } from '../case/index.ts';
import { credentialsOver, type QualificationCode } from './qualification.ts';

interface StandingRow {
  excluded: boolean;
  on_duty: boolean;
  held: { code: QualificationCode; from: string | null; until: string | null }[] | null;
}

/**
 * @param practitioner `Practitioner/[id]`. @param establishment `Organization/[id]`; undefined when a case names none: nobody is
 * excluded or on duty there.
 */
export async function readerStanding(
  tx: Pick<FhirTransaction, 'sql' | 'context'>,
  practitioner: string | undefined,
  establishment: string | undefined,
  now: Date,
): Promise<ReaderStanding> {
  const id = practitioner?.startsWith('Practitioner/') ? practitioner.slice('Practitioner/'.length) : undefined;
  if (id === undefined) return { credentials: 'missing', excluded: false, onDuty: false };
  const { rows } = await tx.sql.query<StandingRow>(
    `SELECT
       EXISTS (SELECT FROM reader_exclusion
               WHERE tenant = $1 AND practitioner_id = $2 AND establishment_id = $3 AND since <= $4) AS excluded,
       EXISTS (SELECT FROM duty_shift
               WHERE tenant = $1 AND practitioner_id = $2 AND establishment_id = $3 AND kind = 'radiologist'
                 AND published AND ends_at > $4 AND starts_at <= $4) AS on_duty,
       (SELECT json_agg(json_build_object('code', code, 'from', valid_from, 'until', valid_until))
        FROM reader_credential WHERE tenant = $1 AND practitioner_id = $2) AS held`,
    [tx.context.tenant, id, establishment?.replace(/^Organization\//, '') ?? '', now],
  );
  const row = rows[0];
  const held = (row?.held ?? []).map(({ code, from, until }) => ({
    code,
    ...(from === null ? {} : { from: new Date(from) }),
    ...(until === null ? {} : { until: new Date(until) }),
  }));
  return {
    credentials: credentialsOver(held, now),
    excluded: row?.excluded ?? false,
    onDuty: row?.on_duty ?? false,
  };
}

/**
 * The same of who acts. The certificates and rotas are of radiologists, an exclusion is of any reader; of anybody else, and of the platform
 * itself, nothing is asked.
 */
export async function standingOfActor(
  tx: Pick<FhirTransaction, 'sql' | 'context'>,
  establishment: string | undefined,
  now: Date,
): Promise<ReaderStanding> {
  const { kind, roles, reference } = tx.context.actor;
  if (kind !== 'person' || !roles.some((role) => role === 'radiologist' || role === 'expert')) return unquestioned;
  const standing = await readerStanding(tx, reference, establishment, now);
  return roles.includes('radiologist') ? standing : { ...unquestioned, excluded: standing.excluded };
}

/**
 * Those whom an establishment excluded.
 *
 * @param references of anybody; only `Practitioner/[id]` is ever answered. @param establishment `Organization/[id]`.
 */
export async function excludedAmong(
  tx: Pick<FhirTransaction, 'sql' | 'context'>,
  references: readonly string[],
  establishment: string | undefined,
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.sql.query<{ reader: string }>(
    `SELECT DISTINCT 'Practitioner/' || practitioner_id AS reader FROM reader_exclusion
     WHERE tenant = $1 AND establishment_id = $2 AND since <= $3 AND 'Practitioner/' || practitioner_id = ANY ($4::text[])`,
    [tx.context.tenant, establishment?.replace(/^Organization\//, '') ?? '', tx.context.now(), references],
  );
  return new Set(rows.map(({ reader }) => reader));
}
