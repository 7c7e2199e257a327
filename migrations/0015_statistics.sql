-- How rare a key is decides between its index and the order asked for. By default PostgreSQL remembers a thousand keys of a table and takes
-- every other for about a thousandth of it: at ten million rows a search for one identifier, with its LIMIT, was planned as a walk along
-- the primary key and did not end. Ten thousand keys remembered bring the estimate of the others down tenfold.
DO $$
DECLARE
  target regclass;
BEGIN
  FOR target IN
    SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'fhir'::regnamespace AND c.relkind = 'r' AND a.attname = 'keys'
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN keys SET STATISTICS 1000', target);
  END LOOP;
END
$$;
