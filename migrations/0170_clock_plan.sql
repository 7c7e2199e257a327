-- One row for each running clock of a case (kind `clock`, key its name): `plan` holds its steps, each with when it falls and when it was
-- raised; `next_at` is the first that was not. What the sweep reads stays one index entry for each clock, however many steps it has.
ALTER TABLE due_time ADD COLUMN plan jsonb NOT NULL DEFAULT '[]';

-- Under forced row-level security an owner who is no superuser would see no row.
ALTER TABLE due_time NO FORCE ROW LEVEL SECURITY;
-- Reading delays that run keep what was told of them, and gain the escalations.
WITH step AS (
  SELECT tenant, case_id, 'reminder-' || split_part(kind, '-', 2) AS step, due_at AS at, fired_at AS raised
    FROM due_time WHERE kind IN ('deadline-50', 'deadline-75', 'deadline-100')
  UNION ALL
  SELECT tenant, case_id, later.step, due_at + later.by, CASE later.step WHEN 'due' THEN fired_at END
    FROM due_time
    CROSS JOIN (VALUES ('due', interval '0'), ('escalation-coordinator', interval '15 minutes'), ('escalation-site', interval '1 hour'))
      AS later (step, by)
    WHERE kind = 'deadline-100'
)
INSERT INTO due_time (tenant, case_id, kind, key, due_at, next_at, plan)
  SELECT tenant, case_id, 'clock', 'interpretation', max(at) FILTER (WHERE step = 'due'), min(at) FILTER (WHERE raised IS NULL),
    jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'step', step,
      'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'raised', to_char(raised AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) ORDER BY at, step DESC)
  FROM step GROUP BY tenant, case_id HAVING bool_or(step = 'due' AND raised IS NULL);
-- Whatever else runs on a case is found by looking at it once: the empty key.
INSERT INTO due_time (tenant, case_id, kind, key, due_at, next_at)
  SELECT DISTINCT tenant, case_id, 'clock', '', now(), now() FROM due_time WHERE kind IN ('waiting', 'expiry') AND fired_at IS NULL;
DELETE FROM due_time WHERE kind IN ('deadline-50', 'deadline-75', 'deadline-100', 'waiting', 'expiry');
ALTER TABLE due_time FORCE ROW LEVEL SECURITY;
