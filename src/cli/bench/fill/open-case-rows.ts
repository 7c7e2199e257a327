/** What the domain keeps of open cases in its own tables: their places on the worklist, the steps of their clocks, their studies. */
import type pg from 'pg';
import { keepPlace } from '../../../teleradiology/index.ts';
import type { OpenCases } from './open-cases.ts';

const specialties = ['neuro', 'chest', 'abdominal', 'general'];
/** Rows written at the same time. */
const atOnce = 8;

/** @param raw a superuser's connections. Adds the rows of the cases `first … last-1`. */
export async function fillOpenCaseRows(
  raw: pg.Pool,
  tenant: string,
  cases: OpenCases,
  first: number,
  last: number,
): Promise<void> {
  let next = first;
  const worker = async (): Promise<void> => {
    const client = await raw.connect();
    try {
      await client.query('SET synchronous_commit = off');
      while (next < last) {
        const n = next++;
        const task = cases.task(n);
        const establishment = task.requester?.reference?.replace('Organization/', '') ?? '';
        const requestId = task.focus?.reference?.replace('ServiceRequest/', '') ?? '';
        const specialty = specialties[n % specialties.length] ?? 'general';
        await keepPlace(client, tenant, task, establishment, { specialty, language: 'fr', requestId, aiScore: 0 });
      }
      await client.query('RESET synchronous_commit');
    } finally {
      client.release();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const ids: string[] = [];
  const dues: Date[] = [];
  for (let n = first; n < last; n++) {
    ids.push(cases.task(n).id);
    dues.push(cases.dueAt(n));
  }
  await raw.query(
    `INSERT INTO due_time (tenant, case_id, kind, key, due_at, next_at, plan)
     SELECT $1, id, 'clock', 'interpretation', due, due, jsonb_build_array(jsonb_build_object('step', 'due', 'at', to_char(due AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
     FROM unnest($2::text[], $3::timestamptz[]) AS open (id, due)`,
    [tenant, ids, dues],
  );
  await raw.query(
    `INSERT INTO study_link (tenant, study_uid, imaging_study_id, state, case_id, basis, identity, series, instances, first_at, last_at)
     SELECT $1, '2.25.' || id, 'study-' || id, 'attached', id, 'study-uid', '{}',
       jsonb_build_object('2.25.1', jsonb_build_object('instances', 40, 'at', '2026-01-01T00:00:00Z')), 40, now(), now()
     FROM unnest($2::text[]) AS open (id)`,
    [tenant, ids.filter((_, at) => cases.isToRead(first + at))],
  );
  await raw.query('ANALYZE worklist, due_time, study_link');
}
