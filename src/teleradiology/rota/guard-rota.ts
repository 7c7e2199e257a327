/** Every write of a rota, by operation or by plain REST, goes through the same rules (CM-2, CM-4, CM-5), before it is committed. */
import type { HealthcareService, Schedule, Slot } from '@medplum/fhirtypes';
import type { Change, FhirTransaction } from '../../fhir/index.ts';
import { credentialsHeld } from '../people/credential-rows.ts';
import { refusal, requireMember } from '../people/entitled.ts';
import { credentialsOver, qualificationNames, qualificationsWanting } from '../people/qualification.ts';
import { readerStanding } from '../people/reader-standing.ts';
import { idOf } from '../shell/case-task.ts';
import type { Shell } from '../shell/perform.ts';
import { frenchInstant } from './calendar.ts';
import { noteChange } from './changes.ts';
import { dutyKindOf, publicationOf } from './duty.ts';
import { watchPublication } from './publication-watch.ts';
import type { Publishing } from './publishing.ts';
import { type Rota, rotaOf } from './schedule.ts';
import { findShift, forgetShift, keepShift, type Shift, shiftsOfSchedule } from './shift-rows.ts';

const hourMs = 3_600_000;
/** Whoever plans more than a week end in one go has mistaken a date. */
const longestShiftHours = 72;

export async function guardRota(
  shell: Shell,
  publishing: Publishing,
  change: Change,
  tx: FhirTransaction,
): Promise<void> {
  if (change.type === 'Schedule') return scheduleWritten(publishing, change, tx);
  if (change.type === 'Slot') return slotWritten(shell, publishing, change, tx);
  if (change.type === 'HealthcareService') return serviceWritten(change, tx);
}

/** Whose rotas a service's are was checked when they were planned: another establishment would get them unseen. */
async function serviceWritten(change: Change, tx: FhirTransaction): Promise<void> {
  const [before, after] = [change.before, change.after] as (HealthcareService | undefined)[];
  if (before === undefined || before.providedBy?.reference === after?.providedBy?.reference) return;
  const schedules = await tx.search('Schedule', `actor=HealthcareService/${change.id}&_count=1000`);
  if (schedules.some((schedule) => dutyKindOf(schedule) !== undefined))
    throw refusal(
      422,
      'business-rule',
      'A service with rotas stays with its establishment, and is not deleted',
      'Ce service a des tableaux de garde : il reste à son établissement. Créez-en un autre.',
      'HealthcareService.providedBy',
    );
}

async function scheduleWritten(publishing: Publishing, change: Change, tx: FhirTransaction): Promise<void> {
  const [before, after] = [change.before, change.after] as (Schedule | undefined)[];
  if (dutyKindOf(before) === undefined && dutyKindOf(after) === undefined) return;
  const rota = await rotaOf(tx, after ?? before);
  if (rota === undefined || (before !== undefined && meaning(before) !== (after && meaning(after)))) {
    const shifts = await shiftsOfSchedule(tx.sql, tx.context.tenant, change.id);
    if (shifts.length > 0)
      throw refusal(
        422,
        'business-rule',
        'A rota with shifts keeps its person, its establishment, its kind and its month, and is not deleted',
        'Ce tableau porte des gardes : il garde sa personne, son établissement et son mois, et ne se supprime pas.',
        'Schedule.actor',
      );
  }
  if (rota === undefined) return;
  requireMember(tx, rota.establishment.id);
  const [was, is] = [publicationOf(before), publicationOf(after)].map((each) => each && JSON.stringify(each));
  if (was !== is && after !== undefined && !publishing.isOurs(tx))
    throw refusal(
      422,
      'business-rule',
      'A rota is published by Schedule/$publish, and stays published',
      'Un tableau se publie par l’opération $publish, et le reste.',
      'Schedule.extension',
    );
  if (change.interaction === 'create') await watchPublication(tx, rota);
}

/** What must not change under shifts. */
const meaning = (schedule: Schedule): string =>
  JSON.stringify([dutyKindOf(schedule), schedule.actor.map(({ reference }) => reference), schedule.planningHorizon]);

async function slotWritten(shell: Shell, publishing: Publishing, change: Change, tx: FhirTransaction): Promise<void> {
  const { tenant } = tx.context;
  const before = await findShift(tx.sql, tenant, change.id);
  const after = change.after as Slot | undefined;
  const schedule = idOf(after?.schedule, 'Schedule');
  const rota = await rotaOf(tx, schedule === undefined ? undefined : await tx.find('Schedule', schedule));
  if (before === undefined && rota === undefined) return;
  requireMember(tx, before?.establishmentId ?? rota?.establishment.id ?? '');
  if (before !== undefined && rota !== undefined && rota.establishment.id !== before.establishmentId)
    throw refusal(
      422,
      'business-rule',
      'A shift stays with its establishment',
      'Une garde reste à son établissement : retirez-la et créez-en une autre.',
      'Slot.schedule',
    );
  const shift = after === undefined || rota === undefined || isWithdrawn(after) ? undefined : shiftOf(after, rota);
  if (sameShift(before, shift)) return;
  await refusePast(tx, before, shift);
  if (shift !== undefined && rota !== undefined) {
    checkSlot(after as Slot, shift, rota);
    await checkPerson(tx, shift, rota);
    await keepShift(tx.sql, tenant, shift);
  } else await forgetShift(tx.sql, tenant, change.id);
  if (!publishing.isOurs(tx)) await noteChange(shell, tx, before, shift);
}

const isWithdrawn = (slot: Slot): boolean => slot.status === 'entered-in-error';

function shiftOf(slot: Slot, rota: Rota): Shift {
  return {
    slotId: slot.id ?? '',
    scheduleId: rota.scheduleId,
    establishmentId: rota.establishment.id,
    practitionerId: rota.practitionerId,
    roleId: rota.roleId,
    kind: rota.kind,
    start: new Date(slot.start),
    end: new Date(slot.end),
    published: rota.publication !== undefined && slot.status === 'busy',
  };
}

function sameShift(before: Shift | undefined, after: Shift | undefined): boolean {
  const told = (shift: Shift | undefined) => shift && JSON.stringify({ ...shift, slotId: '' });
  return told(before) === told(after);
}

/** Who was on duty is evidence: what is over stays as it was. */
async function refusePast(tx: FhirTransaction, before: Shift | undefined, after: Shift | undefined): Promise<void> {
  const now = tx.context.now();
  const over = [before, after].some((shift) => shift?.published && shift.end <= now);
  if (!over || tx.context.actor.kind === 'system') return;
  throw refusal(
    422,
    'business-rule',
    'A shift that is over stays as it was',
    'Une garde terminée ne se modifie plus.',
    'Slot.end',
  );
}

function checkSlot(slot: Slot, { start, end }: Shift, { month, publication }: Rota): void {
  const hours = (end.getTime() - start.getTime()) / hourMs;
  if (!(hours > 0 && hours <= longestShiftHours))
    throw refusal(
      422,
      'business-rule',
      `A shift ends after it starts and lasts ${longestShiftHours} hours at most`,
      `Une garde finit après son début et dure ${longestShiftHours} heures au plus.`,
      'Slot.end',
    );
  if (start < month.start || start >= month.end)
    throw refusal(
      422,
      'business-rule',
      'A shift begins in the month of its rota',
      'Une garde commence dans le mois de son tableau.',
      'Slot.start',
    );
  const expected = publication === undefined ? 'busy-tentative' : 'busy';
  if (slot.status !== expected)
    throw refusal(
      422,
      'business-rule',
      `The status of a shift of this rota is ${expected}, or entered-in-error once withdrawn`,
      publication === undefined
        ? 'Une garde d’un tableau non publié est provisoire (busy-tentative).'
        : 'Une garde d’un tableau publié est ferme (busy) ; retirée, elle est entered-in-error.',
      'Slot.status',
    );
}

/** Who is refused by the establishment, or whose certificates do not last through the shift, is not planned (CM-4, CM-5). */
async function checkPerson(tx: FhirTransaction, shift: Shift, { settings }: Rota): Promise<void> {
  if (shift.kind !== 'radiologist') return;
  const { practitionerId, start, end } = shift;
  const now = tx.context.now();
  const practitioner = `Practitioner/${practitionerId}`;
  const { excluded } = await readerStanding(tx, practitioner, `Organization/${shift.establishmentId}`, now);
  if (excluded)
    throw refusal(
      422,
      'business-rule',
      'The establishment excluded this radiologist',
      'L’établissement a exclu ce radiologue : il ne peut pas être planifié.',
      'Slot.schedule',
    );
  const held = (await credentialsHeld(tx.sql, tx.context.tenant, [practitionerId])).get(practitionerId) ?? [];
  const credentials = credentialsOver(held, start, end);
  if (credentials === 'valid' || (credentials === 'missing' && !settings.credentialsRequired)) return;
  const names = qualificationsWanting(held, start, end).map((code) => qualificationNames[code]);
  const { timeZone } = settings.delays;
  throw refusal(
    422,
    'business-rule',
    `Qualifications not valid through the shift: ${qualificationsWanting(held, start, end).join(', ')}`,
    `Non planifiable du ${frenchInstant(start, timeZone)} au ${frenchInstant(end, timeZone)}, faute de pièce valable jusqu’au bout : ${names.join(', ')}.`,
    'Slot.schedule',
  );
}
