/** `Slot/[id]/$ask-swap`: somebody on the rota asks to be relieved; the coordinators decide, by `$swap` (CM-2). */
import type { Parameters } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { refusal } from '../people/entitled.ts';
import { nameOf } from '../people/names.ts';
import { type Teller, tellStaff } from '../people/tell.ts';
import { establishmentSettings } from '../settings.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { frenchInstant, localParts } from './calendar.ts';
import { dutyNames } from './duty.ts';
import { requireShift } from './plan.ts';
import type { Shift } from './shift-rows.ts';

export interface AskedSwap {
  /** The shift taken in exchange, or who would take this one; neither when the coordinators are to find somebody. */
  otherSlotId?: string;
  practitionerId?: string;
  reason?: string;
}

/** @throws FhirError 403 for a shift of somebody else, 404, 422 for one that has begun. */
export async function askSwap(
  room: Teller,
  tx: FhirTransaction,
  slotId: string,
  { otherSlotId, practitionerId, reason }: AskedSwap,
): Promise<Parameters> {
  const shift = await requireShift(tx, slotId);
  const own = `Practitioner/${shift.practitionerId}`;
  if (tx.context.actor.reference !== own)
    throw refusal(403, 'forbidden', 'A swap is asked by who is on duty', 'On ne demande l’échange que de ses gardes.');
  if (shift.start <= tx.context.now())
    throw refusal(422, 'business-rule', 'The shift has begun', 'Cette garde a commencé : appelez le coordonnateur.');
  const other = otherSlotId === undefined ? undefined : await requireShift(tx, otherSlotId);
  const taker = other?.practitionerId ?? practitionerId;
  const organization = await tx.whole.read('Organization', shift.establishmentId);
  const { timeZone } = establishmentSettings(organization).delays;
  const platform = await anyPlatformId(tx.whole);
  const name = async (id: string): Promise<string> => nameOf(await tx.whole.find('Practitioner', id), id);
  const when = ({ start, end }: Shift): string =>
    `du ${frenchInstant(start, timeZone)} au ${frenchInstant(end, timeZone)}`;
  const text = [
    `${organization.name ?? shift.establishmentId} : ${await name(shift.practitionerId)} demande l’échange de sa garde (${dutyNames[shift.kind]}) ${when(shift)}`,
    other === undefined ? '' : ` contre celle ${when(other)}`,
    taker === undefined ? '' : ` avec ${await name(taker)}`,
    '.',
    reason ? ` Motif : ${reason}` : '',
  ];
  await tellStaff(room, tx, {
    category: 'rota-swap',
    text: text.join(''),
    recipients: [
      platform === undefined ? `Organization/${shift.establishmentId}` : `Organization/${platform}`,
      taker === undefined ? undefined : `Practitioner/${taker}`,
      own,
    ],
    about: [`Slot/${slotId}`, ...(other ? [`Slot/${other.slotId}`] : [])],
    establishment: shift.establishmentId,
    notice: {
      template: 'rota-swap',
      values: {
        professional: own,
        establishment: `Organization/${shift.establishmentId}`,
        day: localParts(shift.start, timeZone).day,
      },
    },
  });
  return { resourceType: 'Parameters', parameter: [{ name: 'asked', valueBoolean: true }] };
}
