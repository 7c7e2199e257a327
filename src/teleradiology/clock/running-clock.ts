/** The durable plan of a running clock: one row of `due_time` (design §5 rule 3). */
import type { Sql } from '../../db/index.ts';
import { nextAt, type Plan, type PlannedStep, type Step } from './plan.ts';

/** How the row writes a step. */
interface PlanRow {
  step: Step;
  at: string;
  raised?: string;
  every?: number;
}

/** Starts the row of a clock, or puts a new plan in its place. */
export async function storePlan(
  sql: Sql,
  tenant: string,
  clock: { caseId: string; name: string; dueAt: Date },
  plan: Plan,
  now: Date,
): Promise<void> {
  const next = nextAt(plan);
  const rows: PlanRow[] = plan.map(({ step, at, raised, everyMinutes }) => ({
    step,
    at: at.toISOString(),
    ...(raised === undefined ? {} : { raised: raised.toISOString() }),
    ...(everyMinutes === undefined ? {} : { every: everyMinutes }),
  }));
  await sql.query(
    `INSERT INTO due_time (tenant, case_id, kind, key, due_at, next_at, fired_at, plan)
     VALUES ($1, $2, 'clock', $3, $4, $5, $6, $7)
     ON CONFLICT (tenant, case_id, kind, key) DO UPDATE
       SET due_at = excluded.due_at, next_at = excluded.next_at, fired_at = excluded.fired_at, failures = 0, plan = excluded.plan`,
    // A plan whose last step was raised stays, as raised: its next_at says when.
    [tenant, clock.caseId, clock.name, clock.dueAt, next ?? now, next === undefined ? now : null, JSON.stringify(rows)],
  );
}

/** Empty when the clock has no row. */
export async function readPlan(sql: Sql, tenant: string, caseId: string, name: string): Promise<Plan> {
  const { rows } = await sql.query<{ plan: PlanRow[] }>(
    `SELECT plan FROM due_time WHERE tenant = $1 AND case_id = $2 AND kind = 'clock' AND key = $3`,
    [tenant, caseId, name],
  );
  return (rows[0]?.plan ?? []).map(
    ({ step, at, raised, every }): PlannedStep => ({
      step,
      at: new Date(at),
      ...(raised === undefined ? {} : { raised: new Date(raised) }),
      ...(every === undefined ? {} : { everyMinutes: every }),
    }),
  );
}

/** Forgets the rows of clocks that stopped. */
export async function dropPlans(sql: Sql, tenant: string, caseId: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await sql.query(`DELETE FROM due_time WHERE tenant = $1 AND case_id = $2 AND kind = 'clock' AND key = ANY ($3)`, [
    tenant,
    caseId,
    names,
  ]);
}
