import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, Sql } from '../../../src/db/index.ts';
import { pageOf } from '../../../src/teleradiology/worklist/page.ts';
import type { Reader } from '../../../src/teleradiology/worklist/personal.ts';
import { testDatabase } from '../../support/database.ts';

const tenant = 'aa';
const reader: Reader = {
  ...{
    reference: 'Practitioner/reader-7',
    reads: true,
    readsOnly: true,
    specialties: new Set(['neuro']),
    languages: new Set<string>(),
  },
  ...{
    sites: new Set(['h1']),
    onDuty: new Set(['h2']),
    excluded: new Set<string>(),
    kinds: new Set(['teleradiology']),
    expired: false,
    load: new Map(),
  },
};

let database: Database;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

/** As many open cases as wanted: a tenth urgent, four establishments, three sub-specialties, a hundred in somebody's hands. */
async function growTo(cases: number): Promise<void> {
  await database.query(tenant, {
    text: `INSERT INTO worklist (tenant, case_id, urgency_class, pool, place_at, due_at, due_runs, establishment, specialty, language, holder, age_minutes)
      SELECT $1, 'c' || n, (n % 10 > 0)::integer,
        CASE WHEN n < 100 THEN 'in-hand|h' || n % 4 || '|@|||teleradiology'
          ELSE (ARRAY['to-read', 'waiting', 'to-protocol'])[1 + n % 3] || '|h' || n % 4 || '|' || (ARRAY['neuro', 'chest', 'general'])[1 + n / 7 % 3] || '|fr||teleradiology' END,
        timestamptz '2026-01-01' + n * interval '7 seconds', timestamptz '2026-01-01' + n * interval '7 seconds', true,
        'h' || n % 4, 'general', 'fr', CASE WHEN n < 100 THEN 'Practitioner/reader-' || n % 50 ELSE '' END, 0
      FROM generate_series(0, $2 - 1) AS n ON CONFLICT DO NOTHING`,
    values: [tenant, cases],
  });
  await database.query(tenant, 'ANALYZE worklist');
}

interface Plan {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

/** Rows that the scans of a plan looked at. */
function rowsRead(plan: Plan): number {
  const below = (plan.Plans ?? []).reduce((sum, each) => sum + rowsRead(each), 0);
  if (!/Scan/.test(plan['Node Type']) || /CTE|WorkTable|Subquery|Function/.test(plan['Node Type'])) return below;
  const each =
    plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0);
  return below + each * plan['Actual Loops'];
}

/** Reads a page under the application's role and counts what its statements looked at. */
async function page(
  count: number,
): Promise<{ statements: number; read: number; shown: string[]; sequential: boolean }> {
  return database.transaction(tenant, async (sql) => {
    const counted = { statements: 0, read: 0, sequential: false };
    const watching: Sql = {
      async query(statement: unknown, values?: readonly unknown[]) {
        const { text, values: named } = statement as { text: string; values: readonly unknown[] };
        const explained = await sql.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
          `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
          named,
        );
        const plan = explained.rows[0]!['QUERY PLAN'][0].Plan;
        counted.statements++;
        counted.read += rowsRead(plan);
        counted.sequential ||= JSON.stringify(plan).includes('"Seq Scan"');
        return sql.query(statement as string, values) as never;
      },
    };
    const parts = { sql: watching, tenant, reader, nameOf: (code: string) => code };
    const { rows } = await pageOf(parts, { named: [] }, undefined, count);
    return { ...counted, shown: rows.map(({ caseId }) => caseId) };
  });
}

describe('a page of the worklist', () => {
  it('looks at some hundred rows by the index alone, whether there are a thousand cases or ten thousand', async () => {
    for (const cases of [1_000, 10_000]) {
      await growTo(cases);
      const { shown, statements, read, sequential } = await page(50);
      expect(shown).toHaveLength(50);
      expect(statements).toBeLessThan(10);
      expect(read).toBeLessThan(500);
      expect(sequential).toBe(false);
    }
  });

  it('is what sorting every case of the reader’s tenant would give', async () => {
    const { shown } = await page(300);
    const all = await database.transaction(tenant, (sql) =>
      pageOf({ sql, tenant, reader, nameOf: String }, { named: [] }, undefined, 10_000),
    );
    const sorted = all.rows
      .toSorted((a, b) => a.urgencyClass - b.urgencyClass || a.at - b.at || (a.caseId < b.caseId ? -1 : 1))
      .map(({ caseId }) => caseId);
    expect(new Set(sorted).size).toBe(10_000);
    expect(shown).toEqual(sorted.slice(0, 300));
  });
});
