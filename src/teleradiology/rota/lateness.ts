/** What of a month's rota came later than the contract allows: it counts among the penalties (CM-2). */
import type { FhirTransaction } from '../../fhir/index.ts';
import type { Month } from './calendar.ts';
import { changesOf } from './changes.ts';
import { publicationOf } from './duty.ts';
import { schedulesOf } from './schedule.ts';

export interface RotaLateness {
  /** Published less than seven days before the month. */
  published: boolean;
  /** Changes told less than seven days before the shift. */
  changes: number;
}

export async function rotaLateness(tx: FhirTransaction, establishmentId: string, month: Month): Promise<RotaLateness> {
  const schedules = await schedulesOf(tx, establishmentId, month);
  const { late } = await changesOf(tx, establishmentId, month);
  return { published: schedules.some((schedule) => publicationOf(schedule)?.late === true), changes: late };
}
