-- What was destroyed, certified in the transaction that destroyed it. Files and AuditEvent are made of the row afterwards, and made up for
-- by the next run when a crash came between.
CREATE TABLE purge_certificate (
  tenant text NOT NULL,
  number text COLLATE "C" NOT NULL,
  certificate text NOT NULL,
  -- Which key signed.
  key text COLLATE "C" NOT NULL,
  signature text NOT NULL,
  told_at timestamptz,
  PRIMARY KEY (tenant, number)
);
CALL protect_tenant('purge_certificate');
REVOKE INSERT, UPDATE, DELETE ON purge_certificate FROM passerelle_app;
GRANT SELECT, INSERT ON purge_certificate TO passerelle_purge;
GRANT UPDATE (told_at) ON purge_certificate TO passerelle_purge;
