-- People over time: passwords that expire and are not chosen again, second factors, sign-ins half done, sessions one can see.

ALTER TABLE account
  -- Given by an administrator: good for one sign-in, during which another is chosen.
  ADD COLUMN password_temporary boolean NOT NULL DEFAULT false,
  -- What an authenticator knows the account by (WebAuthn user handle): says nothing about anybody.
  ADD COLUMN passkey_handle bytea NOT NULL DEFAULT uuid_send(gen_random_uuid());

-- Passwords used so far, the present one included; the oldest beyond six are deleted (SE-2).
CREATE TABLE password_history (
  tenant text NOT NULL,
  number bigint GENERATED ALWAYS AS IDENTITY,
  login text NOT NULL,
  -- argon2id of the password.
  password_hash text NOT NULL,
  -- argon2id of what it has in common with its obvious variants, keyed outside the database; null where there was no key.
  likeness_hash text,
  PRIMARY KEY (tenant, number),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CREATE INDEX password_history_login ON password_history (tenant, login, number);
CALL protect_tenant('password_history');

-- The authenticator application of an account (RFC 6238).
CREATE TABLE totp_factor (
  tenant text NOT NULL,
  login text NOT NULL,
  -- Encrypted; its key is not in the database.
  sealed_secret text NOT NULL,
  created_at timestamptz NOT NULL,
  -- Null until a first code proved that the application has the secret.
  confirmed_at timestamptz,
  -- Time step of the last code accepted: neither it nor an older one is accepted again (RFC 6238 section 5.2).
  last_step bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, login),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CALL protect_tenant('totp_factor');

-- WebAuthn credentials.
CREATE TABLE passkey (
  tenant text NOT NULL,
  -- base64url, as the authenticator names it.
  credential_id text NOT NULL CHECK (length(credential_id) BETWEEN 1 AND 1400),
  login text NOT NULL,
  -- COSE key.
  public_key bytea NOT NULL,
  -- Signature counter last seen; 0 for authenticators that do not count.
  counter bigint NOT NULL,
  transports text[] NOT NULL,
  label text NOT NULL,
  created_at timestamptz NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (tenant, credential_id),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CREATE INDEX passkey_login ON passkey (tenant, login);
CALL protect_tenant('passkey');

-- Which tenant a passkey belongs to: like login names, read before the tenant is known.
CREATE TABLE passkey_directory (
  tenant text NOT NULL CHECK (tenant = 'platform'),
  credential_id text NOT NULL,
  account_tenant text NOT NULL,
  PRIMARY KEY (tenant, credential_id)
);
CALL protect_tenant('passkey_directory');

-- Codes on paper for who lost the rest; each row is one use. SHA-256 of 80 random bits.
CREATE TABLE recovery_code (
  tenant text NOT NULL,
  login text NOT NULL,
  code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  PRIMARY KEY (tenant, login, code_hash),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CALL protect_tenant('recovery_code');

-- Between the first proof and the session: good for the next step of signing in and for nothing else, so not a credential.
CREATE TABLE pending_sign_in (
  tenant text NOT NULL,
  secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  login text NOT NULL,
  -- What was proved so far: password, ldap, oidc, then totp, passkey or recovery-code.
  methods text[] NOT NULL,
  -- The first proof counted as two factors by itself.
  strong boolean NOT NULL,
  -- Wrong codes so far.
  failures integer NOT NULL DEFAULT 0,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, secret_hash),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login)
);
CREATE INDEX pending_sign_in_expiry ON pending_sign_in (tenant, expires_at);
CREATE INDEX pending_sign_in_login ON pending_sign_in (tenant, login);
CALL protect_tenant('pending_sign_in');

-- Challenges already answered: signed and dated ones need no row until then.
CREATE TABLE spent_challenge (
  tenant text NOT NULL,
  challenge_hash bytea NOT NULL CHECK (octet_length(challenge_hash) = 32),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, challenge_hash)
);
CREATE INDEX spent_challenge_expiry ON spent_challenge (tenant, expires_at);
CALL protect_tenant('spent_challenge');

-- What a person sees of their sessions.
ALTER TABLE credential
  ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Address it was opened from.
  ADD COLUMN network text,
  -- The browser and system as they named themselves.
  ADD COLUMN device text,
  -- How the person proved who they are.
  ADD COLUMN methods text[] NOT NULL DEFAULT '{}',
  -- Last time a proof was given: what changes the means of signing in wants a recent one.
  ADD COLUMN proven_at timestamptz;
CREATE UNIQUE INDEX credential_id ON credential (tenant, id);
