-- That there was a draft is withheld with the draft (0183, 0184): its deletion keeps the search value by which it was withheld
-- (src/fhir/store/labels.ts, `remains`), so that the same policies hold for it. Here for what was deleted before.
ALTER TABLE fhir.diagnosticreport NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fhir.diagnosticreport_past NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fhir.communication NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fhir.communication_past NO FORCE ROW LEVEL SECURITY;

UPDATE fhir.diagnosticreport AS gone
  SET keys = gone.keys || ('x' || left(encode(sha256(convert_to(
    gone.tenant || E'\x01status\x01v' || (before.content::jsonb ->> 'status'), 'UTF8')), 'hex'), 16))::bit(64)::bigint
  FROM fhir.diagnosticreport_past AS before
  WHERE gone.deleted AND before.tenant = gone.tenant AND before.id = gone.id AND before.version = gone.version - 1
    AND CASE WHEN before.content = '' THEN false ELSE before.content::jsonb ->> 'status' IN ('registered', 'partial') END;

UPDATE fhir.communication AS gone
  SET keys = gone.keys || ('x' || left(encode(sha256(convert_to(gone.tenant
    || E'\x01category\x01shttps://fhir.passerelle.example/CodeSystem/communication-category\x01draft-opinion', 'UTF8')), 'hex'), 16))::bit(64)::bigint
  FROM fhir.communication_past AS before
  WHERE gone.deleted AND before.tenant = gone.tenant AND before.id = gone.id AND before.version = gone.version - 1
    AND CASE WHEN before.content = '' THEN false ELSE before.content::jsonb @> '{"category": [{"coding": [{"code": "draft-opinion"}]}]}' END;

ALTER TABLE fhir.diagnosticreport FORCE ROW LEVEL SECURITY;
ALTER TABLE fhir.diagnosticreport_past FORCE ROW LEVEL SECURITY;
ALTER TABLE fhir.communication FORCE ROW LEVEL SECURITY;
ALTER TABLE fhir.communication_past FORCE ROW LEVEL SECURITY;

-- A deletion that is past (its id was used again) has neither keys nor text: it may have been a draft's.
DROP POLICY draft ON fhir.diagnosticreport_past;
CREATE POLICY draft ON fhir.diagnosticreport_past AS RESTRICTIVE TO passerelle_limited
  USING (CASE
    WHEN (SELECT sees_drafts() OR sees_whole_type('diagnosticreport')) THEN true
    WHEN content = '' THEN false
    ELSE coalesce(content::jsonb ->> 'status' NOT IN ('registered', 'partial'), false)
  END);
