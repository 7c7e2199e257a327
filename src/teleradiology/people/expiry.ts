/** Certificates that end are told 60, 30 and 7 days before, and when they have (CM-4): durable due times, one message each. */
import type { Practitioner } from '@medplum/fhirtypes';
import { Temporal } from 'temporal-polyfill';
import type { FhirTransaction } from '../../fhir/index.ts';
import { cancelDueTimes, type DueTime, setDueTime } from '../clock/index.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { counted, nameOf } from './names.ts';
import { type Qualification, qualificationNames, qualificationsOf } from './qualification.ts';
import { type Teller, tellStaff } from './tell.ts';

/** Days before the end at which somebody is told; 0 is the end itself. */
const expiryThresholds = [60, 30, 7, 0] as const;

const certificateZone = 'Europe/Paris';

/** Instant of a threshold: so many days of the calendar before the end, whatever the clocks did meanwhile. */
export function expiryThresholdAt(until: Date, days: number): Date {
  const end = Temporal.Instant.fromEpochMilliseconds(until.getTime()).toZonedDateTimeISO(certificateZone);
  return new Date(end.subtract({ days }).epochMilliseconds);
}

/** What must be told of one certificate as it is recorded: what is to come, and the last of what has passed already. */
export function thresholdsAhead(until: Date, now: Date): { days: number; at: Date }[] {
  const all = expiryThresholds.map((days) => ({ days, at: expiryThresholdAt(until, days) }));
  const ahead = all.filter(({ at }) => at > now);
  const last = all.filter(({ at }) => at <= now).at(-1);
  return last === undefined ? ahead : [last, ...ahead];
}

/** Due times of a practitioner hang on this in place of a case. */
const ownerOf = (practitionerId: string): string => `Practitioner/${practitionerId}`;

/** Puts the due times of what a practitioner holds now in the place of those that were waited for. One already told is not told again. */
export async function watchExpiry(
  tx: FhirTransaction,
  practitionerId: string,
  held: readonly Qualification[],
): Promise<void> {
  const { tenant } = tx.context;
  const caseId = ownerOf(practitionerId);
  await cancelDueTimes(tx.sql, tenant, caseId);
  for (const { code, until } of held) {
    if (until === undefined || isRenewed(held, code, until)) continue;
    for (const { days, at } of thresholdsAhead(until, tx.context.now()))
      await setDueTime(tx.sql, tenant, {
        caseId,
        kind: 'qualification',
        key: `${code} ${until.toISOString()} ${days}`,
        dueAt: at,
      });
  }
}

/** Whether another certificate of this kind is valid when one ends. */
function isRenewed(held: readonly Qualification[], code: string, until: Date): boolean {
  return held.some(
    (each) =>
      each.code === code && (each.until === undefined || each.until > until) && (!each.from || each.from <= until),
  );
}

/** Tells the reader and the coordinators; nothing when the certificate was renewed, withdrawn or changed meanwhile. */
export async function raiseExpiry(room: Teller, due: DueTime, tx: FhirTransaction): Promise<void> {
  const [code, end, days] = due.key.split(' ');
  const id = due.caseId.slice('Practitioner/'.length);
  const practitioner = await tx.find('Practitioner', id);
  const held = qualificationsOf(practitioner);
  const ending = held.find((each) => each.code === code && each.until?.toISOString() === end);
  if (practitioner?.active === false || ending?.until === undefined || isRenewed(held, ending.code, ending.until))
    return;
  const shifts = await shiftsAfter(tx, id, ending.until);
  const platform = await anyPlatformId(tx);
  await tellStaff(room, tx, {
    category: 'qualification-expiry',
    text: expiryText(practitioner, ending, Number(days), shifts),
    recipients: [due.caseId, platform === undefined ? undefined : `Organization/${platform}`],
    about: [due.caseId],
    urgent: Number(days) <= 7,
    notice: {
      template: Number(days) === 0 ? 'credential-expired' : 'credential-expiring',
      values: { professional: due.caseId, end: lastDayOf(ending.until) },
    },
  });
}

function expiryText(
  practitioner: Practitioner | undefined,
  { code, until }: Qualification,
  days: number,
  shifts: number,
): string {
  const day = until === undefined ? '' : lastDayOf(until).split('-').reverse().join('/');
  const what = `${qualificationNames[code]} de ${nameOf(practitioner)}`;
  const planned = shifts === 0 ? '' : ` ${counted(shifts, 'garde prévue')} ensuite.`;
  return days === 0
    ? `${what} : expirée depuis le ${day}. Ni planning, ni prise de dossier, ni signature avant son renouvellement.${planned}`
    : `${what} : valable jusqu’au ${day}, moins de ${days} jours. Déposez le renouvellement.${planned}`;
}

/** Last day on which a certificate is valid, `YYYY-MM-DD`. */
function lastDayOf(until: Date): string {
  const last = Temporal.Instant.fromEpochMilliseconds(until.getTime() - 1).toZonedDateTimeISO(certificateZone);
  return last.toPlainDate().toString();
}

async function shiftsAfter(tx: FhirTransaction, practitionerId: string, after: Date): Promise<number> {
  const { rows } = await tx.sql.query<{ shifts: number }>(
    `SELECT count(*)::int AS shifts FROM duty_shift
     WHERE tenant = $1 AND practitioner_id = $2 AND kind = 'radiologist' AND ends_at > $3`,
    [tx.context.tenant, practitionerId, after],
  );
  return rows[0]?.shifts ?? 0;
}
