/** What of a month's rota came later than the contract allows: it counts among the penalties (CM-2). */
import type { FhirTransaction } from '../../fhir/index.ts';
import { latestNotice, type Month } from './calendar.ts';
import { lateChangesOf } from './changes.ts';
import { publicationOf } from './duty.ts';
import { schedulesOf } from './schedule.ts';

export interface RotaLateness {
  /** Published less than seven days before the month. */
  publication?: Lapse;
  /** Changes told less than seven days before the shift, in order of time. */
  changes: readonly Lapse[];
}

/** One thing that came late. */
export interface Lapse {
  at: Date;
  /** When it should have come at the latest. */
  before: Date;
}

export async function rotaLateness(
  tx: FhirTransaction,
  establishmentId: string,
  month: Month,
  timeZone: string,
): Promise<RotaLateness> {
  const schedules = await schedulesOf(tx, establishmentId, month);
  const late = schedules.map(publicationOf).filter((publication) => publication?.late === true);
  const [first] = late.flatMap((publication) => publication?.at ?? []).sort((a, b) => a.getTime() - b.getTime());
  return {
    ...(first === undefined ? {} : { publication: { at: first, before: latestNotice(month.start, timeZone) } }),
    changes: (await lateChangesOf(tx, establishmentId, month)).map(({ at, starts }) => ({
      at,
      before: latestNotice(starts, timeZone),
    })),
  };
}
