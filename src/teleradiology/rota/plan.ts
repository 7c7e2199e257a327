/** `Organization/[id]/$plan-duty` makes a shift with everything it needs; `Slot/[id]/$swap` gives shifts to others (CM-2). */
import type { Slot } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { concept } from '../codes.ts';
import { refusal, requireMember } from '../people/entitled.ts';
import { establishmentSettings } from '../settings.ts';
import { type Month, monthOf, type Stretch, shiftOn } from './calendar.ts';
import { type DutyKind, dutyNames, dutySystem, type Publication, publicationExtension, publicationOf } from './duty.ts';
import type { Publishing } from './publishing.ts';
import { scheduleFor, schedulesOf } from './schedule.ts';
import { findShift, type Shift } from './shift-rows.ts';

type StoredSlot = Slot & { id: string };

/** When a shift is: as instants, or as the clock on the establishment's wall shows (`shiftOn`). */
export type PlannedHours = Stretch | { day: string; from: string; to: string };

/** @throws FhirError 404, 422 as any write of a Slot. */
export async function planDuty(
  publishing: Publishing,
  tx: FhirTransaction,
  establishmentId: string,
  { practitionerId, kind, hours }: { practitionerId: string; kind: DutyKind; hours: PlannedHours },
): Promise<Slot> {
  requireMember(tx, establishmentId);
  await tx.lock(`rota:${establishmentId}`);
  const organization = await tx.whole.read('Organization', establishmentId);
  const { timeZone } = establishmentSettings(organization).delays;
  const { start, end } = 'day' in hours ? shiftOn(hours.day, hours.from, hours.to, timeZone) : hours;
  const month = monthOf(start, timeZone);
  const { scheduleId, publication } = await openSchedule(publishing, tx, establishmentId, practitionerId, kind, month);
  return tx.whole.create<Slot>({
    resourceType: 'Slot',
    schedule: { reference: `Schedule/${scheduleId}` },
    serviceType: [{ ...concept(dutySystem, kind), text: dutyNames[kind] }],
    status: publication === undefined ? 'busy-tentative' : 'busy',
    start: start.toISOString(),
    end: end.toISOString(),
  });
}

/** The person's Schedule of a month; in a month that is out it is out as well, and what is put into it is a change. */
async function openSchedule(
  publishing: Publishing,
  tx: FhirTransaction,
  establishmentId: string,
  practitionerId: string,
  kind: DutyKind,
  month: Month,
): Promise<{ scheduleId: string; publication: Publication | undefined }> {
  const schedule = await scheduleFor(tx, establishmentId, practitionerId, kind, month);
  const own = publicationOf(schedule);
  if (own !== undefined) return { scheduleId: schedule.id, publication: own };
  const others = await schedulesOf(tx, establishmentId, month);
  const publication = others.map((each) => publicationOf(each)).find((each) => each !== undefined);
  if (publication !== undefined)
    await publishing.within(tx, () =>
      tx.whole.update({ ...schedule, extension: [...(schedule.extension ?? []), publicationExtension(publication)] }),
    );
  return { scheduleId: schedule.id, publication };
}

/** @param other the shift taken in exchange, or who takes this one. */
export async function swap(
  publishing: Publishing,
  tx: FhirTransaction,
  slotId: string,
  other: { slotId: string } | { practitionerId: string },
): Promise<Slot> {
  const shift = await requireShift(tx, slotId);
  requireMember(tx, shift.establishmentId);
  await tx.lock(`rota:${shift.establishmentId}`);
  if ('practitionerId' in other) return handOver(publishing, tx, shift, other.practitionerId);
  const exchanged = await requireShift(tx, other.slotId);
  if (exchanged.establishmentId !== shift.establishmentId || exchanged.kind !== shift.kind)
    throw refusal(
      422,
      'business-rule',
      'Shifts are swapped within one establishment and one kind of duty',
      'On échange des gardes d’un même établissement et de même nature.',
    );
  await handOver(publishing, tx, exchanged, shift.practitionerId);
  return handOver(publishing, tx, shift, exchanged.practitionerId);
}

/** @throws FhirError 404 for what is no shift of a rota. */
export async function requireShift(tx: FhirTransaction, slotId: string): Promise<Shift> {
  const shift = await findShift(tx.sql, tx.context.tenant, slotId);
  if (shift !== undefined) return shift;
  throw refusal(404, 'not-found', `Slot/${slotId} is no shift of a rota`, 'Cette plage n’est pas une garde.');
}

/** The Slot moves to the Schedule of who takes it; the rest follows from the write (`guardRota`). */
async function handOver(
  publishing: Publishing,
  tx: FhirTransaction,
  shift: Shift,
  practitionerId: string,
): Promise<Slot> {
  const organization = await tx.whole.read('Organization', shift.establishmentId);
  const month = monthOf(shift.start, establishmentSettings(organization).delays.timeZone);
  const { establishmentId, kind } = shift;
  const { scheduleId, publication } = await openSchedule(publishing, tx, establishmentId, practitionerId, kind, month);
  const slot = (await tx.whole.read('Slot', shift.slotId)) as StoredSlot;
  return tx.whole.update({
    ...slot,
    schedule: { reference: `Schedule/${scheduleId}` },
    status: publication === undefined ? 'busy-tentative' : 'busy',
  });
}
