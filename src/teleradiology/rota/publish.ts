/** `Schedule/$publish`: the rota of an establishment and a month becomes firm and is told to everybody on it (CM-2). */
import type { Parameters, Schedule } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { credentialsHeld } from '../people/credential-rows.ts';
import { refusal, requireMember } from '../people/entitled.ts';
import { counted, nameOf } from '../people/names.ts';
import { credentialsOver } from '../people/qualification.ts';
import { type Teller, tellStaff } from '../people/tell.ts';
import { establishmentSettings } from '../settings.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { frenchInstant, isShortNotice, type Month, monthAfter, monthNamed } from './calendar.ts';
import { noteChange } from './changes.ts';
import { type Publication, publicationExtension, publicationOf, publicationUrl } from './duty.ts';
import { watchGaps } from './gaps.ts';
import { ofMonth } from './month-words.ts';
import { watchMonth } from './publication-watch.ts';
import type { Publishing } from './publishing.ts';
import { type Rota, schedulesOf } from './schedule.ts';
import { type Shift, shiftsOf, shiftsOfSchedule } from './shift-rows.ts';
import { type Warning, warningParts, warningsOf } from './warnings.ts';

/** @throws FhirError 404, 422 for a month without shifts, or with one that its reader cannot keep. */
export async function publish(
  room: Teller,
  publishing: Publishing,
  tx: FhirTransaction,
  establishmentId: string,
  monthName: string,
): Promise<Parameters> {
  requireMember(tx, establishmentId);
  await tx.lock(`rota:${establishmentId}`);
  const organization = await tx.whole.read('Organization', establishmentId);
  const settings = establishmentSettings(organization);
  const { timeZone } = settings.delays;
  const month = monthNamed(monthName, timeZone);
  if (month === undefined)
    throw refusal(422, 'invalid', 'The month is YYYY-MM', 'Le mois s’écrit AAAA-MM.', 'Parameters.parameter');
  const schedules = await schedulesOf(tx, establishmentId, month);
  const planned = (await shiftsOf(tx.sql, tx.context.tenant, establishmentId, month)).filter(({ scheduleId }) =>
    schedules.some(({ id }) => id === scheduleId),
  );
  const fresh = planned.filter(({ published }) => !published);
  if (fresh.length === 0)
    throw refusal(
      422,
      'business-rule',
      'There is nothing to publish: the month has no provisional shift',
      'Rien à publier : ce mois n’a aucune garde provisoire.',
    );
  await requireKeepable(tx, fresh, settings);
  const now = tx.context.now();
  const before = schedules.map((schedule) => publicationOf(schedule)).find((each) => each !== undefined);
  const publication = before ?? { at: now, late: isShortNotice(now, month.start, timeZone) };
  await publishing.within(tx, async () => {
    for (const schedule of schedules) await publishSchedule(tx, schedule, publication);
  });
  // A shift added to a month that is out already is a change of it, told on its own.
  if (before !== undefined)
    for (const shift of fresh) await noteChange(room, tx, undefined, { ...shift, published: true });
  await watchMonth(tx, establishmentId, monthAfter(month, timeZone), timeZone);
  const gaps = await watchGaps(tx, establishmentId, month);
  const warnings = await warningsOf(tx, establishmentId, month, settings);
  if (before === undefined)
    await told(room, tx, { establishmentId, month, publication, planned, gaps: gaps.length, timeZone });
  return answer(publication, planned.length, warnings);
}

/** Certificates may have ended, and readers been refused, since their shifts were planned. */
async function requireKeepable(
  tx: FhirTransaction,
  shifts: readonly Shift[],
  settings: Rota['settings'],
): Promise<void> {
  const readers = shifts.filter(({ kind }) => kind === 'radiologist');
  const { tenant } = tx.context;
  const held = await credentialsHeld(tx.sql, tenant, [...new Set(readers.map(({ practitionerId }) => practitionerId))]);
  const { rows } = await tx.sql.query<{ practitioner_id: string }>(
    'SELECT practitioner_id FROM reader_exclusion WHERE tenant = $1 AND establishment_id = $2',
    [tenant, shifts[0]?.establishmentId ?? ''],
  );
  const refused = new Set(rows.map((row) => row.practitioner_id));
  for (const { practitionerId, start, end } of readers) {
    const credentials = credentialsOver(held.get(practitionerId) ?? [], start, end);
    const isHeld = credentials === 'valid' || (credentials === 'missing' && !settings.credentialsRequired);
    if (isHeld && !refused.has(practitionerId)) continue;
    const name = nameOf(await tx.whole.find('Practitioner', practitionerId), practitionerId);
    throw refusal(
      422,
      'business-rule',
      'A planned radiologist is excluded, or their qualifications do not last through a shift',
      `${name} ne peut pas assurer la garde du ${frenchInstant(start, settings.delays.timeZone)} : qualification expirée ou absente, ou exclusion.`,
    );
  }
}

async function publishSchedule(
  tx: FhirTransaction,
  schedule: Schedule & { id: string },
  publication: Publication,
): Promise<void> {
  if (publicationOf(schedule) === undefined) {
    const others = (schedule.extension ?? []).filter(({ url }) => url !== publicationUrl);
    await tx.whole.update({ ...schedule, extension: [...others, publicationExtension(publication)] });
  }
  for (const { slotId, published } of await shiftsOfSchedule(tx.sql, tx.context.tenant, schedule.id)) {
    if (!published) await tx.whole.update({ ...(await tx.whole.read('Slot', slotId)), status: 'busy' });
  }
}

async function told(
  room: Teller,
  tx: FhirTransaction,
  what: {
    establishmentId: string;
    month: Month;
    publication: Publication;
    planned: readonly Shift[];
    gaps: number;
    timeZone: string;
  },
): Promise<void> {
  const { establishmentId, month, publication, planned, gaps } = what;
  const organization = await tx.whole.find('Organization', establishmentId);
  const platform = await anyPlatformId(tx.whole);
  const place = `Organization/${establishmentId}`;
  const parts = [
    `${organization?.name ?? establishmentId} : le tableau de garde ${ofMonth(month.name)} est publié, ${counted(planned.length, 'garde')}.`,
    publication.late ? 'Publication tardive : moins de sept jours avant le mois.' : '',
    gaps > 0 ? `${counted(gaps, 'plage')} sans radiologue.` : '',
  ];
  await tellStaff(room, tx, {
    category: 'rota-published',
    text: parts.filter((part) => part !== '').join(' '),
    recipients: [
      ...planned.map(({ practitionerId }) => `Practitioner/${practitionerId}`),
      place,
      platform === undefined ? undefined : `Organization/${platform}`,
    ],
    about: [place],
    establishment: establishmentId,
    urgent: publication.late || gaps > 0,
    notice: { template: 'rota-published', values: { establishment: place, month: month.name } },
  });
}

function answer({ at, late }: Publication, shifts: number, warnings: readonly Warning[]): Parameters {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'published', valueInstant: at.toISOString() },
      { name: 'late', valueBoolean: late },
      { name: 'shifts', valueInteger: shifts },
      ...warningParts(warnings),
    ],
  };
}
