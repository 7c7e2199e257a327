-- Storage commitment (PS3.4 Annex J): what a PACS asked us to answer for, kept until it was told; one row an item of the outbox, gone with it
-- or once it was delivered.
CREATE TABLE storage_commitment (
  tenant text NOT NULL,
  id text NOT NULL,
  -- AE title that asked and is told, and the establishment it speaks for.
  ae_title text NOT NULL CHECK (length(ae_title) BETWEEN 1 AND 16),
  organization_id text NOT NULL CHECK (length(organization_id) BETWEEN 1 AND 64),
  -- The Device, or Organization, it acts as.
  actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
  transaction_uid text NOT NULL CHECK (length(transaction_uid) BETWEEN 1 AND 64),
  -- SOP classes and instances asked about, in order.
  sop_classes text[] NOT NULL,
  sop_instances text[] NOT NULL CHECK (cardinality(sop_instances) = cardinality(sop_classes)),
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, id) REFERENCES outbox (tenant, id) ON DELETE CASCADE
);
CALL protect_tenant('storage_commitment');
GRANT SELECT, DELETE ON storage_commitment TO passerelle_purge;
