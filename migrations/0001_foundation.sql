-- The application's role owns nothing and cannot bypass row-level security; the tables belong to whoever migrates.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passerelle_app') THEN
    CREATE ROLE passerelle_app NOLOGIN NOBYPASSRLS;
  END IF;
  EXECUTE format('GRANT passerelle_app TO %I', current_user);
END
$$;

GRANT USAGE ON SCHEMA public TO passerelle_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO passerelle_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO passerelle_app;

-- Who shares this server. The one table without a tenant's row-level security: it holds names only.
CREATE TABLE tenant (
  tenant text PRIMARY KEY CHECK (tenant ~ '^[a-z][a-z0-9-]{1,30}$'),
  display text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO tenant (tenant, display) VALUES ('platform', 'Passerelle');

-- The tenant of the session, as row-level security reads it; empty when none was set, which matches no row.
CREATE FUNCTION current_tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  RETURN current_setting('passerelle.tenant', true);

-- Puts a table whose first key column is `tenant` under forced row-level security.
CREATE PROCEDURE protect_tenant(target regclass) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant_scope ON %s USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', target);
END
$$;

-- Array operators are not leakproof, so under row-level security the planner would not use a GIN index for them (measured: 19 ms
-- instead of 1.9 ms). They only compare bigint keys that mean nothing without the row. Needs a superuser; the start-up check
-- says so when it is not one.
DO $$
BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    ALTER FUNCTION pg_catalog.arraycontains(anyarray, anyarray) LEAKPROOF;
    ALTER FUNCTION pg_catalog.arrayoverlap(anyarray, anyarray) LEAKPROOF;
  END IF;
END
$$;
