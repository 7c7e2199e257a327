-- Who works in which hospital group: establishments of accounts, and accounts of other tenants that a tenant accepts (design §5 rule 8).

-- `/t/all` is the worklist over every tenant of the caller.
ALTER TABLE tenant ADD CONSTRAINT tenant_is_not_reserved CHECK (tenant <> 'all');

-- Establishments (Organization ids of the tenant) an account works for.
CREATE TABLE account_establishment (
  tenant text NOT NULL,
  login text NOT NULL,
  organization_id text COLLATE "C" NOT NULL CHECK (organization_id ~ '^[A-Za-z0-9.-]{1,64}$'),
  PRIMARY KEY (tenant, login, organization_id),
  FOREIGN KEY (tenant, login) REFERENCES account (tenant, login) ON DELETE CASCADE
);
CALL protect_tenant('account_establishment');

-- Rows belong to the tenant that accepts. What was accepted stays readable after it ended.
CREATE TABLE acceptance (
  tenant text NOT NULL,
  id uuid NOT NULL,
  login text NOT NULL,
  -- Tenant of the account.
  home_tenant text NOT NULL REFERENCES tenant (tenant) CHECK (home_tenant <> tenant),
  -- Resource the account acts as here, in this tenant.
  reference text NOT NULL CHECK (reference ~ '^Practitioner/[A-Za-z0-9.-]{1,64}$'),
  roles text[] NOT NULL CHECK (cardinality(roles) > 0),
  establishments text[] NOT NULL CHECK (cardinality(establishments) > 0),
  since timestamptz NOT NULL,
  until timestamptz CHECK (until > since),
  accepted_by text NOT NULL,
  accepted_at timestamptz NOT NULL,
  ended_at timestamptz,
  ended_by text,
  PRIMARY KEY (tenant, id),
  CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX acceptance_of_login ON acceptance (tenant, login) WHERE ended_at IS NULL;
CALL protect_tenant('acceptance');
REVOKE DELETE, TRUNCATE ON acceptance FROM passerelle_app;

-- Where to look for the acceptances of a login. These rows are the platform tenant's, and promise nothing: each tenant is asked.
CREATE TABLE acceptance_directory (
  tenant text NOT NULL CHECK (tenant = 'platform'),
  login text NOT NULL,
  accepting_tenant text NOT NULL REFERENCES tenant (tenant),
  PRIMARY KEY (tenant, login, accepting_tenant)
);
CALL protect_tenant('acceptance_directory');
