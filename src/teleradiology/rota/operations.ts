/** Operations on rotas (docs/rota.md): what the pages of this application do, any FHIR client can. */
import type { Parameters } from '@medplum/fhirtypes';
import { FhirError, type Operation } from '../../fhir/index.ts';
import { text } from '../operations/parameters.ts';
import { idGiven, idRequired, instantGiven, instantRequired, textRequired } from '../people/operation-input.ts';
import type { Teller } from '../people/tell.ts';
import { askSwap } from './ask-swap.ts';
import { type DutyKind, dutyKinds } from './duty.ts';
import { monthView } from './month-view.ts';
import { onDuty } from './on-duty.ts';
import { type PlannedHours, planDuty, swap } from './plan.ts';
import { publish } from './publish.ts';
import type { Publishing } from './publishing.ts';

export function rotaOperations(room: Teller, publishing: Publishing): Operation[] {
  const onOrganization = { type: 'Organization', level: 'instance', seesWhole: true } as const;
  return [
    {
      ...onOrganization,
      name: 'on-duty',
      affectsState: false,
      run: ({ tx, id = '', parameters }) => onDuty(tx, id, instantGiven(parameters, 'at') ?? tx.context.now()),
    },
    {
      ...onOrganization,
      name: 'rota',
      affectsState: false,
      run: ({ tx, id = '', parameters }) => monthView(tx, id, text(parameters, 'month')),
    },
    {
      ...onOrganization,
      name: 'plan-duty',
      affectsState: true,
      run: ({ tx, id = '', parameters }) =>
        planDuty(publishing, tx, id, {
          practitionerId: idRequired(parameters, 'practitioner', 'Practitioner'),
          kind: kindGiven(parameters),
          hours: hoursGiven(parameters),
        }),
    },
    {
      type: 'Slot',
      level: 'instance',
      seesWhole: true,
      name: 'swap',
      affectsState: true,
      run: ({ tx, id = '', parameters }) => swap(publishing, tx, id, taker(parameters)),
    },
    {
      type: 'Slot',
      level: 'instance',
      seesWhole: true,
      name: 'ask-swap',
      affectsState: true,
      run: ({ tx, id = '', parameters }) =>
        askSwap(room, tx, id, {
          otherSlotId: idGiven(parameters, 'with', 'Slot'),
          practitionerId: idGiven(parameters, 'to', 'Practitioner'),
          reason: text(parameters, 'reason')?.trim(),
        }),
    },
    {
      type: 'Schedule',
      level: 'type',
      name: 'publish',
      affectsState: true,
      run: ({ tx, parameters }) =>
        publish(
          room,
          publishing,
          tx,
          idRequired(parameters, 'establishment', 'Organization'),
          textRequired(parameters, 'month'),
        ),
    },
  ];
}

function kindGiven(parameters: Parameters): DutyKind {
  const given = text(parameters, 'kind') ?? 'radiologist';
  const kind = dutyKinds.find((each) => each === given);
  if (kind !== undefined) return kind;
  throw new FhirError(400, 'invalid', `The kind of duty is one of ${dutyKinds.join(', ')}`, 'Parameters.parameter');
}

/** Two instants, or a day with two hours of the clock on the establishment's wall. */
function hoursGiven(parameters: Parameters): PlannedHours {
  const day = text(parameters, 'day');
  if (day === undefined)
    return { start: instantRequired(parameters, 'start'), end: instantRequired(parameters, 'end') };
  const [from, to] = [textRequired(parameters, 'from'), textRequired(parameters, 'to')];
  const isHour = (hour: string): boolean => /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/.test(hour);
  if (!isCalendarDay(day) || !isHour(from) || from === '24:00' || !isHour(to))
    throw new FhirError(400, 'invalid', 'A shift is a day YYYY-MM-DD with hours HH:MM', 'Parameters.parameter');
  return { day, from, to };
}

function isCalendarDay(day: string): boolean {
  const instant = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(day);
}

function taker(parameters: Parameters): { slotId: string } | { practitionerId: string } {
  const slotId = idGiven(parameters, 'with', 'Slot');
  if (slotId !== undefined) return { slotId };
  return { practitionerId: idRequired(parameters, 'to', 'Practitioner') };
}
