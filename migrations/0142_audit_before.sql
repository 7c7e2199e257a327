-- Rows from before the chain wait for their seal. Under forced row-level security an owner who is no superuser saw none of them in
-- 0140_audit_chain.sql; here the force is lifted for the moment. Tenants that have a chain already need nothing.
ALTER TABLE fhir.journal NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fhir.journal_pending NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_seal NO FORCE ROW LEVEL SECURITY;
INSERT INTO fhir.journal_pending (tenant, id, projected)
  SELECT tenant, id, true FROM fhir.journal j WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.tenant = j.tenant)
  ON CONFLICT (tenant, id) DO NOTHING;
ALTER TABLE fhir.journal FORCE ROW LEVEL SECURITY;
ALTER TABLE fhir.journal_pending FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_seal FORCE ROW LEVEL SECURITY;
