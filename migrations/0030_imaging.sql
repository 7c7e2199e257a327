-- DICOM index. The instances' bytes are files; everything a search, a header or a frame needs is here, so that no file is opened
-- but to be sent.

-- One row per study. Lot 0 is the study; lots 1, 2, … hold instances that arrived under the same Study Instance UID with another
-- patient: kept, never mixed, never served until a person decides.
CREATE TABLE dicom_study (
  tenant text NOT NULL,
  study_uid text COLLATE "C" NOT NULL,
  lot integer NOT NULL,
  -- Id of the ImagingStudy.
  imaging_study text NOT NULL,
  -- Why nothing of it is served; null when it is.
  quarantine text,
  -- StudyIdentity of the contract, without modalities.
  identity jsonb NOT NULL,
  -- DICOM JSON of the attributes of patient and study level.
  attributes text NOT NULL,
  patient_id text COLLATE "C",
  patient_id_issuer text COLLATE "C",
  -- Names folded: capitals without accents; the second holds the ideographic and phonetic groups.
  patient_name text COLLATE "C",
  patient_name_other text COLLATE "C",
  birth_date text COLLATE "C",
  sex text COLLATE "C",
  accession_number text COLLATE "C",
  study_id text COLLATE "C",
  description text COLLATE "C",
  referring_physician text COLLATE "C",
  -- YYYYMMDDHHMMSS.ffffff as far as stated, empty when undated: newest first, and every date range, is one index scan.
  moment text COLLATE "C" NOT NULL,
  -- HHMMSS.ffffff
  study_time text COLLATE "C",
  modalities text[] NOT NULL,
  sop_classes text[] NOT NULL,
  series_count integer NOT NULL,
  instance_count integer NOT NULL,
  -- Grows with every change of what is served: the ETag.
  revision integer NOT NULL DEFAULT 1,
  stored_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, study_uid, lot)
);
CREATE INDEX dicom_study_newest ON dicom_study (tenant, moment DESC, study_uid) WHERE lot = 0 AND quarantine IS NULL;
CREATE INDEX dicom_study_patient_id ON dicom_study (tenant, patient_id);
CREATE INDEX dicom_study_patient_name ON dicom_study (tenant, patient_name);
CREATE INDEX dicom_study_accession_number ON dicom_study (tenant, accession_number);
-- The choice between walking the newest studies and looking up a few depends on fresh statistics.
ALTER TABLE dicom_study SET (autovacuum_analyze_scale_factor = 0.02);

CREATE TABLE dicom_series (
  tenant text NOT NULL,
  study_uid text COLLATE "C" NOT NULL,
  lot integer NOT NULL,
  series_uid text COLLATE "C" NOT NULL,
  attributes text NOT NULL,
  modality text COLLATE "C",
  series_number integer,
  description text COLLATE "C",
  body_part text COLLATE "C",
  laterality text COLLATE "C",
  station_name text COLLATE "C",
  institution text COLLATE "C",
  series_date text COLLATE "C",
  series_time text COLLATE "C",
  performed_date text COLLATE "C",
  performed_time text COLLATE "C",
  -- Of every item of Request Attributes Sequence.
  scheduled_step_ids text[] NOT NULL,
  requested_procedure_ids text[] NOT NULL,
  instance_count integer NOT NULL,
  PRIMARY KEY (tenant, study_uid, lot, series_uid)
);

CREATE TABLE dicom_instance (
  tenant text NOT NULL,
  sop_uid text COLLATE "C" NOT NULL,
  study_uid text COLLATE "C" NOT NULL,
  lot integer NOT NULL,
  series_uid text COLLATE "C" NOT NULL,
  sop_class text COLLATE "C" NOT NULL,
  transfer_syntax text COLLATE "C" NOT NULL,
  instance_number integer,
  attributes text NOT NULL,
  -- The file, its size in bytes and the SHA-256 of what was received.
  blob text NOT NULL,
  size bigint NOT NULL,
  sha256 bytea NOT NULL,
  -- Received without preamble and File Meta Information: served behind ours.
  bare boolean NOT NULL,
  -- Where the frames are (JSON); null without pixel data.
  pixels text,
  -- Whole header as DICOM JSON, raw deflate.
  metadata bytea NOT NULL,
  stored_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, sop_uid)
);
-- Already compressed: PostgreSQL must not try again.
ALTER TABLE dicom_instance ALTER COLUMN metadata SET STORAGE EXTERNAL;
CREATE INDEX dicom_instance_in_order
  ON dicom_instance (tenant, study_uid, lot, series_uid, (coalesce(instance_number, 2147483647)), sop_uid);
-- What the start-up sweep asks of files that were not yet in their place.
CREATE INDEX dicom_instance_blob ON dicom_instance (tenant, blob);

CALL protect_tenant('dicom_study');
CALL protect_tenant('dicom_series');
CALL protect_tenant('dicom_instance');
