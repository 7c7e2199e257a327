-- Records opened in an emergency by somebody who does not see them: for a reason, for a while, told to others (docs/access/policy.md).
CREATE TABLE break_glass (
  tenant text NOT NULL,
  id text COLLATE "C" NOT NULL,
  account text NOT NULL,
  -- What was opened.
  reference text NOT NULL CHECK (reference ~ '^(Patient|Task)/[A-Za-z0-9.-]{1,64}$'),
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
  -- The machine's time.
  opened_at timestamptz NOT NULL,
  until timestamptz NOT NULL CHECK (until > opened_at),
  -- The trail says that it is over.
  end_told boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX break_glass_open ON break_glass (tenant, account, until);
CREATE INDEX break_glass_ended ON break_glass (tenant, until) WHERE NOT end_told;
CALL protect_tenant('break_glass');
-- What was opened, by whom and why stays as it was.
REVOKE UPDATE, DELETE, TRUNCATE ON break_glass FROM passerelle_app;
GRANT UPDATE (end_told) ON break_glass TO passerelle_app;
