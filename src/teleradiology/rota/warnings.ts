/** What somebody who plans a month must know before they publish it: holes, and people who will be tired (CM-2). Never refused for it. */
import type { ParametersParameter } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { nameOf } from '../people/names.ts';
import { frenchInstant, type Month, type Stretch } from './calendar.ts';
import { gapsIn, hoursPromised } from './cover.ts';
import { dutyKinds, dutyNames } from './duty.ts';
import { type Fatigue, fatigueIn } from './fatigue.ts';
import type { Rota } from './schedule.ts';
import { dutyService } from './schedule.ts';
import { type Shift, shiftsOf, shiftsOfPeople } from './shift-rows.ts';

export interface Warning extends Stretch {
  code: Fatigue['code'] | 'gap';
  text: string;
  practitioner?: string;
}

const weekMs = 7 * 86_400_000;

/** Provisional shifts cover as firm ones do: a month is judged as it is planned. */
export async function warningsOf(
  tx: FhirTransaction,
  establishmentId: string,
  month: Month,
  settings: Rota['settings'],
): Promise<Warning[]> {
  const { tenant } = tx.context;
  const { timeZone } = settings.delays;
  const planned = await shiftsOf(tx.sql, tenant, establishmentId, month);
  const people = [...new Set(planned.map(({ practitionerId }) => practitionerId))];
  const names = new Map<string, string>();
  for (const id of people) names.set(id, nameOf(await tx.whole.find('Practitioner', id), id));
  const around = { start: new Date(month.start.getTime() - weekMs), end: new Date(month.end.getTime() + weekMs) };
  // Who coordinates is called at home and rests meanwhile (Code du travail L3121-9); who reads does not.
  const worked = (await shiftsOfPeople(tx.sql, tenant, people, around)).filter(({ kind }) => kind === 'radiologist');
  const fatigue = fatigueIn(
    worked.map((shift) => ({ ...shift, practitioner: shift.practitionerId, establishment: shift.establishmentId })),
    timeZone,
  ).filter(({ start, end }) => start < month.end && end > month.start);
  return [
    ...(await gapWarnings(tx, establishmentId, month, settings, planned)),
    ...fatigue.map((each): Warning => fatigueWarning(each, names.get(each.practitioner) ?? '', timeZone)),
  ];
}

/** Holes in the cover by radiologists, and in that by somebody who coordinates. */
async function gapWarnings(
  tx: FhirTransaction,
  establishmentId: string,
  month: Month,
  { delays: { timeZone, holidays } }: Rota['settings'],
  planned: readonly Shift[],
): Promise<Warning[]> {
  const needed = hoursPromised(await dutyService(tx, establishmentId), month, timeZone, holidays);
  const covers = [
    { who: dutyNames.radiologist, shifts: planned.filter(({ kind }) => kind === 'radiologist') },
    { who: dutyNames.coordinator, shifts: planned.filter(({ kind }) => kind !== 'radiologist') },
  ];
  return covers.flatMap(({ who, shifts }) =>
    gapsIn(needed, shifts).map(
      ({ start, end }): Warning => ({
        code: 'gap',
        start,
        end,
        text: `Aucun ${who.toLowerCase()} du ${frenchInstant(start, timeZone)} au ${frenchInstant(end, timeZone)}.`,
      }),
    ),
  );
}

function fatigueWarning({ code, practitioner, start, end, hours }: Fatigue, name: string, timeZone: string): Warning {
  const when = `du ${frenchInstant(start, timeZone)} au ${frenchInstant(end, timeZone)}`;
  const much = `${Number(hours.toFixed(1))} h`.replace('.', ',');
  const texts: Readonly<Record<Fatigue['code'], string>> = {
    overlap: `${name} : deux gardes à la fois ${when}.`,
    'long-stretch': `${name} : ${much} de garde d’affilée ${when}.`,
    'short-rest': `${name} : ${much} de repos seulement ${when}.`,
    'long-week': `${name} : ${much} de garde dans la semaine ${when}.`,
  };
  return { code, start, end, practitioner, text: texts[code] };
}

export function warningParts(warnings: readonly Warning[]): ParametersParameter[] {
  return warnings.map(({ code, text, start, end, practitioner }) => ({
    name: 'warning',
    part: [
      { name: 'code', valueCode: code },
      { name: 'text', valueString: text },
      { name: 'start', valueInstant: start.toISOString() },
      { name: 'end', valueInstant: end.toISOString() },
      ...(practitioner
        ? [{ name: 'practitioner', valueReference: { reference: `Practitioner/${practitioner}` } }]
        : []),
    ],
  }));
}

/** In the order of the calls: kinds first, then time. */
export function inOrder(shifts: readonly Shift[]): Shift[] {
  return shifts.toSorted(
    (a, b) => a.start.getTime() - b.start.getTime() || dutyKinds.indexOf(a.kind) - dutyKinds.indexOf(b.kind),
  );
}
