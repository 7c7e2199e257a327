-- The journal: what was done, in few bytes, one row per commit. Written with the resources it tells about, or alone for reads;
-- AuditEvents are made from it when they are asked for, or when the server has time (docs/decisions/0011-journal.md).
CREATE TABLE fhir.journal (
  tenant text NOT NULL,
  id text COLLATE "C" NOT NULL,
  -- JSON array of entries, in order.
  entries text NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- Rows of the journal that are not projected yet.
CREATE TABLE fhir.journal_pending (
  tenant text NOT NULL,
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
);

CALL protect_tenant('fhir.journal');
CALL protect_tenant('fhir.journal_pending');
-- What was recorded cannot be changed by the application, whatever its code does.
GRANT SELECT, INSERT ON fhir.journal TO passerelle_app;
GRANT SELECT, INSERT, DELETE ON fhir.journal_pending TO passerelle_app;
