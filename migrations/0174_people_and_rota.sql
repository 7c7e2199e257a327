-- What the directory and the rotas say, as rows: the FHIR resources are the truth, these are written with them in one transaction
-- and asked at every claim and signature, and when the telephone rings at night. Nothing of a patient is in them.

-- Practitioner.qualification of our code system: one row each.
CREATE TABLE reader_credential (
  tenant text NOT NULL,
  practitioner_id text NOT NULL,
  -- Place in Practitioner.qualification.
  position integer NOT NULL,
  code text NOT NULL CHECK (code IN ('diploma', 'radioprotection', 'insurance', 'liability')),
  -- Null: since ever.
  valid_from timestamptz,
  -- Null: for ever; the first instant at which it is no longer valid.
  valid_until timestamptz,
  PRIMARY KEY (tenant, practitioner_id, position)
);
CALL protect_tenant('reader_credential');

-- Who may not read for an establishment, by its decision (extension reader-exclusion of a PractitionerRole).
CREATE TABLE reader_exclusion (
  tenant text NOT NULL,
  practitioner_id text NOT NULL,
  establishment_id text NOT NULL,
  role_id text NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (tenant, practitioner_id, establishment_id, role_id)
);
CREATE INDEX reader_exclusion_role ON reader_exclusion (tenant, role_id);
CALL protect_tenant('reader_exclusion');

-- Shifts: the Slots of rotas that are not withdrawn.
CREATE TABLE duty_shift (
  tenant text NOT NULL,
  slot_id text NOT NULL,
  schedule_id text NOT NULL,
  establishment_id text NOT NULL,
  practitioner_id text NOT NULL,
  -- PractitionerRole under which the person is on duty: their telephone there.
  role_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('radiologist', 'coordinator', 'deputy-coordinator')),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
  -- A shift counts once its rota is published.
  published boolean NOT NULL,
  PRIMARY KEY (tenant, slot_id)
);
CREATE INDEX duty_shift_establishment ON duty_shift (tenant, establishment_id, ends_at);
CREATE INDEX duty_shift_practitioner ON duty_shift (tenant, practitioner_id, ends_at);
CREATE INDEX duty_shift_schedule ON duty_shift (tenant, schedule_id);
CREATE INDEX duty_shift_role ON duty_shift (tenant, role_id);
CALL protect_tenant('duty_shift');

-- Changes of published rotas: late ones are penalties of the contract.
CREATE TABLE duty_change (
  tenant text NOT NULL,
  id uuid NOT NULL,
  establishment_id text NOT NULL,
  -- First day of the month of the rota.
  month date NOT NULL,
  slot_id text NOT NULL,
  change text NOT NULL CHECK (change IN ('added', 'moved', 'handed-over', 'withdrawn')),
  -- Earliest start of the shift, before and after.
  starts_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  late boolean NOT NULL,
  changed_by text NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX duty_change_month ON duty_change (tenant, establishment_id, month, changed_at);
CALL protect_tenant('duty_change');

-- The only role that may remove rows by a rule that leaves a certificate (0160): the end of a contract removes everything.
GRANT SELECT, DELETE ON reader_credential, reader_exclusion, duty_shift, duty_change TO passerelle_purge;
