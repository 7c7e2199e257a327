/** The rota of the demonstration hospital (CM-2): three radiologists in turn, a coordinator, a deputy; this month, and the next from the 20th on. */
import type { HealthcareService, PractitionerRole, Schedule, Slot } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import {
  type DutyKind,
  daysOf,
  dutyNames,
  dutySystem,
  type Month,
  monthAfter,
  monthOf,
  publicationExtension,
  shiftOn,
} from '../../teleradiology/index.ts';
import { demoPeople, displayOf } from './people.ts';

const hospital = 'ch-exemple';
const timeZone = 'Europe/Paris';
const roleSystem = 'https://fhir.passerelle.example/CodeSystem/role';
const dayMs = 86_400_000;
/** Where the deputy is called while on duty; from the range kept for fiction. */
const deputyPhone = '0199000049';

/** Who is on duty as what; a day each, in turn. */
const duties: readonly { kind: DutyKind; role: string; people: readonly string[] }[] = [
  { kind: 'radiologist', role: 'radiologist', people: ['radiologue', 'radiologue2', 'radiologue3'] },
  { kind: 'coordinator', role: 'coordinator', people: ['coordonnateur'] },
  { kind: 'deputy-coordinator', role: 'coordinator', people: ['qualite'] },
];

const service: HealthcareService & { id: string } = {
  resourceType: 'HealthcareService',
  id: `teleradiologie-${hospital}`,
  active: true,
  providedBy: { reference: `Organization/${hospital}` },
  name: 'Téléradiologie',
};

/** Adds what is not there yet; a rota somebody changed stays as it is. */
export async function seedRota(tx: FhirTransaction, now: Date): Promise<void> {
  if (!(await tx.find('HealthcareService', service.id))) await tx.create(service);
  for (const { role, people } of duties) for (const person of people) await seedRole(tx, person, role);
  const month = monthOf(now, timeZone);
  const isNextKnown = now.getTime() - month.start.getTime() > 19 * dayMs;
  const before = monthOf(new Date(month.start.getTime() - 1), timeZone);
  const isFirst = !(await tx.find('Schedule', scheduleId(before, 'radiologist', 'radiologue')));
  await seedMonth(tx, month, now, isFirst);
  if (isNextKnown) await seedMonth(tx, monthAfter(month, timeZone), now, false);
}

const scheduleId = (month: Month, kind: DutyKind, person: string): string => `garde-${month.name}-${kind}-${person}`;

const roleId = (person: string): string => `${person}-${hospital}`;

async function seedRole(tx: FhirTransaction, person: string, code: string): Promise<void> {
  if (await tx.find('PractitionerRole', roleId(person))) return;
  const role: PractitionerRole & { id: string } = {
    resourceType: 'PractitionerRole',
    id: roleId(person),
    active: true,
    practitioner: { reference: `Practitioner/${person}`, display: nameOf(person) },
    organization: { reference: `Organization/${hospital}` },
    code: [{ coding: [{ system: roleSystem, code }] }],
    ...(person === 'qualite' ? { telecom: [{ system: 'phone', use: 'work', value: deputyPhone }] } : {}),
  };
  await tx.create(role);
}

function nameOf(login: string): string {
  const person = demoPeople.find((each) => each.login === login);
  return person ? displayOf(person) : login;
}

/** Published ten days before its month, as the contract asks. */
async function seedMonth(tx: FhirTransaction, month: Month, now: Date, isFirst: boolean): Promise<void> {
  const published = new Date(Math.min(now.getTime(), month.start.getTime() - 10 * dayMs));
  for (const { kind, people } of duties) {
    for (const [turn, person] of people.entries()) {
      const id = scheduleId(month, kind, person);
      if (await tx.find('Schedule', id)) continue;
      await tx.create<Schedule & { id: string }>({
        resourceType: 'Schedule',
        id,
        active: true,
        serviceType: [{ coding: [{ system: dutySystem, code: kind }], text: dutyNames[kind] }],
        actor: [
          { reference: `PractitionerRole/${roleId(person)}`, display: nameOf(person) },
          { reference: `HealthcareService/${service.id}` },
        ],
        planningHorizon: { start: month.start.toISOString(), end: month.end.toISOString() },
        extension: [publicationExtension({ at: published, late: false })],
      });
      const isTurn = (dayNumber: number): boolean => dayNumber % people.length === turn;
      const [first = '', ...others] = daysOf(month);
      // Nobody was planned the day before the first month: its morning is whose turn that was.
      if (isFirst && isTurn(numberOf(first) - 1))
        await tx.create<Slot>(slotOf(id, kind, month.start, shiftOn(first, '08:00', '08:00', timeZone).start));
      for (const day of [first, ...others].filter((each) => isTurn(numberOf(each)))) {
        const { start, end } = shiftOn(day, '08:00', '08:00', timeZone);
        await tx.create<Slot>(slotOf(id, kind, start, end));
      }
    }
  }
}

/** Days since 1970, so that turns go on from one month to the next. */
const numberOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / dayMs;

function slotOf(schedule: string, kind: DutyKind, start: Date, end: Date): Slot {
  return {
    resourceType: 'Slot',
    schedule: { reference: `Schedule/${schedule}` },
    serviceType: [{ coding: [{ system: dutySystem, code: kind }], text: dutyNames[kind] }],
    status: 'busy',
    start: start.toISOString(),
    end: end.toISOString(),
  };
}
