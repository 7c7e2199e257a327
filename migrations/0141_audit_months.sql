-- The trail by months (docs/decisions/0015-audit-chain.md): a month that may be destroyed is detached and dropped, not deleted row by row. Ids made
-- by the platform are ordered by time (RFC 9562 version 7), so a month is a range of ids and the primary key stays what it was.
-- Ids that clients chose for their AuditEvents are wherever they sort, mostly in the default partition.

-- The least id of an instant.
CREATE FUNCTION fhir.time_id(at timestamptz) RETURNS text LANGUAGE sql STABLE
  RETURN overlay(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') PLACING '-' FROM 9 FOR 0);

-- Parts of the trail and their ranges; NULL where open. Names only: nothing of what is in them.
CREATE VIEW fhir.audit_part AS
  SELECT parent.relname AS target, part.relname AS part,
    substring(pg_get_expr(part.relpartbound, part.oid) FROM 'FROM \(''([^'']+)''\)') COLLATE "C" AS low,
    substring(pg_get_expr(part.relpartbound, part.oid) FROM 'TO \(''([^'']+)''\)') COLLATE "C" AS high
  FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
  WHERE parent.relnamespace = 'fhir'::regnamespace AND parent.relname IN ('auditevent', 'journal');

-- What is there becomes one part, up to the end of this month: nothing is rewritten, however much it is.
DO $$
DECLARE
  bound text := fhir.time_id(date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '1 month');
  suffix text := to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month', '"_until_"YYYY_MM');
  target text;
  part text;
  index record;
BEGIN
  FOREACH target IN ARRAY ARRAY['auditevent', 'journal'] LOOP
    part := target || suffix;
    FOR index IN SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = ('fhir.' || target)::regclass LOOP
      EXECUTE format('ALTER INDEX fhir.%I RENAME TO %I', index.relname, part || substr(index.relname, length(target) + 1));
    END LOOP;
    EXECUTE format('ALTER TABLE fhir.%I RENAME TO %I', target, part);
    EXECUTE format('CREATE TABLE fhir.%I (LIKE fhir.%I INCLUDING DEFAULTS, PRIMARY KEY (tenant, id)) PARTITION BY RANGE (id)', target, part);
    -- Parts are reached through their parent alone, whose policy holds; nobody has a right to one itself, but its owner must be able to
    -- move rows between them: row-level security without a policy, not forced.
    EXECUTE format('DROP POLICY tenant_scope ON fhir.%I', part);
    EXECUTE format('ALTER TABLE fhir.%I NO FORCE ROW LEVEL SECURITY', part);
    EXECUTE format('REVOKE ALL ON fhir.%I FROM passerelle_app, passerelle_limited', part);
    EXECUTE format('CREATE TABLE fhir.%I PARTITION OF fhir.%I DEFAULT', target || '_default', target);
    EXECUTE format('ALTER TABLE fhir.%I ENABLE ROW LEVEL SECURITY', target || '_default');
    EXECUTE format('WITH ahead AS (DELETE FROM fhir.%I WHERE id >= %L RETURNING *) INSERT INTO fhir.%I SELECT * FROM ahead',
      part, bound, target || '_default');
  END LOOP;

  CREATE INDEX auditevent_keys ON fhir.auditevent USING gin (keys) WITH (gin_pending_list_limit = 128);
  CREATE INDEX auditevent_updated ON fhir.auditevent (tenant, updated, id);
  CREATE INDEX auditevent_d1 ON fhir.auditevent (tenant, d1_lo, id);
  ALTER TABLE fhir.auditevent ALTER COLUMN keys SET STATISTICS 1000;
  ALTER TABLE fhir.auditevent_default ALTER COLUMN keys SET STATISTICS 1000;

  FOREACH target IN ARRAY ARRAY['auditevent', 'journal'] LOOP
    EXECUTE format('ALTER TABLE fhir.%I ATTACH PARTITION fhir.%I FOR VALUES FROM (MINVALUE) TO (%L)', target, target || suffix, bound);
    EXECUTE format('CALL protect_tenant(%L)', 'fhir.' || target);
    EXECUTE format('GRANT SELECT, INSERT ON fhir.%I TO passerelle_app', target);
  END LOOP;
  GRANT SELECT ON fhir.auditevent TO passerelle_limited;
END
$$;

GRANT SELECT ON fhir.audit_part TO passerelle_app;

-- Makes the parts of a month, this one or one of the next three; true when there was something to do. The application may call it and so
-- make empty tables, nothing else. Rows of that range that waited in the default part (clocks ahead, ids clients chose) move.
CREATE FUNCTION fhir.add_audit_month(first date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lowest text := fhir.time_id(first::timestamp AT TIME ZONE 'UTC');
  beyond text := fhir.time_id((first + interval '1 month')::timestamp AT TIME ZONE 'UTC');
  this_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
  parent text;
  part text;
  made boolean := false;
BEGIN
  IF first <> date_trunc('month', first) OR first < this_month OR first > this_month + interval '3 months' THEN
    RAISE EXCEPTION 'month % is not one of the next', first USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Servers that start together.
  PERFORM pg_advisory_xact_lock(hashtext('fhir.add_audit_month'), 0);
  FOREACH parent IN ARRAY ARRAY['journal', 'auditevent'] LOOP
    part := parent || to_char(first, '_YYYY_MM');
    CONTINUE WHEN EXISTS (SELECT FROM fhir.audit_part p WHERE p.target = parent AND p.high > lowest COLLATE "C" AND coalesce(p.low, '') < beyond COLLATE "C");
    EXECUTE format('LOCK TABLE fhir.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
    EXECUTE format('CREATE TABLE fhir.%I (LIKE fhir.%I INCLUDING DEFAULTS)', part, parent);
    EXECUTE format('ALTER TABLE fhir.%I ENABLE ROW LEVEL SECURITY', part);
    IF parent = 'auditevent' THEN
      EXECUTE format('ALTER TABLE fhir.%I ALTER COLUMN keys SET STATISTICS 1000', part);
    END IF;
    EXECUTE format('WITH early AS (DELETE FROM fhir.%I WHERE id >= %L AND id < %L RETURNING *) INSERT INTO fhir.%I SELECT * FROM early',
      parent || '_default', lowest, beyond, part);
    EXECUTE format('ALTER TABLE fhir.%I ATTACH PARTITION fhir.%I FOR VALUES FROM (%L) TO (%L)', parent, part, lowest, beyond);
    made := true;
  END LOOP;
  RETURN made;
END
$$;
REVOKE ALL ON FUNCTION fhir.add_audit_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fhir.add_audit_month TO passerelle_app;
