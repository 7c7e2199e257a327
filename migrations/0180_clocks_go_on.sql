-- A clock that was silent after its last escalation goes on telling (src/teleradiology/clock/plan.ts): plans gain their first repetition,
-- counted from the last step, or from now where that was told already. Clocks that end by themselves or have rounds of their own gain none.
ALTER TABLE due_time NO FORCE ROW LEVEL SECURITY;
WITH silent AS (
  SELECT tenant, case_id, key,
    greatest((SELECT max((step->>'at')::timestamptz) FROM jsonb_array_elements(plan) AS step), now()) AS since,
    CASE WHEN key = 'interpretation' THEN 60 WHEN key IN ('second-reading', 'complement', 'addendum') THEN 240 ELSE 120 END AS every
  FROM due_time
  WHERE kind = 'clock' AND key NOT IN ('', 'lease', 'expiry', 'critical') AND jsonb_array_length(plan) > 0
)
UPDATE due_time AS due
  SET plan = due.plan || jsonb_build_array(jsonb_build_object(
        'step', 'repeat-1',
        'at', to_char((since + every * interval '1 minute') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'every', every)),
    next_at = CASE WHEN due.fired_at IS NULL THEN due.next_at ELSE since + every * interval '1 minute' END,
    fired_at = NULL
  FROM silent
  WHERE due.tenant = silent.tenant AND due.case_id = silent.case_id AND due.kind = 'clock' AND due.key = silent.key;
ALTER TABLE due_time FORCE ROW LEVEL SECURITY;
