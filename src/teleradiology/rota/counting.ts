/** Shifts as far as they can be kept: published, and ending where the establishment refuses the reader or a certificate ends. */
import type { FhirTransaction } from '../../fhir/index.ts';
import { credentialsHeld } from '../people/credential-rows.ts';
import { heldUntil } from '../people/qualification.ts';
import type { Stretch } from './calendar.ts';
import { type Shift, shiftsNotRefused } from './shift-rows.ts';

/** Two statements, however many people: read when the telephone rings. */
export async function countingShifts(
  { sql, context: { tenant } }: Pick<FhirTransaction, 'sql' | 'context'>,
  establishmentId: string,
  within: Stretch,
): Promise<Shift[]> {
  const shifts = await shiftsNotRefused(sql, tenant, establishmentId, within);
  const readers = shifts.filter(({ kind }) => kind === 'radiologist').map(({ practitionerId }) => practitionerId);
  if (readers.length === 0) return shifts;
  const held = await credentialsHeld(sql, tenant, [...new Set(readers)]);
  return shifts.flatMap((shift): Shift[] => {
    if (shift.kind !== 'radiologist') return [shift];
    const from = shift.start > within.start ? shift.start : within.start;
    const until = heldUntil(held.get(shift.practitionerId) ?? [], from);
    if (until === undefined || until >= shift.end) return [shift];
    return until > from ? [{ ...shift, end: until }] : [];
  });
}
