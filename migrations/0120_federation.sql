-- People who are known elsewhere (directories, identity providers), and who held which technical account.

-- What an account is called by an identity source; the source proves the person, the account says what they may.
CREATE TABLE account_link (
  tenant text NOT NULL,
  -- Kind and name of the source in the configuration.
  source text NOT NULL CHECK (source ~ '^(ldap|openid)/[a-z][a-z0-9-]{0,30}$'),
  -- Unchanging id of the person there.
  subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  login text NOT NULL,
  -- Roles and establishments follow the source; otherwise administrators decide them here.
  follows boolean NOT NULL,
  -- Name the person signs in with there, for asking again.
  source_login text,
  -- Login of the administrator who tied them, or the source itself.
  linked_by text NOT NULL,
  linked_at timestamptz NOT NULL,
  seen_at timestamptz,
  -- The source no longer vouches for the person, and the account was shut off for that: it opens again when the source does.
  withdrawn_at timestamptz,
  PRIMARY KEY (tenant, source, subject),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CREATE UNIQUE INDEX account_link_login ON account_link (tenant, source, login);
CALL protect_tenant('account_link');

-- Answers of OpenID providers already used: the rows are the platform's, the tenant being known only afterwards.
CREATE TABLE spent_openid_state (
  tenant text NOT NULL CHECK (tenant = 'platform'),
  state_hash bytea NOT NULL CHECK (octet_length(state_hash) = 32),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, state_hash)
);
CREATE INDEX spent_openid_state_expiry ON spent_openid_state (tenant, expires_at);
CALL protect_tenant('spent_openid_state');

-- Who held an individualised technical account (of a machine or of maintenance), and when (SE-14). A line is ended, never rewritten.
CREATE TABLE technical_holder (
  tenant text NOT NULL,
  id uuid NOT NULL,
  login text NOT NULL,
  -- The person, by name, and for whom they work.
  holder text NOT NULL CHECK (length(holder) BETWEEN 1 AND 200),
  company text NOT NULL CHECK (length(company) BETWEEN 1 AND 200),
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  since timestamptz NOT NULL,
  until timestamptz CHECK (until > since),
  recorded_by text NOT NULL,
  recorded_at timestamptz NOT NULL,
  ended_by text,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CREATE INDEX technical_holder_login ON technical_holder (tenant, login, since);
CALL protect_tenant('technical_holder');
REVOKE UPDATE, DELETE, TRUNCATE ON technical_holder FROM passerelle_app;
GRANT UPDATE (until, ended_by) ON technical_holder TO passerelle_app;
