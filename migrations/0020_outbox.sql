-- What must reach somebody else, written in the transaction of the fact it reports (design §5 rule 2). Ids only in the columns a
-- worker reads; `payload` keeps what was finally sent, `evidence` what came back.
CREATE TABLE outbox (
  tenant text NOT NULL,
  -- Stable over retries: the other side recognises a repetition by it.
  id text NOT NULL CHECK (id ~ '^[A-Z0-9]{1,20}$'),
  destination text NOT NULL CHECK (length(destination) BETWEEN 1 AND 200),
  -- Order of queueing. Two transactions that overlap have no order between them; one that began after another committed is later.
  sequence bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
  focus text NOT NULL CHECK (length(focus) BETWEEN 1 AND 200),
  task text,
  -- failed: refused by the other side; dead: given up after too long. Both are dead letters, set aside and replayable.
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'delivered', 'failed', 'dead')),
  -- Key of the worker that is sending, which is also its advisory lock while it lives.
  sender integer,
  attempts integer NOT NULL DEFAULT 0,
  queued_at timestamptz NOT NULL,
  -- Since when it is being tried: queueing, or the last replay.
  tried_since timestamptz NOT NULL,
  next_at timestamptz NOT NULL,
  finished_at timestamptz,
  last_error text,
  evidence text,
  payload bytea,
  PRIMARY KEY (tenant, id)
);

-- The head of each destination, and nothing that is done.
CREATE INDEX outbox_pending ON outbox (tenant, destination, sequence) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_dead_letter ON outbox (tenant, sequence) WHERE state IN ('failed', 'dead');
CREATE INDEX outbox_focus ON outbox (tenant, focus);

CALL protect_tenant('outbox');
