/** Shifts as rows, written with the Slots that show them: what is asked when the telephone rings, and at every claim. */
import type { Sql } from '../../db/index.ts';
import type { Stretch } from './calendar.ts';
import type { DutyKind } from './duty.ts';

export interface Shift extends Stretch {
  slotId: string;
  scheduleId: string;
  establishmentId: string;
  practitionerId: string;
  roleId: string;
  kind: DutyKind;
  published: boolean;
}

interface ShiftRow {
  slot_id: string;
  schedule_id: string;
  establishment_id: string;
  practitioner_id: string;
  role_id: string;
  kind: DutyKind;
  starts_at: Date;
  ends_at: Date;
  published: boolean;
}

const columns = `slot_id, schedule_id, establishment_id, practitioner_id, role_id, kind, starts_at, ends_at, published`;

const fromRow = (row: ShiftRow): Shift => ({
  slotId: row.slot_id,
  scheduleId: row.schedule_id,
  establishmentId: row.establishment_id,
  practitionerId: row.practitioner_id,
  roleId: row.role_id,
  kind: row.kind,
  start: row.starts_at,
  end: row.ends_at,
  published: row.published,
});

export async function keepShift(sql: Sql, tenant: string, shift: Shift): Promise<void> {
  await sql.query(
    `INSERT INTO duty_shift (tenant, ${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (tenant, slot_id) DO UPDATE
       SET schedule_id = excluded.schedule_id, establishment_id = excluded.establishment_id,
           practitioner_id = excluded.practitioner_id, role_id = excluded.role_id, kind = excluded.kind,
           starts_at = excluded.starts_at, ends_at = excluded.ends_at, published = excluded.published`,
    [
      tenant,
      shift.slotId,
      shift.scheduleId,
      shift.establishmentId,
      shift.practitionerId,
      shift.roleId,
      shift.kind,
      shift.start,
      shift.end,
      shift.published,
    ],
  );
}

export async function forgetShift(sql: Sql, tenant: string, slotId: string): Promise<void> {
  await sql.query('DELETE FROM duty_shift WHERE tenant = $1 AND slot_id = $2', [tenant, slotId]);
}

export async function findShift(sql: Sql, tenant: string, slotId: string): Promise<Shift | undefined> {
  const { rows } = await sql.query<ShiftRow>(`SELECT ${columns} FROM duty_shift WHERE tenant = $1 AND slot_id = $2`, [
    tenant,
    slotId,
  ]);
  return rows[0] && fromRow(rows[0]);
}

/** Shifts of an establishment that touch a stretch of time, in order; published or not. */
export async function shiftsOf(sql: Sql, tenant: string, establishmentId: string, within: Stretch): Promise<Shift[]> {
  const { rows } = await sql.query<ShiftRow>(
    `SELECT ${columns} FROM duty_shift
     WHERE tenant = $1 AND establishment_id = $2 AND ends_at > $3 AND starts_at < $4
     ORDER BY starts_at, ends_at, slot_id`,
    [tenant, establishmentId, within.start, within.end],
  );
  return rows.map(fromRow);
}

/** Shifts of some people anywhere that touch a stretch of time. */
export async function shiftsOfPeople(
  sql: Sql,
  tenant: string,
  practitioners: readonly string[],
  within: Stretch,
): Promise<Shift[]> {
  const { rows } = await sql.query<ShiftRow>(
    `SELECT ${columns} FROM duty_shift
     WHERE tenant = $1 AND practitioner_id = ANY ($2) AND ends_at > $3 AND starts_at < $4
     ORDER BY starts_at, ends_at, slot_id`,
    [tenant, practitioners, within.start, within.end],
  );
  return rows.map(fromRow);
}

/** Shifts of a Schedule, in order. */
export async function shiftsOfSchedule(sql: Sql, tenant: string, scheduleId: string): Promise<Shift[]> {
  const { rows } = await sql.query<ShiftRow>(
    `SELECT ${columns} FROM duty_shift WHERE tenant = $1 AND schedule_id = $2 ORDER BY starts_at, slot_id`,
    [tenant, scheduleId],
  );
  return rows.map(fromRow);
}

/** Published shifts that touch a stretch of time; a reader's end where the establishment began to refuse the reader. */
export async function shiftsNotRefused(
  sql: Sql,
  tenant: string,
  establishmentId: string,
  within: Stretch,
): Promise<Shift[]> {
  const { rows } = await sql.query<ShiftRow>(
    `SELECT slot_id, schedule_id, establishment_id, practitioner_id, role_id, kind, starts_at, kept_until AS ends_at, published
     FROM duty_shift AS shift,
       LATERAL (SELECT min(since) AS since FROM reader_exclusion AS refused
                WHERE shift.kind = 'radiologist' AND refused.tenant = shift.tenant
                  AND refused.practitioner_id = shift.practitioner_id
                  AND refused.establishment_id = shift.establishment_id) AS refusal,
       LATERAL (SELECT least(ends_at, since) AS kept_until) AS kept
     WHERE tenant = $1 AND establishment_id = $2 AND ends_at > $3 AND starts_at < $4 AND published
       AND kept_until > $3 AND kept_until > starts_at
     ORDER BY starts_at, kept_until, slot_id`,
    [tenant, establishmentId, within.start, within.end],
  );
  return rows.map(fromRow);
}
