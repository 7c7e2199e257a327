/** Shifts that can be kept: published, of people whom the establishment does not refuse and whose certificates have not ended. */
import type { FhirTransaction } from '../../fhir/index.ts';
import { credentialsHeld } from '../people/credential-rows.ts';
import { credentialsOver } from '../people/qualification.ts';
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
  return shifts.filter(({ kind, practitionerId, start, end }) => {
    if (kind !== 'radiologist') return true;
    const from = start > within.start ? start : within.start;
    const to = end < within.end ? end : within.end;
    return credentialsOver(held.get(practitionerId) ?? [], from, to) !== 'expired';
  });
}
