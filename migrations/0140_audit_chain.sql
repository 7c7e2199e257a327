-- Seals of the audit trail (docs/decisions/0015-audit-chain.md): each covers the rows of the journal that one transaction projected and the
-- AuditEvents made of them, names the digest of the seal before it, and is signed with a key that is not in the database.
CREATE TABLE audit_seal (
  tenant text NOT NULL,
  -- From 1, without gaps.
  number bigint NOT NULL,
  previous text COLLATE "C" NOT NULL,
  sealed_at timestamptz NOT NULL,
  -- Which key signed.
  key text COLLATE "C" NOT NULL,
  -- A line per row of the journal: its id, its digest, then id=digest of each AuditEvent (src/access/audit/chain/seal.ts).
  manifest text COLLATE "C" NOT NULL,
  digest text COLLATE "C" NOT NULL,
  signature text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE INDEX audit_seal_time ON audit_seal (tenant, sealed_at);

-- How far the trail of a tenant was copied out: to files (`ndjson`), to a syslog receiver (`syslog`). Up to this seal, included.
CREATE TABLE audit_export (
  tenant text NOT NULL,
  destination text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, destination)
);

-- How long the trail of a tenant is kept. Without a row, and while no end of the contract is known: for ever.
CREATE TABLE audit_retention (
  tenant text NOT NULL PRIMARY KEY,
  contract_end date,
  keep_days integer NOT NULL DEFAULT 365 CHECK (keep_days >= 365)
);

-- Certificates of months that were destroyed: what the seals still name and the tables do not have any more. Signed like the seals.
CREATE TABLE audit_purge (
  tenant text NOT NULL,
  month date NOT NULL,
  certificate text NOT NULL,
  digest text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  signature text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, month)
);

CALL protect_tenant('audit_seal');
CALL protect_tenant('audit_export');
CALL protect_tenant('audit_retention');
CALL protect_tenant('audit_purge');
REVOKE UPDATE, DELETE, TRUNCATE ON audit_seal, audit_purge FROM passerelle_app;
REVOKE DELETE, TRUNCATE ON audit_export, audit_retention FROM passerelle_app;

-- Rows whose AuditEvents exist already, and that wait for their seal only: all there were before the chain.
ALTER TABLE fhir.journal_pending ADD COLUMN projected boolean NOT NULL DEFAULT false;
INSERT INTO fhir.journal_pending (tenant, id, projected)
  SELECT tenant, id, true FROM fhir.journal ON CONFLICT (tenant, id) DO NOTHING;
