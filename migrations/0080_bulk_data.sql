-- Bulk Data jobs (src/fhir/bulk): asked for in one request, done by one node at a time, told in others. Resources travel in files
-- under DATA_DIR, never in these tables.
CREATE TABLE bulk_job (
  tenant text NOT NULL,
  id text NOT NULL CHECK (id ~ '^[A-Za-z0-9-]{1,64}$'),
  kind text NOT NULL CHECK (kind IN ('export', 'import')),
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  -- Who asked: nobody else is told of the job, and it runs with this actor's rights.
  account text NOT NULL,
  actor jsonb NOT NULL,
  requested_at timestamptz NOT NULL,
  -- What was asked, as understood.
  request jsonb NOT NULL,
  -- Number of the attempt. What an earlier one still writes after it lost its lease counts for nothing.
  attempt integer NOT NULL DEFAULT 0,
  -- By the database's clock: the one every node shares.
  lease_until timestamptz,
  progress text,
  -- Import: octets of the input whose lines are done, moved in the transaction that stored them.
  position bigint NOT NULL DEFAULT 0,
  lines bigint NOT NULL DEFAULT 0,
  result jsonb,
  expires_at timestamptz,
  PRIMARY KEY (tenant, id)
);

CREATE INDEX bulk_job_open ON bulk_job (tenant, requested_at, id) WHERE state IN ('queued', 'running');
CREATE INDEX bulk_job_expiry ON bulk_job (tenant, expires_at) WHERE expires_at IS NOT NULL;

-- Lines of an import that were refused, each with its OperationOutcome.
CREATE TABLE bulk_import_issue (
  tenant text NOT NULL,
  job text NOT NULL,
  line bigint NOT NULL,
  outcome text NOT NULL,
  PRIMARY KEY (tenant, job, line),
  FOREIGN KEY (tenant, job) REFERENCES bulk_job (tenant, id) ON DELETE CASCADE
);

CALL protect_tenant('bulk_job');
CALL protect_tenant('bulk_import_issue');
