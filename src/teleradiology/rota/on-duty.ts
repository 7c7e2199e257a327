/** `Organization/[id]/$on-duty`: whom the telephone operator calls now (CM-3), and until when. Nothing of a patient. */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { contactOf, nameOf } from '../people/names.ts';
import { establishmentSettings } from '../settings.ts';
import { countingShifts } from './counting.ts';
import { dutyKinds } from './duty.ts';
import type { Shift } from './shift-rows.ts';

const hourMs = 3_600_000;
/** How far ahead the next radiologist is looked for. */
const aheadMs = 7 * 24 * hourMs;

export async function onDuty(tx: FhirTransaction, establishmentId: string, at: Date): Promise<Parameters> {
  const organization = await tx.whole.read('Organization', establishmentId);
  const ahead = await countingShifts(tx, establishmentId, { start: at, end: new Date(at.getTime() + aheadMs) });
  // The coordinator is called when no radiologist is on duty or answers, the deputy after the coordinator.
  const now = dutyKinds.flatMap((kind) => ahead.filter((shift) => shift.kind === kind && shift.start <= at));
  const next = ahead.find(({ kind, start }) => kind === 'radiologist' && start > at);
  const parts: ParametersParameter[] = [];
  for (const shift of now) parts.push(await partOf(tx, 'duty', shift, ahead));
  if (!now.some(({ kind }) => kind === 'radiologist') && next !== undefined)
    parts.push(await partOf(tx, 'next', next, ahead));
  return {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'establishment',
        valueReference: { reference: `Organization/${establishmentId}`, display: organization.name },
      },
      { name: 'at', valueInstant: at.toISOString() },
      { name: 'timeZone', valueCode: establishmentSettings(organization).delays.timeZone },
      { name: 'covered', valueBoolean: now.some(({ kind }) => kind === 'radiologist') },
      ...parts,
    ],
  };
}

async function partOf(
  tx: FhirTransaction,
  name: 'duty' | 'next',
  shift: Shift,
  ahead: readonly Shift[],
): Promise<ParametersParameter> {
  const role = await tx.whole.find('PractitionerRole', shift.roleId);
  const practitioner = await tx.whole.find('Practitioner', shift.practitionerId);
  const phone = contactOf('phone', role, practitioner);
  const email = contactOf('email', role, practitioner);
  return {
    name,
    part: [
      { name: 'kind', valueCode: shift.kind },
      {
        name: 'practitioner',
        valueReference: {
          reference: `Practitioner/${shift.practitionerId}`,
          display: nameOf(practitioner, shift.practitionerId),
        },
      },
      ...(phone ? [{ name: 'phone', valueString: phone }] : []),
      ...(email ? [{ name: 'email', valueString: email }] : []),
      { name: 'since', valueInstant: shift.start.toISOString() },
      { name: 'until', valueInstant: endOf(shift, ahead).toISOString() },
    ],
  };
}

/** A shift that the same person's next one follows without a break ends with that. */
function endOf(shift: Shift, ahead: readonly Shift[]): Date {
  const following = ahead.find(
    (other) =>
      other.practitionerId === shift.practitionerId &&
      other.kind === shift.kind &&
      other.start <= shift.end &&
      other.end > shift.end,
  );
  return following === undefined ? shift.end : endOf(following, ahead);
}
