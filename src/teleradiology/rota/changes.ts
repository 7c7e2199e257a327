/** A change of a published rota: noted for the penalties when it comes late, and told to everybody concerned (CM-2). */
import { randomUUID } from 'node:crypto';
import type { FhirTransaction } from '../../fhir/index.ts';
import { nameOf } from '../people/names.ts';
import { type Teller, tellStaff } from '../people/tell.ts';
import { establishmentSettings } from '../settings.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { frenchInstant, isShortNotice, localParts, type Month, monthOf, type Stretch } from './calendar.ts';
import { dutyNames } from './duty.ts';
import { watchGaps } from './gaps.ts';
import type { Shift } from './shift-rows.ts';

export type ChangeKind = 'added' | 'moved' | 'handed-over' | 'withdrawn';

/** Nothing for shifts of a rota that nobody was shown. */
export async function noteChange(
  room: Teller,
  tx: FhirTransaction,
  before: Shift | undefined,
  after: Shift | undefined,
): Promise<void> {
  const published = [before, after].filter((shift) => shift?.published) as Shift[];
  const [first] = published;
  if (first === undefined) return;
  const organization = await tx.whole.find('Organization', first.establishmentId);
  const { timeZone } = establishmentSettings(organization).delays;
  const now = tx.context.now();
  const starts = published.reduce((earliest, { start }) => (start < earliest ? start : earliest), first.start);
  const late = isShortNotice(now, starts, timeZone);
  const kind = kindOf(before, after);
  await keepChange(tx, { kind, shift: first, starts, late, month: monthOf(starts, timeZone) });
  const gaps: Stretch[] = [];
  for (const month of monthsOf(published, timeZone)) gaps.push(...(await watchGaps(tx, first.establishmentId, month)));
  const uncovered = gaps.filter(({ start, end }) => published.some((shift) => start < shift.end && end > shift.start));
  const platform = await anyPlatformId(tx.whole);
  const text = [
    `${organization?.name ?? first.establishmentId} : ${await sentence(tx, kind, before, after, timeZone)}`,
    late ? 'Changement tardif : moins de sept jours avant la garde.' : '',
    uncovered.length > 0
      ? `Sans radiologue : ${uncovered.map(({ start, end }) => `du ${frenchInstant(start, timeZone)} au ${frenchInstant(end, timeZone)}`).join(', ')}.`
      : '',
  ];
  await tellStaff(room, tx, {
    category: 'rota-change',
    text: text.filter((part) => part !== '').join(' '),
    recipients: [
      ...published.map(({ practitionerId }) => `Practitioner/${practitionerId}`),
      `Organization/${first.establishmentId}`,
      platform === undefined ? undefined : `Organization/${platform}`,
    ],
    about: [`Slot/${first.slotId}`],
    establishment: first.establishmentId,
    urgent: late,
    notice: {
      template: 'rota-changed',
      values: { establishment: `Organization/${first.establishmentId}`, day: localParts(starts, timeZone).day },
    },
  });
}

/** Months that shifts touch: the last night of one is the first morning of the next. */
function monthsOf(shifts: readonly Shift[], timeZone: string): Iterable<Month> {
  const instants = shifts.flatMap(({ start, end }) => [start, new Date(end.getTime() - 1)]);
  const months = instants.map((instant) => monthOf(instant, timeZone));
  return new Map(months.map((month) => [month.name, month])).values();
}

function kindOf(before: Shift | undefined, after: Shift | undefined): ChangeKind {
  if (!before?.published) return 'added';
  if (!after?.published) return 'withdrawn';
  return before.practitionerId === after.practitionerId ? 'moved' : 'handed-over';
}

interface Kept {
  kind: ChangeKind;
  shift: Shift;
  starts: Date;
  late: boolean;
  month: Month;
}

async function keepChange(tx: FhirTransaction, { kind, shift, starts, late, month }: Kept): Promise<void> {
  const { tenant, actor } = tx.context;
  await tx.sql.query(
    `INSERT INTO duty_change (tenant, id, establishment_id, month, slot_id, change, starts_at, changed_at, late, changed_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      tenant,
      randomUUID(),
      shift.establishmentId,
      `${month.name}-01`,
      shift.slotId,
      kind,
      starts,
      tx.context.now(),
      late,
      actor.reference,
    ],
  );
}

async function sentence(
  tx: FhirTransaction,
  kind: ChangeKind,
  before: Shift | undefined,
  after: Shift | undefined,
  timeZone: string,
): Promise<string> {
  const who = async (shift: Shift | undefined): Promise<string> =>
    shift === undefined ? '' : nameOf(await tx.whole.find('Practitioner', shift.practitionerId), shift.practitionerId);
  const when = (shift: Shift | undefined): string =>
    shift === undefined ? '' : `du ${frenchInstant(shift.start, timeZone)} au ${frenchInstant(shift.end, timeZone)}`;
  const what = `garde (${dutyNames[(after ?? before)?.kind ?? 'radiologist']})`;
  switch (kind) {
    case 'added':
      return `${what} ajoutée ${when(after)}, ${await who(after)}.`;
    case 'withdrawn':
      return `${what} retirée ${when(before)}, ${await who(before)}.`;
    case 'moved':
      return `${what} de ${await who(after)} déplacée : ${when(after)}, au lieu de ${when(before)}.`;
    case 'handed-over':
      return `${what} ${when(after)} : ${await who(after)} à la place de ${await who(before)}.`;
  }
}

/** Changes of a published month: all of them, and those that came late. */
export async function changesOf(
  tx: Pick<FhirTransaction, 'sql' | 'context'>,
  establishmentId: string,
  month: Month,
): Promise<{ changes: number; late: number }> {
  const { rows } = await tx.sql.query<{ changes: number; late: number }>(
    `SELECT count(*)::int AS changes, (count(*) FILTER (WHERE late))::int AS late FROM duty_change
     WHERE tenant = $1 AND establishment_id = $2 AND month = $3`,
    [tx.context.tenant, establishmentId, `${month.name}-01`],
  );
  return rows[0] ?? { changes: 0, late: 0 };
}

/** Each change that came late, in order of time. */
export async function lateChangesOf(
  tx: Pick<FhirTransaction, 'sql' | 'context'>,
  establishmentId: string,
  month: Month,
): Promise<{ at: Date; starts: Date }[]> {
  const { rows } = await tx.sql.query<{ at: Date; starts: Date }>(
    `SELECT changed_at AS at, starts_at AS starts FROM duty_change
     WHERE tenant = $1 AND establishment_id = $2 AND month = $3 AND late
     ORDER BY changed_at, id`,
    [tx.context.tenant, establishmentId, `${month.name}-01`],
  );
  return rows;
}
