-- Access tokens that see less than their account (SMART scopes about one patient, or with conditions on a type): every condition holds
-- beside the limits of 0100, for a role that has those and these.
DO $$
DECLARE
  member text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passerelle_narrowed') THEN
    CREATE ROLE passerelle_narrowed NOLOGIN NOBYPASSRLS;
  END IF;
  -- Policies of a role are those of its members, too: row_scope holds for both, row_narrowing for this one only.
  GRANT passerelle_limited TO passerelle_narrowed;
  FOR member IN
    SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member
    WHERE a.roleid = 'passerelle_limited'::regrole AND m.rolname <> 'passerelle_narrowed'
      AND NOT pg_has_role(m.oid, 'passerelle_narrowed', 'MEMBER')
  LOOP
    EXECUTE format('GRANT passerelle_narrowed TO %I', member);
  END LOOP;
END
$$;

-- Conditions on the rows of a type (its name in lower case): lists of search keys, of each of which a row must carry one. A type that
-- the session did not speak of shows nothing.
CREATE FUNCTION row_narrowing(type text) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(nullif(current_setting('passerelle.row_narrowing', true), '')::jsonb -> type, '[[]]');

CREATE FUNCTION meets_narrowing(keys bigint[], conditions jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN NOT EXISTS (
    SELECT FROM jsonb_array_elements(conditions) AS one (alternatives)
    WHERE NOT keys && ARRAY (SELECT jsonb_array_elements_text(one.alternatives)::bigint));

DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE p.polname = 'row_scope' AND c.relnamespace = 'fhir'::regnamespace AND a.attname = 'keys'
  LOOP
    EXECUTE format('CREATE POLICY row_narrowing ON fhir.%I AS RESTRICTIVE TO passerelle_narrowed
      USING (meets_narrowing(keys, (SELECT row_narrowing(%L))))', target.relname, target.relname);
  END LOOP;
END
$$;
