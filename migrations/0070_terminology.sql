-- Code systems too large for a resource, loaded from their official files (docs/fhir.md, Terminology). Concepts are numbered within
-- their system; whatever finds concepts (a word of a designation, a property's value, a parent) is one row with their numbers, so
-- that "is a" and text searches over 350,000 concepts stay look-ups by primary key, which row-level security does not slow down.
CREATE SCHEMA terminology;
GRANT USAGE ON SCHEMA terminology TO passerelle_app;

CREATE TABLE terminology.code_system (
  tenant text NOT NULL,
  url text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  -- Names the rows of the concepts; a reload gets another one.
  system integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  title text,
  language text,
  -- Canonical URL of the implicit value set of all codes.
  value_set text,
  -- Properties concepts have here: [{"code", "type"}].
  properties jsonb NOT NULL,
  concepts integer NOT NULL,
  loaded_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, url, version)
);

CREATE TABLE terminology.concept (
  tenant text NOT NULL,
  system integer NOT NULL,
  code text COLLATE "C" NOT NULL,
  -- Number within the system, in the order of its hierarchy.
  seq integer NOT NULL,
  display text,
  definition text,
  inactive boolean NOT NULL,
  abstract boolean NOT NULL,
  parents integer[] NOT NULL,
  -- Everything that subsumes the concept, itself excepted.
  ancestors integer[] NOT NULL,
  designations jsonb NOT NULL,
  properties jsonb NOT NULL,
  PRIMARY KEY (tenant, system, code)
);
CREATE UNIQUE INDEX concept_seq ON terminology.concept (tenant, system, seq);

-- `list` is `word` (key: a folded word of code or designation), `below` and `children` (key: a code), `flag` (key: `inactive`,
-- `abstract`, or `parent` for those with children) or `property:<code>` (key: a value).
CREATE TABLE terminology.posting (
  tenant text NOT NULL,
  system integer NOT NULL,
  list text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  concepts integer[] NOT NULL,
  PRIMARY KEY (tenant, system, list, key)
);

CALL protect_tenant('terminology.code_system');
CALL protect_tenant('terminology.concept');
CALL protect_tenant('terminology.posting');
GRANT SELECT, INSERT, DELETE ON terminology.code_system, terminology.concept, terminology.posting TO passerelle_app;

-- What the platform loads is for every tenant to read, and for the platform alone to change: nothing in it is about anybody.
CREATE POLICY platform_shared ON terminology.code_system FOR SELECT USING (tenant = 'platform');
CREATE POLICY platform_shared ON terminology.concept FOR SELECT USING (tenant = 'platform');
CREATE POLICY platform_shared ON terminology.posting FOR SELECT USING (tenant = 'platform');
CREATE POLICY platform_shared ON fhir.codesystem FOR SELECT USING (tenant = 'platform');
CREATE POLICY platform_shared ON fhir.valueset FOR SELECT USING (tenant = 'platform');
CREATE POLICY platform_shared ON fhir.conceptmap FOR SELECT USING (tenant = 'platform');

-- A load brings most rows these tables have: until the statistics say so, plans would be made for empty tables. Only their owner may
-- gather them.
CREATE FUNCTION terminology.gather_statistics() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  ANALYZE terminology.concept;
  ANALYZE terminology.posting;
END
$$;
REVOKE ALL ON FUNCTION terminology.gather_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION terminology.gather_statistics() TO passerelle_app;
