/** The instance level of the index. */
import type { Sql } from '../db/index.ts';
import { numberOf, pick } from './dicom/json-model.ts';
import { indexedTags } from './indexed-attributes.ts';
import { integerOrNull } from './series-rows.ts';
import type { Spooled } from './spool.ts';

/** An instance that is stored already. */
export interface KnownInstance {
  studyUid: string;
  seriesUid: string;
  sopUid: string;
  sopClassUid: string;
  /** Of the whole file, as it came. */
  sha256: Buffer;
  blob: string;
  /** Of the lot it is in; absent while that is being stored. */
  imagingStudyId?: string;
  /** Why it is stored apart from the study of that UID. */
  setApart?: string;
}

/** Those of the given SOP Instance UIDs that are stored, by UID. */
export async function knownInstances(
  sql: Sql,
  tenant: string,
  sopUids: readonly string[],
): Promise<Map<string, KnownInstance>> {
  const { rows } = await sql.query<{
    study_uid: string;
    series_uid: string;
    sop_uid: string;
    sop_class: string;
    sha256: Buffer;
    blob: string;
    imaging_study: string | null;
    set_apart: string | null;
  }>({
    name: 'dicom_instance_known',
    text: `SELECT i.study_uid, i.series_uid, i.sop_uid, i.sop_class, i.sha256, i.blob, s.imaging_study,
        CASE WHEN i.lot > 0 THEN s.quarantine END AS set_apart
      FROM dicom_instance i
      LEFT JOIN dicom_study s ON s.tenant = $1 AND s.study_uid = i.study_uid AND s.lot = i.lot
      WHERE i.tenant = $1 AND i.sop_uid = ANY ($2)`,
    values: [tenant, sopUids],
  });
  return new Map(
    rows.map((row) => [
      row.sop_uid,
      {
        studyUid: row.study_uid,
        seriesUid: row.series_uid,
        sopUid: row.sop_uid,
        sopClassUid: row.sop_class,
        sha256: row.sha256,
        blob: row.blob,
        ...(row.imaging_study ? { imagingStudyId: row.imaging_study } : {}),
        ...(row.set_apart ? { setApart: row.set_apart } : {}),
      },
    ]),
  );
}

/** Which of these files the index names. */
export async function indexedBlobs(sql: Sql, tenant: string, blobs: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql.query<{ blob: string }>(
    'SELECT blob FROM dicom_instance WHERE tenant = $1 AND blob = ANY ($2)',
    [tenant, blobs],
  );
  return new Set(rows.map(({ blob }) => blob));
}

/** One statement for many rows: 200 at a time, so that neither the statement nor the memory grows with the request. */
const rowsPerStatement = 200;

/**
 * Adds instances of one lot; answers how many rows were really added. Fewer than given means that another transaction, of another
 * study, has just taken one of the SOP Instance UIDs.
 */
export async function addInstances(
  sql: Sql,
  tenant: string,
  studyUid: string,
  lot: number,
  instances: readonly Spooled[],
  now: Date,
): Promise<number> {
  let added = 0;
  for (let first = 0; first < instances.length; first += rowsPerStatement) {
    const batch = instances.slice(first, first + rowsPerStatement);
    const column = <T>(of: (instance: Spooled) => T): T[] => batch.map(of);
    const { rowCount } = await sql.query({
      name: 'dicom_instance_add',
      text: `INSERT INTO dicom_instance (
          tenant, study_uid, lot, stored_at, sop_uid, series_uid, sop_class, transfer_syntax, instance_number, attributes, blob, size,
          sha256, bare, pixels, metadata)
        SELECT $1, $2, $3, $4, *
        FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::integer[], $10::text[], $11::text[], $12::bigint[],
          $13::bytea[], $14::boolean[], $15::text[], $16::bytea[])
        ON CONFLICT (tenant, sop_uid) DO NOTHING`,
      values: [
        tenant,
        studyUid,
        lot,
        now,
        column(({ sopUid }) => sopUid),
        column(({ seriesUid }) => seriesUid),
        column(({ sopClassUid }) => sopClassUid),
        column(({ transferSyntax }) => transferSyntax),
        column(({ header }) => integerOrNull(numberOf(header, '00200013'))),
        column(({ header }) => JSON.stringify(pick(header, indexedTags.instance))),
        column(({ blob }) => blob),
        column(({ size }) => size),
        column(({ sha256 }) => sha256),
        column(({ bare }) => bare),
        column(({ pixels }) => (pixels ? JSON.stringify(pixels) : null)),
        column(({ metadata }) => metadata),
      ],
    });
    added += rowCount ?? 0;
  }
  return added;
}
