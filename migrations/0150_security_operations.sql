-- Security incidents, reviews of accounts and remote maintenance (SE-7, SE-10, SE-11). Times here are the machine's.

-- Alert e-mails about incidents, written in the transaction of the incident, sent afterwards until the mail server takes them.
CREATE TABLE security_alert (
  tenant text NOT NULL,
  -- The Basic that says what happened, and how often it had happened by then.
  incident text NOT NULL,
  occurrences integer NOT NULL,
  created_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL,
  sent_at timestamptz,
  PRIMARY KEY (tenant, incident, occurrences)
);
CREATE INDEX security_alert_pending ON security_alert (tenant, next_at) WHERE sent_at IS NULL;
CALL protect_tenant('security_alert');

-- On which days an account was used: what a review of accounts goes by.
CREATE TABLE account_use (
  tenant text NOT NULL,
  login text NOT NULL,
  day date NOT NULL,
  PRIMARY KEY (tenant, login, day)
);
CALL protect_tenant('account_use');

-- What was decided about an account in a review: `use` each quarter (2026-Q4), `need` each year (2026).
CREATE TABLE account_review (
  tenant text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('use', 'need')),
  period text NOT NULL CHECK (period ~ '^\d{4}(-Q[1-4])?$'),
  login text NOT NULL,
  decision text NOT NULL CHECK (decision IN ('kept', 'changed', 'withdrawn')),
  reason text NOT NULL DEFAULT '',
  reviewer text NOT NULL,
  decided_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, kind, period, login)
);
CALL protect_tenant('account_review');
REVOKE DELETE ON account_review FROM passerelle_app;

-- Remote maintenance: announced before, by name and for a time; outside a window the account cannot be used.
CREATE TABLE maintenance_window (
  tenant text NOT NULL,
  id text NOT NULL,
  login text NOT NULL,
  person text NOT NULL,
  company text NOT NULL,
  reason text NOT NULL,
  announced_at timestamptz NOT NULL,
  announced_by text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '24 hours'),
  closed_at timestamptz,
  closed_by text,
  -- What was done, in the words of the person who did it.
  report text,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX maintenance_window_login ON maintenance_window (tenant, login, ends_at);
CALL protect_tenant('maintenance_window');
REVOKE DELETE ON maintenance_window FROM passerelle_app;

-- Operator commands run in a window, in order; nobody rewrites them. Requests over the network are in the audit trail already.
CREATE TABLE maintenance_entry (
  tenant text NOT NULL,
  window_id text NOT NULL,
  entry bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  -- The command line; secrets come by environment or file and are not in it.
  command text NOT NULL,
  -- Exit code; -1 as long as it runs.
  outcome integer NOT NULL,
  PRIMARY KEY (tenant, window_id, entry),
  FOREIGN KEY (tenant, window_id) REFERENCES maintenance_window (tenant, id)
);
CALL protect_tenant('maintenance_entry');
REVOKE UPDATE, DELETE ON maintenance_entry FROM passerelle_app;
