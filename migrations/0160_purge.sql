-- Data are destroyed by a rule that leaves a certificate (design §5 rule 7), never by the application: its role may not remove a resource.
-- This one may, and the owner of the tables alone may take it. Nothing of the audit trail is within its reach.
DO $$
DECLARE
  target regclass;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passerelle_purge') THEN
    CREATE ROLE passerelle_purge NOLOGIN NOBYPASSRLS;
  END IF;
  EXECUTE format('GRANT passerelle_purge TO %I', current_user);
  GRANT USAGE ON SCHEMA public, fhir, terminology TO passerelle_purge;
  FOR target IN
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relrowsecurity AND n.nspname IN ('public', 'fhir', 'terminology')
      AND c.relname NOT LIKE 'audit\_%' AND c.relname NOT IN ('auditevent', 'journal', 'journal_pending')
  LOOP
    EXECUTE format('GRANT SELECT, DELETE ON %s TO passerelle_purge', target);
  END LOOP;
END
$$;

-- Files of images whose rows are gone: a row goes when its file is destroyed, whatever crashed between the two.
CREATE TABLE purged_blob (
  tenant text NOT NULL,
  blob text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, blob)
);
CALL protect_tenant('purged_blob');
REVOKE ALL ON purged_blob FROM passerelle_app;
GRANT SELECT, INSERT, DELETE ON purged_blob TO passerelle_purge;
