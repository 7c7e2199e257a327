-- A delay is a row with a due time, never a timer in memory (design §5 rule 3). `key` tells apart several of one kind on one case
-- (the study, for images that must fall quiet); `case_id` is empty for images that found no case.
CREATE TABLE due_time (
  tenant text NOT NULL,
  case_id text NOT NULL,
  kind text NOT NULL,
  key text NOT NULL DEFAULT '',
  -- When it falls due by the rules.
  due_at timestamptz NOT NULL,
  -- When to try: later than due_at after a failure.
  next_at timestamptz NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  -- Set in the transaction that raises what is due: once.
  fired_at timestamptz,
  PRIMARY KEY (tenant, case_id, kind, key)
);
CREATE INDEX due_time_pending ON due_time (tenant, next_at) WHERE fired_at IS NULL;
CALL protect_tenant('due_time');

-- Which case a study belongs to, and how it was found (design §5 rule 5). FHIR shows the same by ImagingStudy.basedOn and the
-- outputs of the case; this row is the index, the memory of studies that still wait for their case, and of arrival times.
CREATE TABLE study_link (
  tenant text NOT NULL,
  study_uid text NOT NULL,
  imaging_study_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('attached', 'waiting', 'quarantined')),
  case_id text,
  basis text CHECK (basis IN ('study-uid', 'accession-number', 'placer-number', 'provisional', 'confirmed')),
  -- What the images say of themselves, for a later attempt.
  identity jsonb NOT NULL,
  -- Per series: number of instances and time of the last one.
  series jsonb NOT NULL DEFAULT '{}',
  instances integer NOT NULL DEFAULT 0,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  -- Last time the case was told how many images there are.
  told_at timestamptz,
  PRIMARY KEY (tenant, study_uid),
  CHECK ((state = 'attached') <= (case_id IS NOT NULL))
);
CREATE INDEX study_link_case ON study_link (tenant, case_id) WHERE case_id IS NOT NULL;
CREATE INDEX study_link_waiting ON study_link (tenant, last_at) WHERE state = 'waiting';
CALL protect_tenant('study_link');
