-- E-mails to people: one row is one message to one recipient, keyed by its item of the outbox and gone with it. The name of a template,
-- references and dates; no text that anybody typed, so nothing medical can be in it.
CREATE TABLE mail_notice (
  tenant text NOT NULL,
  id text NOT NULL,
  template text NOT NULL CHECK (length(template) BETWEEN 1 AND 64),
  -- Practitioner, PractitionerRole or Organization: its address is looked up when the message leaves.
  recipient text NOT NULL CHECK (length(recipient) BETWEEN 1 AND 200),
  -- The case it tells of.
  about text CHECK (length(about) BETWEEN 1 AND 200),
  facts jsonb NOT NULL,
  -- Later it would mislead: it becomes a dead letter instead.
  useful_until timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, id) REFERENCES outbox (tenant, id) ON DELETE CASCADE
);
CALL protect_tenant('mail_notice');
GRANT SELECT, DELETE ON mail_notice TO passerelle_purge;
