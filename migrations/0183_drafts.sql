-- A report being written is in nobody's sight but its readers' and the platform's (docs/access/policy.md, decision 0028): a sentence begun is
-- no result, and the site would act on it. Held here, so that no way of asking has to remember it; past versions of a report that
-- was published since stay out of sight as well.

-- Whether the session sees reports being written; no, when it has not said.
CREATE FUNCTION sees_drafts() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('passerelle.sees_drafts', true), '') = 'on';

-- Search keys of the statuses of a report being written (src/fhir/search/keys.ts). Made here and not told by the session: one that forgets sees none.
CREATE FUNCTION draft_keys() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE
  RETURN ARRAY (
    SELECT ('x' || left(encode(sha256(convert_to(current_tenant() || E'\x01status\x01v' || draft.status, 'UTF8')), 'hex'), 16))::bit(64)::bigint
    FROM (VALUES ('registered'), ('partial')) AS draft (status));

CREATE POLICY draft ON fhir.diagnosticreport AS RESTRICTIVE TO passerelle_limited
  USING (CASE WHEN keys && (SELECT draft_keys()) THEN (SELECT sees_drafts() OR sees_whole_type('diagnosticreport')) ELSE true END);

-- Past versions have no keys. A deletion leaves no text, and nothing to hide.
CREATE POLICY draft ON fhir.diagnosticreport_past AS RESTRICTIVE TO passerelle_limited
  USING (CASE
    WHEN (SELECT sees_drafts() OR sees_whole_type('diagnosticreport')) THEN true
    WHEN content = '' THEN true
    ELSE coalesce(content::jsonb ->> 'status' NOT IN ('registered', 'partial'), false)
  END);
