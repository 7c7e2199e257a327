-- Where each open case stands on the worklists (WF-11, docs/decisions/0021-worklist.md): written in the transaction that writes the Task,
-- so that a list is the first rows of an index and not a sort. The Task stays the truth; this can be made anew of it at any time.
CREATE TABLE worklist (
  tenant text NOT NULL,
  case_id text COLLATE "C" NOT NULL,
  -- Before everything else: 0 urgent or not known, 1 any other.
  urgency_class smallint NOT NULL CHECK (urgency_class IN (0, 1)),
  -- What the part of the score that depends on the reader looks at: stage, establishment, sub-specialty and language; or, of a case that
  -- somebody holds, stage, establishment and '@'. Cases of one pool keep their order whoever looks.
  pool text COLLATE "C" NOT NULL,
  -- When the case is due less what raises it for everybody: does not change while time passes.
  place_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  -- The delay runs; else due_at is what is expected of a case like this.
  due_runs boolean NOT NULL,
  establishment text NOT NULL,
  specialty text NOT NULL,
  language text NOT NULL,
  -- Literal reference of who reads the case or is to read it; empty when nobody.
  holder text NOT NULL DEFAULT '',
  request_id text COLLATE "C" NOT NULL DEFAULT '',
  age_minutes integer NOT NULL,
  -- Priority an AI device gives, 0 to 100, and the minutes that is worth at this establishment; nothing for urgent cases.
  ai_score smallint NOT NULL DEFAULT 0,
  ai_minutes integer NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, case_id)
);
CREATE INDEX worklist_order ON worklist (tenant, urgency_class, pool, place_at, case_id);
CREATE INDEX worklist_holder ON worklist (tenant, holder) WHERE holder <> '';
CREATE INDEX worklist_request ON worklist (tenant, request_id);
CREATE INDEX worklist_ai ON worklist (tenant, establishment) WHERE ai_score > 0;
CALL protect_tenant('worklist');
GRANT SELECT, DELETE ON worklist TO passerelle_purge;

-- Which rules the rows of a tenant were made by: those of an older version, or of before this table, are made anew at start.
CREATE TABLE worklist_made (
  tenant text NOT NULL PRIMARY KEY,
  rules text NOT NULL
);
CALL protect_tenant('worklist_made');
GRANT SELECT, DELETE ON worklist_made TO passerelle_purge;
