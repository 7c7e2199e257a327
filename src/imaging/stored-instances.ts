/** Finding what is served: studies that are not in quarantine, their instances, where their bytes are. */
import { inflateRawSync } from 'node:zlib';
import type { Database, Scope } from '../db/index.ts';
import type { PixelLayout } from './dicom/pixels.ts';

/** A study that may be served. */
export interface ServedStudy {
  studyUid: string;
  imagingStudyId: string;
  /** Changes whenever what is served changes. */
  revision: number;
  instances: number;
}

/** Where one instance is. */
export interface ServedInstance {
  studyUid: string;
  seriesUid: string;
  sopUid: string;
  sopClassUid: string;
  transferSyntax: string;
  blob: string;
  /** Bytes of the file. */
  size: number;
  sha256: Buffer;
  /** Received without preamble and File Meta Information. */
  bare: boolean;
  /** Undefined when the instance has no pixel data. */
  pixels?: PixelLayout;
}

/** What a request names: a study, one of its series, or one of its instances. */
export interface Target {
  studyUid: string;
  seriesUid?: string;
  sopUid?: string;
}

interface Row {
  study_uid: string;
  series_uid: string;
  sop_uid: string;
  sop_class: string;
  transfer_syntax: string;
  blob: string;
  size: string;
  sha256: Buffer;
  bare: boolean;
  pixels: string | null;
}

/** Rows read at a time: a study of 5,000 instances is never in memory as a whole. */
const rowsPerBatch = 250;

/** The study, when it is there, in the scope's sight and not in quarantine: one question, as long for each of these. */
export async function findStudy(database: Database, scope: Scope, studyUid: string): Promise<ServedStudy | undefined> {
  const { rows } = await database.query<{ imaging_study: string; revision: number; instance_count: number }>(
    scope,
    `SELECT imaging_study, revision, instance_count
     FROM dicom_study
     WHERE tenant = $1 AND study_uid = $2 AND lot = 0 AND quarantine IS NULL`,
    [typeof scope === 'string' ? scope : scope.tenant, studyUid],
  );
  const row = rows[0];
  return row && { studyUid, imagingStudyId: row.imaging_study, revision: row.revision, instances: row.instance_count };
}

/** One instance of a study that may be served. */
export async function findInstance(
  database: Database,
  tenant: string,
  target: Required<Target>,
): Promise<ServedInstance | undefined> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT study_uid, series_uid, sop_uid, sop_class, transfer_syntax, blob, size, sha256, bare, pixels
     FROM dicom_instance
     WHERE tenant = $1 AND sop_uid = $2 AND study_uid = $3 AND series_uid = $4 AND lot = 0`,
    [tenant, target.sopUid, target.studyUid, target.seriesUid],
  );
  return rows[0] && served(rows[0]);
}

/** The instances of a study, a series or one instance, in reading order, without their pixel layouts. */
export async function* listInstances(
  database: Database,
  tenant: string,
  target: Target,
): AsyncGenerator<ServedInstance> {
  for await (const rows of pages<Row>(
    database,
    tenant,
    target,
    'study_uid, series_uid, sop_uid, sop_class, transfer_syntax, blob, size, sha256, bare, NULL AS pixels',
  )) {
    yield* rows.map(served);
  }
}

/** The headers of a study, a series or one instance as DICOM JSON texts, in reading order; one at a time is inflated. */
export async function* listMetadata(
  database: Database,
  tenant: string,
  target: Target,
): AsyncGenerator<{ seriesUid: string; sopUid: string; json: string }> {
  for await (const rows of pages<{ series_uid: string; sop_uid: string; metadata: Buffer }>(
    database,
    tenant,
    target,
    'series_uid, sop_uid, metadata',
  )) {
    for (const { series_uid: seriesUid, sop_uid: sopUid, metadata } of rows) {
      yield { seriesUid, sopUid, json: inflateRawSync(metadata).toString('utf8') };
    }
  }
}

async function* pages<R extends { sop_uid: string; series_uid: string }>(
  database: Database,
  tenant: string,
  target: Target,
  columns: string,
): AsyncGenerator<R[]> {
  let after: readonly [string, number, string] = ['', -2_147_483_648, ''];
  for (;;) {
    const { rows } = await database.query<R & { position: number }>(
      tenant,
      `SELECT ${columns}, coalesce(instance_number, 2147483647) AS position
       FROM dicom_instance
       WHERE tenant = $1 AND study_uid = $2 AND lot = 0
         AND ($3::text IS NULL OR series_uid = $3)
         AND ($4::text IS NULL OR sop_uid = $4)
         AND (series_uid, coalesce(instance_number, 2147483647), sop_uid) > ($5, $6, $7)
       ORDER BY series_uid, coalesce(instance_number, 2147483647), sop_uid
       LIMIT $8`,
      [tenant, target.studyUid, target.seriesUid ?? null, target.sopUid ?? null, ...after, rowsPerBatch],
    );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (!last || rows.length < rowsPerBatch) return;
    after = [last.series_uid, last.position, last.sop_uid];
  }
}

function served(row: Row): ServedInstance {
  return {
    studyUid: row.study_uid,
    seriesUid: row.series_uid,
    sopUid: row.sop_uid,
    sopClassUid: row.sop_class,
    transferSyntax: row.transfer_syntax,
    blob: row.blob,
    size: Number(row.size),
    sha256: row.sha256,
    bare: row.bare,
    ...(row.pixels ? { pixels: JSON.parse(row.pixels) as PixelLayout } : {}),
  };
}
