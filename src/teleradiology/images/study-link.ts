/** Table `study_link`: which case a study belongs to, when its instances came, and the studies that still wait for a case. */
import type { Sql } from '../../db/index.ts';
import type { StudyIdentity } from '../../imaging/contract.ts';
import type { AttachmentBasis } from '../shell/case-task.ts';

export interface SeriesArrival {
  instances: number;
  /** ISO instant of the last instance. */
  at: string;
}

export interface StudyLink {
  studyUid: string;
  imagingStudyId: string;
  state: 'attached' | 'waiting' | 'quarantined';
  /** For a quarantined study: the case it would belong to. */
  caseId?: string;
  basis?: AttachmentBasis;
  identity: StudyIdentity;
  series: Record<string, SeriesArrival>;
  instances: number;
  firstAt: Date;
  lastAt: Date;
  toldAt?: Date;
}

interface Row {
  study_uid: string;
  imaging_study_id: string;
  state: StudyLink['state'];
  case_id: string | null;
  basis: AttachmentBasis | null;
  identity: StudyIdentity;
  series: Record<string, SeriesArrival>;
  instances: number;
  first_at: Date;
  last_at: Date;
  told_at: Date | null;
}

const columns =
  'study_uid, imaging_study_id, state, case_id, basis, identity, series, instances, first_at, last_at, told_at';

const fromRow = (row: Row): StudyLink => ({
  studyUid: row.study_uid,
  imagingStudyId: row.imaging_study_id,
  state: row.state,
  caseId: row.case_id ?? undefined,
  basis: row.basis ?? undefined,
  identity: row.identity,
  series: row.series,
  instances: row.instances,
  firstAt: row.first_at,
  lastAt: row.last_at,
  toldAt: row.told_at ?? undefined,
});

export async function findLink(sql: Sql, tenant: string, studyUid: string): Promise<StudyLink | undefined> {
  const text = `SELECT ${columns} FROM study_link WHERE tenant = $1 AND study_uid = $2`;
  const { rows } = await sql.query<Row>(text, [tenant, studyUid]);
  return rows[0] && fromRow(rows[0]);
}

/** Studies of a case, those held in quarantine included, in order of arrival. */
export async function linksOfCase(sql: Sql, tenant: string, caseId: string): Promise<StudyLink[]> {
  const text = `SELECT ${columns} FROM study_link WHERE tenant = $1 AND case_id = $2 ORDER BY first_at, study_uid`;
  const { rows } = await sql.query<Row>(text, [tenant, caseId]);
  return rows.map(fromRow);
}

/** Studies that found no case, the latest first. */
export async function waitingLinks(sql: Sql, tenant: string, limit: number): Promise<StudyLink[]> {
  const text = `SELECT ${columns} FROM study_link WHERE tenant = $1 AND state = 'waiting' ORDER BY last_at DESC LIMIT $2`;
  const { rows } = await sql.query<Row>(text, [tenant, limit]);
  return rows.map(fromRow);
}

export async function saveLink(sql: Sql, tenant: string, link: StudyLink): Promise<void> {
  await sql.query(
    `INSERT INTO study_link (tenant, ${columns})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (tenant, study_uid) DO UPDATE SET
       imaging_study_id = excluded.imaging_study_id, state = excluded.state, case_id = excluded.case_id, basis = excluded.basis,
       identity = excluded.identity, series = excluded.series, instances = excluded.instances, last_at = excluded.last_at,
       told_at = excluded.told_at`,
    [
      tenant,
      link.studyUid,
      link.imagingStudyId,
      link.state,
      link.caseId ?? null,
      link.basis ?? null,
      JSON.stringify(link.identity),
      JSON.stringify(link.series),
      link.instances,
      link.firstAt,
      link.lastAt,
      link.toldAt ?? null,
    ],
  );
}
