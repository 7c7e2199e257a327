-- Subscriptions (https://hl7.org/fhir/R4/subscription.html and the topic-based backport): what is recorded beside the resource so
-- that events are numbered, delivered in order and resumed after a crash.

-- One row per Subscription: how far it is, when it is looked at next.
CREATE TABLE subscription_feed (
  tenant text NOT NULL,
  id text COLLATE "C" NOT NULL,
  -- Account whose rights decide what a notification shows.
  owner text NOT NULL,
  -- As Subscription.status says, in the same transaction.
  status text NOT NULL CHECK (status IN ('requested', 'active', 'error', 'off')),
  channel text NOT NULL CHECK (channel IN ('rest-hook', 'websocket', 'email')),
  heartbeat_seconds integer,
  ends_at timestamptz,
  -- Number of the last event; of the last one the other side took.
  last_event bigint NOT NULL DEFAULT 0,
  delivered bigint NOT NULL DEFAULT 0,
  -- Failed attempts since the last success, and since when.
  attempts integer NOT NULL DEFAULT 0,
  failing_since timestamptz,
  last_error text,
  -- Due times, on the clock of the platform.
  next_at timestamptz NOT NULL,
  heartbeat_at timestamptz,
  -- On the database's own clock: when what is recorded for it last changed. Nodes may work from an older picture for a moment.
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, id)
);

-- What happened, written in the transaction that made it happen, without a number: numbering there would make all writers wait for
-- each other. Numbers follow under the lock of the feed, in the order of `position`.
CREATE TABLE subscription_event (
  tenant text NOT NULL,
  subscription text COLLATE "C" NOT NULL,
  position bigint GENERATED ALWAYS AS IDENTITY,
  number bigint,
  at timestamptz NOT NULL,
  interaction text NOT NULL CHECK (interaction IN ('create', 'update', 'delete')),
  type text NOT NULL,
  resource text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  PRIMARY KEY (tenant, subscription, position)
);
CREATE UNIQUE INDEX subscription_event_number ON subscription_event (tenant, subscription, number) WHERE number IS NOT NULL;
CREATE INDEX subscription_event_new ON subscription_event (tenant, subscription, position) WHERE number IS NULL;

-- One row per tenant that ever had a Subscription: nodes compare it to know whether their picture is still right.
CREATE TABLE subscription_generation (
  tenant text PRIMARY KEY,
  generation bigint NOT NULL
);

-- Values of channel headers; the resource holds the name of the row instead.
CREATE TABLE subscription_secret (
  tenant text NOT NULL,
  token text NOT NULL,
  -- NULL until the resource has its id.
  subscription text COLLATE "C",
  value text NOT NULL,
  PRIMARY KEY (tenant, token)
);
CREATE INDEX subscription_secret_subscription ON subscription_secret (tenant, subscription);

-- Tokens of $get-ws-binding-token; only the SHA-256 is kept.
CREATE TABLE subscription_token (
  tenant text NOT NULL,
  token_hash bytea NOT NULL,
  account text NOT NULL,
  subscriptions text[] NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, token_hash)
);

CALL protect_tenant('subscription_feed');
CALL protect_tenant('subscription_event');
CALL protect_tenant('subscription_generation');
CALL protect_tenant('subscription_secret');
CALL protect_tenant('subscription_token');
