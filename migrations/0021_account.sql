-- Who may sign in, with what, and what was tried. Times here are the machine's, even when a demonstration runs on a faster clock.

CREATE TABLE account (
  tenant text NOT NULL,
  login text NOT NULL CHECK (login ~ '^[a-z0-9][a-z0-9._@-]{1,63}$'),
  kind text NOT NULL CHECK (kind IN ('person', 'machine')),
  -- Resource the account acts as, in its own tenant.
  reference text NOT NULL CHECK (reference ~ '^(Practitioner|Device)/[A-Za-z0-9.-]{1,64}$'),
  display text NOT NULL,
  roles text[] NOT NULL,
  -- Establishment (Organization id) a machine speaks for.
  organization_id text,
  -- argon2id in PHC format; null when the account cannot sign in with a password.
  password_hash text,
  password_changed_at timestamptz,
  -- Demonstration accounts are exempt from the password rules.
  demonstration boolean NOT NULL DEFAULT false,
  disabled boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, login)
);
CALL protect_tenant('account');

-- Sessions of people (kind session) and bearer tokens (kind token). Only the SHA-256 of the secret is here.
CREATE TABLE credential (
  tenant text NOT NULL,
  secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  kind text NOT NULL CHECK (kind IN ('session', 'token')),
  login text NOT NULL,
  created_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, secret_hash),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CREATE INDEX credential_login ON credential (tenant, login);
CREATE INDEX credential_expiry ON credential (tenant, expires_at);
CALL protect_tenant('credential');

-- Which tenant a login name belongs to: read before the tenant is known, so these rows are the platform tenant's.
CREATE TABLE login_directory (
  tenant text NOT NULL CHECK (tenant = 'platform'),
  login text NOT NULL,
  account_tenant text NOT NULL,
  PRIMARY KEY (tenant, login)
);
CALL protect_tenant('login_directory');

-- Failed sign-ins per account name (known or not) and per address, also the platform tenant's. Keys are hashes: people type
-- passwords into the wrong field.
CREATE TABLE login_throttle (
  tenant text NOT NULL CHECK (tenant = 'platform'),
  key text NOT NULL,
  failures integer NOT NULL,
  last_at timestamptz NOT NULL,
  blocked_until timestamptz NOT NULL,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX login_throttle_age ON login_throttle (tenant, last_at);
CALL protect_tenant('login_throttle');
