/** `Organization/[id]/$rota`: the rota of a month as it stands, with what is wrong with it (CM-2). */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { refusal } from '../people/entitled.ts';
import { nameOf } from '../people/names.ts';
import { establishmentSettings } from '../settings.ts';
import { latestNotice, monthNamed, monthOf } from './calendar.ts';
import { changesOf } from './changes.ts';
import { countingShifts } from './counting.ts';
import { publicationOf } from './duty.ts';
import { schedulesOf } from './schedule.ts';
import { shiftsOf } from './shift-rows.ts';
import { inOrder, warningParts, warningsOf } from './warnings.ts';

/** @param monthName `YYYY-MM`; the present month when it is not said. */
export async function monthView(
  tx: FhirTransaction,
  establishmentId: string,
  monthName: string | undefined,
): Promise<Parameters> {
  const organization = await tx.whole.read('Organization', establishmentId);
  const settings = establishmentSettings(organization);
  const { timeZone } = settings.delays;
  const month = monthName === undefined ? monthOf(tx.context.now(), timeZone) : monthNamed(monthName, timeZone);
  if (month === undefined)
    throw refusal(422, 'invalid', 'The month is YYYY-MM', 'Le mois s’écrit AAAA-MM.', 'Parameters.parameter');
  const schedules = await schedulesOf(tx, establishmentId, month);
  const publication = schedules.map((schedule) => publicationOf(schedule)).find((each) => each !== undefined);
  const shifts = inOrder(await shiftsOf(tx.sql, tx.context.tenant, establishmentId, month));
  const counting = new Set((await countingShifts(tx, establishmentId, month)).map(({ slotId }) => slotId));
  const names = new Map<string, string>();
  for (const id of new Set(shifts.map(({ practitionerId }) => practitionerId)))
    names.set(id, nameOf(await tx.whole.find('Practitioner', id), id));
  const { changes, late } = await changesOf(tx, establishmentId, month);
  return {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'establishment',
        valueReference: { reference: `Organization/${establishmentId}`, display: organization.name },
      },
      { name: 'month', valueString: month.name },
      { name: 'timeZone', valueCode: timeZone },
      { name: 'start', valueInstant: month.start.toISOString() },
      { name: 'end', valueInstant: month.end.toISOString() },
      { name: 'publishBefore', valueInstant: latestNotice(month.start, timeZone).toISOString() },
      ...(publication
        ? [
            { name: 'published', valueInstant: publication.at.toISOString() },
            { name: 'late', valueBoolean: publication.late },
          ]
        : []),
      { name: 'changes', valueInteger: changes },
      { name: 'lateChanges', valueInteger: late },
      ...shifts.map(
        ({ slotId, kind, practitionerId, start, end, published }): ParametersParameter => ({
          name: 'shift',
          part: [
            { name: 'slot', valueReference: { reference: `Slot/${slotId}` } },
            { name: 'kind', valueCode: kind },
            {
              name: 'practitioner',
              valueReference: { reference: `Practitioner/${practitionerId}`, display: names.get(practitionerId) ?? '' },
            },
            { name: 'start', valueInstant: start.toISOString() },
            { name: 'end', valueInstant: end.toISOString() },
            { name: 'published', valueBoolean: published },
            // A published shift that nobody can keep: its reader is excluded, or a certificate has ended.
            ...(published && !counting.has(slotId) ? [{ name: 'void', valueBoolean: true }] : []),
          ],
        }),
      ),
      ...warningParts(await warningsOf(tx, establishmentId, month, settings)),
    ],
  };
}
