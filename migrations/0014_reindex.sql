-- Jobs that compute search values anew, row by row, while the server serves (docs/decisions/0014-reindex.md).
CREATE TABLE fhir.reindex (
  tenant text NOT NULL,
  id text COLLATE "C" NOT NULL,
  requested timestamptz NOT NULL,
  -- Types still to do; the first is under way, done up to `last_id`.
  types text[] NOT NULL,
  last_id text COLLATE "C" NOT NULL DEFAULT '',
  -- Resources looked at so far.
  seen bigint NOT NULL DEFAULT 0,
  -- What the index is when the job is over: definitions of the program, or one parameter of the tenant.
  makes text,
  finished timestamptz,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX reindex_open ON fhir.reindex (tenant, requested) WHERE finished IS NULL;

-- What a tenant's index was made with: of the program's definitions, and of each search parameter of the tenant's own.
CREATE TABLE fhir.index_state (
  tenant text NOT NULL,
  -- `program`, or the id of a SearchParameter.
  part text COLLATE "C" NOT NULL,
  -- Hash of the definitions.
  made_with text NOT NULL,
  PRIMARY KEY (tenant, part)
);

CALL protect_tenant('fhir.reindex');
CALL protect_tenant('fhir.index_state');
GRANT SELECT, INSERT, UPDATE ON fhir.reindex TO passerelle_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON fhir.index_state TO passerelle_app;
