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
  -- Parts of the index that are complete when the job is over, each with the hash of its definitions (JSON).
  makes jsonb NOT NULL,
  -- A job begins when everybody indexes by the same definitions: transactions open at its birth are over, caches are renewed.
  born timestamptz NOT NULL DEFAULT clock_timestamp(),
  born_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
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
