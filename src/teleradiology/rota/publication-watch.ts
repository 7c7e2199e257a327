/** A month whose rota is not out seven days before is told to the coordinators and the establishment (CM-2): nobody waits in silence. */
import type { FhirTransaction } from '../../fhir/index.ts';
import { type DueTime, setDueTime } from '../clock/index.ts';
import { type Teller, tellStaff } from '../people/tell.ts';
import { establishmentSettings, isLive } from '../settings.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { latestNotice, type Month, monthAfter, monthNamed } from './calendar.ts';
import { publicationOf } from './duty.ts';
import { ofMonth } from './month-words.ts';
import { type Rota, schedulesOf } from './schedule.ts';

/** From the first rota of an establishment on, its months are watched one after the other. */
export async function watchPublication(tx: FhirTransaction, { establishment, month, settings }: Rota): Promise<void> {
  await watchMonth(tx, establishment.id, month, settings.delays.timeZone);
}

export async function watchMonth(
  tx: FhirTransaction,
  establishmentId: string,
  month: Month,
  timeZone: string,
): Promise<void> {
  // Of a month that is over nobody has to be told any more.
  if (month.end <= tx.context.now()) return;
  await setDueTime(tx.sql, tx.context.tenant, {
    caseId: `Organization/${establishmentId}`,
    kind: 'rota-late',
    key: month.name,
    dueAt: latestNotice(month.start, timeZone),
  });
}

export async function raiseLateRota(room: Teller, due: DueTime, tx: FhirTransaction): Promise<void> {
  const establishmentId = due.caseId.slice('Organization/'.length);
  const organization = await tx.find('Organization', establishmentId);
  const settings = establishmentSettings(organization);
  const { timeZone } = settings.delays;
  const month = monthNamed(due.key, timeZone);
  if (organization === undefined || month === undefined || !isLive(settings, month.start)) return;
  await watchMonth(tx, establishmentId, monthAfter(month, timeZone), timeZone);
  const schedules = await schedulesOf(tx, establishmentId, month);
  if (schedules.some((schedule) => publicationOf(schedule) !== undefined)) return;
  const platform = await anyPlatformId(tx);
  await tellStaff(room, tx, {
    category: 'rota-late',
    text: `${organization.name ?? establishmentId} : le tableau de garde ${ofMonth(month.name)} n’est pas publié, moins de sept jours avant le mois.`,
    recipients: [platform === undefined ? undefined : `Organization/${platform}`, due.caseId],
    about: [due.caseId],
    establishment: establishmentId,
    urgent: true,
    notice: { template: 'rota-late', values: { establishment: due.caseId, month: month.name } },
  });
}
