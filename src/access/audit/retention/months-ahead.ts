/** Parts of the trail's tables for the months to come (migrations/0141_audit_months.sql), made long before they are needed. */
import { type Database, platformTenant } from '../../../db/index.ts';
import { monthAfter, monthOf } from '../months.ts';

const monthsAhead = 3;

/** @returns how many months were made now. Safe from any number of servers at once. */
export async function addMonthsAhead(database: Database, now: Date): Promise<number> {
  let made = 0;
  let month = monthOf(now);
  for (let n = 0; n <= monthsAhead; n++) {
    const { rows } = await database.query<{ made: boolean }>(
      platformTenant,
      'SELECT fhir.add_audit_month($1::date) AS made',
      [`${month}-01`],
    );
    if (rows[0]?.made) made++;
    month = monthAfter(month);
  }
  return made;
}
