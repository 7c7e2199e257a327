/** The study level of the index: one row per study and lot, read and written under the study's lock. */
import type { Sql } from '../db/index.ts';
import { type DicomJson, personOf, pick, textOf } from './dicom/json-model.ts';
import { dateKey, foldedName, timeKey } from './dicom/matching-keys.ts';
import type { StatedIdentity } from './identity.ts';
import { indexedTags } from './indexed-attributes.ts';

export interface StudyRow {
  studyUid: string;
  lot: number;
  imagingStudyId: string;
  quarantine: string | undefined;
  identity: StatedIdentity;
  attributes: DicomJson;
  modalities: string[];
  sopClasses: string[];
  seriesCount: number;
  instanceCount: number;
}

interface Stored {
  study_uid: string;
  lot: number;
  imaging_study: string;
  quarantine: string | null;
  identity: StatedIdentity;
  attributes: string;
  modalities: string[];
  sop_classes: string[];
  series_count: number;
  instance_count: number;
}

/** Every lot of a study, oldest first, locked until the end of the transaction. */
export async function studyLots(sql: Sql, tenant: string, studyUid: string): Promise<StudyRow[]> {
  const { rows } = await sql.query<Stored>(
    `SELECT study_uid, lot, imaging_study, quarantine, identity, attributes, modalities, sop_classes, series_count, instance_count
     FROM dicom_study
     WHERE tenant = $1 AND study_uid = $2
     ORDER BY lot
     FOR UPDATE`,
    [tenant, studyUid],
  );
  return rows.map((row) => ({
    studyUid: row.study_uid,
    lot: row.lot,
    imagingStudyId: row.imaging_study,
    quarantine: row.quarantine ?? undefined,
    identity: row.identity,
    attributes: JSON.parse(row.attributes) as DicomJson,
    modalities: row.modalities,
    sopClasses: row.sop_classes,
    seriesCount: row.series_count,
    instanceCount: row.instance_count,
  }));
}

/** The study-level attributes two headers state together; what was known first stays, what was missing is filled in. */
export function mergedAttributes(known: DicomJson, added: DicomJson): DicomJson {
  const merged = pick(added, indexedTags.study);
  for (const [tag, element] of Object.entries(known)) {
    if (element.Value !== undefined || merged[tag] === undefined) merged[tag] = element;
  }
  return merged;
}

/** An entry of a B-tree holds 2,700 bytes: what is matched is cut there; what is answered is not. */
const maximumKeyCharacters = 512;

/** A value as a key to match, undefined when there is none. */
function matchingKey(text: string | undefined): string | null {
  return text?.trim().slice(0, maximumKeyCharacters).toWellFormed() || null;
}

/** Writes a study's row, new or known. */
export async function saveStudy(sql: Sql, tenant: string, row: StudyRow, now: Date): Promise<void> {
  const { attributes } = row;
  const name = personOf(attributes, '00100010');
  const date = dateKey(textOf(attributes, '00080020'));
  const time = timeKey(textOf(attributes, '00080030'));
  const trimmed = (tag: string) => matchingKey(textOf(attributes, tag));
  const other = [name?.Ideographic, name?.Phonetic].filter(Boolean).join('=');
  await sql.query({
    name: 'dicom_study_save',
    text: `INSERT INTO dicom_study (
        tenant, study_uid, lot, imaging_study, quarantine, identity, attributes, patient_id, patient_id_issuer, patient_name,
        patient_name_other, birth_date, sex, accession_number, study_id, description, referring_physician, moment, study_time,
        modalities, sop_classes, series_count, instance_count, stored_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
      ON CONFLICT (tenant, study_uid, lot) DO UPDATE SET
        quarantine = excluded.quarantine, identity = excluded.identity, attributes = excluded.attributes,
        patient_id = excluded.patient_id, patient_id_issuer = excluded.patient_id_issuer, patient_name = excluded.patient_name,
        patient_name_other = excluded.patient_name_other, birth_date = excluded.birth_date, sex = excluded.sex,
        accession_number = excluded.accession_number, study_id = excluded.study_id, description = excluded.description,
        referring_physician = excluded.referring_physician, moment = excluded.moment, study_time = excluded.study_time,
        modalities = excluded.modalities, sop_classes = excluded.sop_classes, series_count = excluded.series_count,
        instance_count = excluded.instance_count, revision = dicom_study.revision + 1`,
    values: [
      tenant,
      row.studyUid,
      row.lot,
      row.imagingStudyId,
      row.quarantine ?? null,
      row.identity,
      JSON.stringify(attributes),
      trimmed('00100020'),
      trimmed('00100021'),
      matchingKey(name?.Alphabetic && foldedName(name.Alphabetic)),
      matchingKey(foldedName(other)),
      dateKey(textOf(attributes, '00100030')) ?? null,
      trimmed('00100040'),
      trimmed('00080050'),
      trimmed('00200010'),
      trimmed('00081030'),
      matchingKey(foldedName(personOf(attributes, '00080090')?.Alphabetic ?? '')),
      date ? `${date}${time ?? ''}` : '',
      time ?? null,
      row.modalities,
      row.sopClasses,
      row.seriesCount,
      row.instanceCount,
      now,
    ],
  });
}
