-- Machines and third-party apps (SMART App Launch 2.2, RFC 6749, RFC 7523, RFC 8705). Secrets are kept as their SHA-256 only.

CREATE TABLE oauth_client (
  tenant text NOT NULL,
  client_id text NOT NULL CHECK (client_id ~ '^[a-z0-9][a-z0-9._@-]{1,63}$'),
  kind text NOT NULL CHECK (kind IN ('backend', 'public-app', 'confidential-app')),
  display text NOT NULL,
  -- Establishment (Organization id) a machine speaks for.
  organization_id text,
  scopes text[] NOT NULL,
  redirect_uris text[] NOT NULL DEFAULT '{}',
  launch_uri text,
  -- Public keys (RFC 7517): the set itself, or where it is.
  jwks jsonb,
  jwks_uri text,
  -- Life of its access tokens.
  access_seconds integer NOT NULL DEFAULT 300 CHECK (access_seconds BETWEEN 60 AND 3600),
  disabled boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, client_id),
  CHECK (kind <> 'backend' OR organization_id IS NOT NULL),
  CHECK (jwks IS NULL OR jwks_uri IS NULL)
);
CALL protect_tenant('oauth_client');

-- Which tenant a client belongs to: read before the tenant is known, so these rows are the platform tenant's.
CREATE TABLE oauth_client_directory (
  tenant text NOT NULL CHECK (tenant = 'platform'),
  client_id text NOT NULL,
  client_tenant text NOT NULL,
  PRIMARY KEY (tenant, client_id)
);
CALL protect_tenant('oauth_client_directory');

-- Certificates of clients, one client each: `sha256:<hexadecimal>` of the certificate, or `subject:<name>` for any that the configured
-- authority issued to that name.
CREATE TABLE client_certificate (
  tenant text NOT NULL CHECK (tenant = 'platform'),
  name text NOT NULL,
  client_tenant text NOT NULL,
  client_id text NOT NULL,
  PRIMARY KEY (tenant, name)
);
CREATE INDEX client_certificate_client ON client_certificate (tenant, client_id);
CALL protect_tenant('client_certificate');

-- Assertions already used, until they expire: none works twice, on whatever node.
CREATE TABLE oauth_assertion (
  tenant text NOT NULL,
  client_id text NOT NULL,
  jti_hash bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, client_id, jti_hash)
);
CREATE INDEX oauth_assertion_expiry ON oauth_assertion (tenant, expires_at);
CALL protect_tenant('oauth_assertion');

-- One consent of one person to one app: what codes, access tokens and refresh tokens come from, and end with.
CREATE TABLE oauth_grant (
  tenant text NOT NULL,
  grant_id text NOT NULL,
  client_id text NOT NULL,
  login text NOT NULL,
  scopes text[] NOT NULL,
  -- Launch context: {"patient": id, "task": id, "intent": text}.
  launch jsonb NOT NULL DEFAULT '{}',
  redirect_uri text NOT NULL,
  code_hash bytea NOT NULL,
  code_challenge text NOT NULL,
  nonce text,
  authenticated_at timestamptz NOT NULL,
  code_expires_at timestamptz NOT NULL,
  code_used_at timestamptz,
  -- After this instant nothing more comes of it.
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, grant_id),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CREATE UNIQUE INDEX oauth_grant_code ON oauth_grant (tenant, code_hash);
CREATE INDEX oauth_grant_client ON oauth_grant (tenant, client_id);
CREATE INDEX oauth_grant_login ON oauth_grant (tenant, login);
CREATE INDEX oauth_grant_expiry ON oauth_grant (tenant, expires_at);
CALL protect_tenant('oauth_grant');

-- Refresh tokens. A used one stays until its grant ends: who shows it again stole it, or was stolen from.
CREATE TABLE oauth_refresh (
  tenant text NOT NULL,
  secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  grant_id text NOT NULL,
  created_at timestamptz NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (tenant, secret_hash),
  FOREIGN KEY (tenant, grant_id) REFERENCES oauth_grant (tenant, grant_id) ON DELETE CASCADE
);
CREATE INDEX oauth_refresh_grant ON oauth_refresh (tenant, grant_id);
CALL protect_tenant('oauth_refresh');

-- Access tokens: of a machine with the rights of its account, or of an app with those of the person who consented; limited by scopes.
CREATE TABLE oauth_token (
  tenant text NOT NULL,
  secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  client_id text NOT NULL,
  login text NOT NULL,
  scopes text[] NOT NULL,
  launch jsonb NOT NULL DEFAULT '{}',
  -- SHA-256 of the certificate the token is bound to (RFC 8705 §3).
  thumbprint bytea CHECK (octet_length(thumbprint) = 32),
  grant_id text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, secret_hash),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login),
  FOREIGN KEY (tenant, grant_id) REFERENCES oauth_grant (tenant, grant_id) ON DELETE CASCADE
);
CREATE INDEX oauth_token_client ON oauth_token (tenant, client_id);
CREATE INDEX oauth_token_login ON oauth_token (tenant, login);
CREATE INDEX oauth_token_grant ON oauth_token (tenant, grant_id);
CREATE INDEX oauth_token_expiry ON oauth_token (tenant, expires_at);
CALL protect_tenant('oauth_token');

-- What an app is launched with from our pages (SMART EHR launch): made for one person and one app, used once.
CREATE TABLE oauth_launch (
  tenant text NOT NULL,
  launch_hash bytea NOT NULL,
  client_id text NOT NULL,
  login text NOT NULL,
  launch jsonb NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, launch_hash),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CREATE INDEX oauth_launch_expiry ON oauth_launch (tenant, expires_at);
CALL protect_tenant('oauth_launch');

-- An account that is shut off takes everything with it that was issued in its name, whoever shuts it off.
CREATE FUNCTION end_oauth_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM oauth_token WHERE tenant = NEW.tenant AND login = NEW.login;
  DELETE FROM oauth_grant WHERE tenant = NEW.tenant AND login = NEW.login;
  DELETE FROM oauth_launch WHERE tenant = NEW.tenant AND login = NEW.login;
  RETURN NULL;
END
$$;
CREATE TRIGGER account_disabled AFTER UPDATE OF disabled ON account
  FOR EACH ROW WHEN (NEW.disabled AND NOT OLD.disabled) EXECUTE FUNCTION end_oauth_of_account();
