/** A rota: one Schedule per person, kind of duty, establishment and month (https://hl7.org/fhir/R4/schedule.html). */
import type { HealthcareService, Organization, Schedule } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { concept, passerelle } from '../codes.ts';
import { refusal } from '../people/entitled.ts';
import { readerRole } from '../people/reader-role.ts';
import { type EstablishmentSettings, establishmentSettings } from '../settings.ts';
import { idOf } from '../shell/case-task.ts';
import { type Month, monthNamed, monthOf } from './calendar.ts';
import { type DutyKind, dutyKindOf, dutyNames, dutySystem, type Publication, publicationOf } from './duty.ts';

const dayMs = 86_400_000;
const rotaSystem = `${passerelle}/sid/rota`;
const serviceSystem = `${passerelle}/sid/duty-service`;

/** What a rota's Schedule says, resolved. */
export interface Rota {
  scheduleId: string;
  kind: DutyKind;
  roleId: string;
  practitionerId: string;
  establishment: Organization & { id: string };
  settings: EstablishmentSettings;
  /** Month of the establishment's calendar its planning horizon begins in. */
  month: Month;
  publication?: Publication;
}

type StoredSchedule = Schedule & { id: string };

/**
 * @returns undefined for a Schedule that is no rota.
 * @throws FhirError 422 for a rota that does not say whose it is, where, or of which month.
 */
export async function rotaOf(tx: FhirTransaction, schedule: Schedule | undefined): Promise<Rota | undefined> {
  const kind = dutyKindOf(schedule);
  if (schedule === undefined || kind === undefined) return undefined;
  const roles = schedule.actor.flatMap((actor) => idOf(actor, 'PractitionerRole') ?? []);
  const services = schedule.actor.flatMap((actor) => idOf(actor, 'HealthcareService') ?? []);
  const [roleId, serviceId] = [roles[0], services[0]];
  if (
    roleId === undefined ||
    serviceId === undefined ||
    roles.length + services.length !== schedule.actor.length ||
    schedule.actor.length !== 2
  )
    throw wrong('A rota has two actors: a PractitionerRole and a HealthcareService', 'Schedule.actor');
  const [role, service] = [await tx.find('PractitionerRole', roleId), await tx.find('HealthcareService', serviceId)];
  const practitionerId = idOf(role?.practitioner, 'Practitioner');
  const establishmentId = idOf(service?.providedBy, 'Organization');
  if (practitionerId === undefined)
    throw wrong('The PractitionerRole of a rota names its Practitioner', 'Schedule.actor');
  const establishment = establishmentId === undefined ? undefined : await tx.find('Organization', establishmentId);
  if (establishment === undefined)
    throw wrong('The HealthcareService of a rota is provided by an establishment', 'Schedule.actor');
  const settings = establishmentSettings(establishment);
  const month = monthOfHorizon(schedule, settings.delays.timeZone);
  if (month === undefined) throw wrong('The planning horizon of a rota is its month', 'Schedule.planningHorizon');
  const publication = publicationOf(schedule);
  return {
    scheduleId: schedule.id ?? '',
    kind,
    roleId,
    practitionerId,
    establishment: establishment as Rota['establishment'],
    settings,
    month,
    ...(publication ? { publication } : {}),
  };
}

function wrong(diagnostics: string, expression: string) {
  return refusal(
    422,
    'business-rule',
    diagnostics,
    'Ce tableau de garde ne dit pas clairement pour qui, pour quel établissement ou pour quel mois il vaut.',
    expression,
  );
}

/** Month a planning horizon begins in: an instant, or a day or month of the establishment's own calendar. */
function monthOfHorizon({ planningHorizon }: Pick<Schedule, 'planningHorizon'>, timeZone: string): Month | undefined {
  const start = planningHorizon?.start ?? '';
  if (/^\d{4}-\d{2}(-\d{2})?$/.test(start)) return monthNamed(start.slice(0, 7), timeZone);
  const instant = new Date(start);
  return start.includes('T') && !Number.isNaN(instant.getTime()) ? monthOf(instant, timeZone) : undefined;
}

/** Rotas of an establishment that cover a month; all kinds and people. */
export async function schedulesOf(
  tx: FhirTransaction,
  establishmentId: string,
  month: Month,
): Promise<StoredSchedule[]> {
  const services = await tx.whole.search('HealthcareService', `organization=Organization/${establishmentId}`);
  const actors = services.map(({ id }) => `HealthcareService/${id}`).join(',');
  if (actors === '') return [];
  // A day more on each side: a horizon may be written in days, which begin elsewhere first.
  const [from, to] = [month.start.getTime() - dayMs, month.end.getTime() + dayMs].map((at) =>
    new Date(at).toISOString(),
  );
  const found = await tx.whole.search('Schedule', `actor=${actors}&date=ge${from}&date=lt${to}&_count=1000`);
  const { timeZone } = establishmentSettings(await tx.whole.find('Organization', establishmentId)).delays;
  return (found as StoredSchedule[]).filter(
    (schedule) => dutyKindOf(schedule) !== undefined && monthOfHorizon(schedule, timeZone)?.name === month.name,
  );
}

type StoredService = HealthcareService & { id: string };

/** The service of an establishment that its rotas cover; undefined until its first rota. */
export async function dutyService(tx: FhirTransaction, establishmentId: string): Promise<StoredService | undefined> {
  const known = await tx.whole.search('HealthcareService', `organization=Organization/${establishmentId}&_sort=_id`);
  return (known.find((service) => service.active !== false) ?? known[0]) as StoredService | undefined;
}

/** Made when there is none: around the clock until somebody says otherwise. */
async function dutyServiceMade(tx: FhirTransaction, establishmentId: string): Promise<StoredService> {
  const known = await dutyService(tx, establishmentId);
  if (known !== undefined) return known;
  const service: HealthcareService = {
    resourceType: 'HealthcareService',
    identifier: [{ system: serviceSystem, value: establishmentId }],
    active: true,
    providedBy: { reference: `Organization/${establishmentId}` },
    name: 'Téléradiologie',
  };
  const criteria = `identifier=${encodeURIComponent(`${serviceSystem}|${establishmentId}`)}`;
  return (await tx.whole.createIfNone(service, criteria)).resource as StoredService;
}

/** PractitionerRole code under which somebody is on each kind of duty. */
const roleCode: Readonly<Record<DutyKind, string>> = {
  radiologist: 'radiologist',
  coordinator: 'coordinator',
  'deputy-coordinator': 'coordinator',
};

/** The Schedule of a person for a kind of duty in a month, made with what it needs when there is none. */
export async function scheduleFor(
  tx: FhirTransaction,
  establishmentId: string,
  practitionerId: string,
  kind: DutyKind,
  month: Month,
): Promise<StoredSchedule> {
  const service = await dutyServiceMade(tx, establishmentId);
  const role = await readerRole(tx, practitionerId, establishmentId, roleCode[kind]);
  const value = `${establishmentId}.${month.name}.${kind}.${role.id}`;
  const schedule: Schedule = {
    resourceType: 'Schedule',
    identifier: [{ system: rotaSystem, value }],
    active: true,
    serviceType: [{ ...concept(dutySystem, kind), text: dutyNames[kind] }],
    actor: [
      { reference: `PractitionerRole/${role.id}`, display: role.practitioner?.display },
      { reference: `HealthcareService/${service.id}` },
    ],
    planningHorizon: { start: month.start.toISOString(), end: month.end.toISOString() },
  };
  const same = (await schedulesOf(tx, establishmentId, month)).find(
    (each) =>
      dutyKindOf(each) === kind && each.actor.some(({ reference }) => reference === `PractitionerRole/${role.id}`),
  );
  if (same) return same;
  const criteria = `identifier=${encodeURIComponent(`${rotaSystem}|${value}`)}`;
  return (await tx.whole.createIfNone(schedule, criteria)).resource as StoredSchedule;
}
