/** Hours promised that no radiologist covers (CM-2, CM-3): told when they appear, a day ahead, and when they begin. */
import type { FhirTransaction } from '../../fhir/index.ts';
import { type DueTime, setDueTime } from '../clock/index.ts';
import { type Teller, tellStaff } from '../people/tell.ts';
import { establishmentSettings, isLive } from '../settings.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { frenchInstant, type Month, monthOf, type Stretch } from './calendar.ts';
import { countingShifts } from './counting.ts';
import { gapsIn, hoursPromised } from './cover.ts';
import { publicationOf } from './duty.ts';
import { dutyService, schedulesOf } from './schedule.ts';

const dayMs = 86_400_000;
/** A rota with more holes than this is no rota; telling each would bury the others. */
const gapsWatchedAtMost = 200;

/** Hours of a month, from an instant on, that no radiologist covers who can be on duty. */
async function gapsOf(
  tx: FhirTransaction,
  establishmentId: string,
  month: Month,
  from: Date = month.start,
): Promise<Stretch[]> {
  const organization = await tx.whole.find('Organization', establishmentId);
  const { timeZone, holidays } = establishmentSettings(organization).delays;
  const service = await dutyService(tx, establishmentId);
  const shifts = await countingShifts(tx, establishmentId, month);
  const readers = shifts.filter(({ kind }) => kind === 'radiologist');
  const gaps = gapsIn(hoursPromised(service, month, timeZone, holidays), readers);
  return gaps.flatMap(({ start, end }) => (end <= from ? [] : [{ start: start > from ? start : from, end }]));
}

/** Puts a due time a day before each gap ahead in a published month, and one at its beginning. What is filled meanwhile is not told. */
export async function watchGaps(tx: FhirTransaction, establishmentId: string, month: Month): Promise<Stretch[]> {
  const now = tx.context.now();
  const gaps = (await gapsOf(tx, establishmentId, month, now)).slice(0, gapsWatchedAtMost);
  for (const { start } of gaps) {
    for (const lead of [dayMs, 0]) {
      const dueAt = new Date(start.getTime() - lead);
      if (dueAt < now && lead > 0) continue;
      await setDueTime(tx.sql, tx.context.tenant, {
        caseId: `Organization/${establishmentId}`,
        kind: 'duty-gap',
        key: `${start.toISOString()} ${lead}`,
        dueAt,
      });
    }
  }
  return gaps;
}

/** The same for every month ahead of which the establishment has shifts: who planned them no longer counts. */
export async function watchGapsAhead(
  tx: FhirTransaction,
  practitionerId: string,
  establishmentId?: string,
): Promise<void> {
  const { rows } = await tx.sql.query<{ establishment_id: string; starts_at: Date }>(
    `SELECT establishment_id, starts_at FROM duty_shift
     WHERE tenant = $1 AND practitioner_id = $2 AND kind = 'radiologist' AND published AND ends_at > $3
       AND ($4::text IS NULL OR establishment_id = $4)`,
    [tx.context.tenant, practitionerId, tx.context.now(), establishmentId ?? null],
  );
  for (const [id, shifts] of Map.groupBy(rows, (row) => row.establishment_id)) {
    const { timeZone } = establishmentSettings(await tx.whole.find('Organization', id)).delays;
    const months = new Map(
      shifts.map(({ starts_at }) => monthOf(starts_at, timeZone)).map((each) => [each.name, each]),
    );
    for (const month of months.values()) await watchGaps(tx, id, month);
  }
}

/** Tells the coordinators and the establishment, when the gap is still there. */
export async function raiseGap(room: Teller, due: DueTime, tx: FhirTransaction): Promise<void> {
  const establishmentId = due.caseId.slice('Organization/'.length);
  const [instant = '', lead] = due.key.split(' ');
  const organization = await tx.find('Organization', establishmentId);
  const settings = establishmentSettings(organization);
  const { timeZone } = settings.delays;
  const at = new Date(instant);
  if (organization === undefined || !isLive(settings, at)) return;
  const month = monthOf(at, timeZone);
  const isPublished = (await schedulesOf(tx, establishmentId, month)).some((each) => publicationOf(each) !== undefined);
  const gap = (await gapsOf(tx, establishmentId, month)).find(({ start, end }) => start <= at && end > at);
  if (!isPublished || gap === undefined) return;
  const platform = await anyPlatformId(tx);
  const name = organization.name ?? establishmentId;
  await tellStaff(room, tx, {
    category: 'rota-gap',
    text:
      lead === '0'
        ? `${name} : aucun radiologue de garde depuis le ${frenchInstant(at, timeZone)}, jusqu’au ${frenchInstant(gap.end, timeZone)}. Le coordonnateur prend les appels.`
        : `${name} : aucun radiologue de garde du ${frenchInstant(gap.start, timeZone)} au ${frenchInstant(gap.end, timeZone)}. À couvrir.`,
    recipients: [platform === undefined ? undefined : `Organization/${platform}`, due.caseId],
    about: [due.caseId],
    establishment: establishmentId,
    urgent: true,
    notice: {
      template: 'rota-changed',
      values: { establishment: due.caseId, day: at.toISOString().slice(0, 10) },
    },
  });
}
