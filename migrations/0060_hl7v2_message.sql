-- Every HL7 v2 message that crossed the border, byte for byte, with what we did about it and what we answered. The key is what
-- makes a repeated message recognisable: same partner, same control id, same octets.
CREATE TABLE hl7v2_message (
  tenant text NOT NULL,
  -- 'in' received, 'out' sent.
  direction text NOT NULL CHECK (direction IN ('in', 'out')),
  -- 'in': MSH-3|MSH-4 as received; 'out': id of the receiving Organization.
  partner text NOT NULL,
  -- MSH-10; empty when the message had none.
  control_id text NOT NULL,
  -- SHA-256 of the message's octets, without the framing.
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  -- First and second component of MSH-9, e.g. ORM^O01; empty when unreadable.
  message_type text NOT NULL,
  at timestamptz NOT NULL,
  -- Address of the other side.
  network text,
  raw bytea NOT NULL,
  -- Acknowledgement given ('in') or received ('out'); null for a message that asks for none or is not answered yet.
  answer bytea,
  -- 'in': AA, AE, AR or noted (an acknowledgement); 'out': prepared, then MSA-1 of the answer.
  outcome text NOT NULL,
  -- Reason of a refusal, French, without patient data.
  reason text,
  -- What the translation tolerated, for the operator.
  warnings text[] NOT NULL DEFAULT '{}',
  -- Fingerprint of the translation tables a refusal was decided with: other tables, other decision.
  rules text,
  -- Resource the message is about, e.g. Task/….
  focus text,
  attempts integer NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant, direction, partner, control_id, sha256)
);
CREATE INDEX hl7v2_message_time ON hl7v2_message (tenant, at);
CREATE INDEX hl7v2_message_sent ON hl7v2_message (tenant, control_id) WHERE direction = 'out';
CALL protect_tenant('hl7v2_message');
