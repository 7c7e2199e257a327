/** The series level of the index. */
import type { Sql } from '../db/index.ts';
import { type DicomJson, itemsOf, numberOf, pick, textOf } from './dicom/json-model.ts';
import { dateKey, timeKey } from './dicom/matching-keys.ts';
import type { ProjectedSeries } from './imaging-study.ts';
import { indexedTags } from './indexed-attributes.ts';

/** A series and how many instances of it a transaction adds. */
export interface AddedSeries {
  uid: string;
  header: DicomJson;
  added: number;
}

const maximumInteger = 2_147_483_647;

/** A number as an `integer` column takes it. */
export function integerOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isInteger(value) && Math.abs(value) <= maximumInteger ? value : null;
}

/** Adds instances to a series, making its row the first time; the first header describes it. */
export async function addToSeries(
  sql: Sql,
  tenant: string,
  studyUid: string,
  lot: number,
  { uid, header, added }: AddedSeries,
): Promise<void> {
  const attributes = pick(header, indexedTags.series);
  const text = (tag: string) => textOf(attributes, tag)?.trim() || null;
  const requests = itemsOf(attributes, '00400275');
  const ofRequests = (tag: string) => requests.flatMap((item) => textOf(item, tag)?.trim() || []);
  await sql.query({
    name: 'dicom_series_add',
    text: `INSERT INTO dicom_series (
        tenant, study_uid, lot, series_uid, attributes, modality, series_number, description, body_part, laterality, station_name,
        institution, series_date, series_time, performed_date, performed_time, scheduled_step_ids, requested_procedure_ids,
        instance_count)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
      ON CONFLICT (tenant, study_uid, lot, series_uid)
      DO UPDATE SET instance_count = dicom_series.instance_count + excluded.instance_count`,
    values: [
      tenant,
      studyUid,
      lot,
      uid,
      JSON.stringify(attributes),
      text('00080060'),
      integerOrNull(numberOf(attributes, '00200011')),
      text('0008103E'),
      text('00180015'),
      text('00200060'),
      text('00081010'),
      text('00080080'),
      dateKey(textOf(attributes, '00080021')) ?? null,
      timeKey(textOf(attributes, '00080031')) ?? null,
      dateKey(textOf(attributes, '00400244')) ?? null,
      timeKey(textOf(attributes, '00400245')) ?? null,
      ofRequests('00400009'),
      ofRequests('00401001'),
      added,
    ],
  });
}

/** Every series of a study as the projection shows it, by number. */
export async function seriesOf(sql: Sql, tenant: string, studyUid: string, lot: number): Promise<ProjectedSeries[]> {
  // Projection images say their side one by one; of a series that shows both, none is said. Volumes have no side and many images.
  const { rows } = await sql.query<{
    series_uid: string;
    attributes: string;
    instance_count: number;
    side: string | null;
  }>({
    name: 'dicom_series_of_study',
    text: `SELECT series_uid, attributes, instance_count,
        CASE WHEN modality IN ('CR', 'DX', 'MG', 'IO', 'RF', 'XA', 'US') THEN (
          SELECT CASE WHEN count(DISTINCT stated.side) = 1 THEN min(stated.side) END
          FROM (
            SELECT i.attributes::jsonb #>> '{00200062,Value,0}' AS side
            FROM dicom_instance i
            WHERE i.tenant = $1 AND i.study_uid = $2 AND i.lot = $3 AND i.series_uid = dicom_series.series_uid
          ) AS stated
        ) END AS side
      FROM dicom_series
      WHERE tenant = $1 AND study_uid = $2 AND lot = $3
      ORDER BY series_number NULLS LAST, series_uid`,
    values: [tenant, studyUid, lot],
  });
  return rows.map((row) => ({
    uid: row.series_uid,
    attributes: JSON.parse(row.attributes) as DicomJson,
    instances: row.instance_count,
    ...(row.side === null ? {} : { imageSide: row.side }),
  }));
}
