-- A transition that was refused leaves a trace although its transaction does not (design §5 rule 4): who tried what, and which
-- guard said no. Ids and codes only.
CREATE TABLE case_refusal (
  tenant text NOT NULL,
  id uuid NOT NULL,
  case_id text NOT NULL,
  event text NOT NULL,
  state text NOT NULL,
  guard text NOT NULL,
  actor text NOT NULL,
  account text NOT NULL,
  request_id text NOT NULL,
  refused_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX case_refusal_case ON case_refusal (tenant, case_id, refused_at);
CALL protect_tenant('case_refusal');
