/** A month's rota as `Organization/[id]/$rota` tells it, in days and words. */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';

export const dutyKinds = ['radiologist', 'coordinator', 'deputy-coordinator'] as const;
export type DutyKind = (typeof dutyKinds)[number];

export const dutyNames: Readonly<Record<DutyKind, string>> = {
  radiologist: 'Radiologue',
  coordinator: 'Coordonnateur',
  'deputy-coordinator': 'Suppléant',
};

export interface Shift {
  /** Id of the Slot. */
  slot: string;
  kind: DutyKind;
  /** `Practitioner/…` */
  practitioner: string;
  name: string;
  start: string;
  end: string;
  published: boolean;
  /** Published, and nobody can keep it: the reader is excluded or no longer qualified. */
  void: boolean;
}

export interface Rota {
  month: string;
  timeZone: string;
  publishBefore: string;
  published?: string;
  late: boolean;
  changes: number;
  lateChanges: number;
  shifts: Shift[];
  warnings: { code: string; text: string; start: string; end: string }[];
}

/** Value of a part, whatever its type. */
export function partOf(parts: readonly ParametersParameter[] | undefined, name: string): unknown {
  const found = parts?.find((part) => part.name === name);
  if (found?.valueReference) return found.valueReference;
  return found && Object.entries(found).find(([key]) => key.startsWith('value'))?.[1];
}

export const textOf = (parts: readonly ParametersParameter[] | undefined, name: string): string =>
  String(partOf(parts, name) ?? '');

export function rotaOf(answer: Parameters): Rota {
  const all = answer.parameter;
  const published = partOf(all, 'published');
  return {
    month: textOf(all, 'month'),
    timeZone: textOf(all, 'timeZone') || 'Europe/Paris',
    publishBefore: textOf(all, 'publishBefore'),
    ...(typeof published === 'string' ? { published } : {}),
    late: partOf(all, 'late') === true,
    changes: Number(partOf(all, 'changes') ?? 0),
    lateChanges: Number(partOf(all, 'lateChanges') ?? 0),
    shifts: (all ?? []).filter(({ name }) => name === 'shift').map(({ part }) => shiftOf(part)),
    warnings: (all ?? [])
      .filter(({ name }) => name === 'warning')
      .map(({ part }) => ({
        code: textOf(part, 'code'),
        text: textOf(part, 'text'),
        start: textOf(part, 'start'),
        end: textOf(part, 'end'),
      })),
  };
}

function shiftOf(part: readonly ParametersParameter[] | undefined): Shift {
  const reference = (name: string) => partOf(part, name) as { reference?: string; display?: string } | undefined;
  const kind = dutyKinds.find((each) => each === partOf(part, 'kind')) ?? 'radiologist';
  return {
    slot: reference('slot')?.reference?.replace(/^Slot\//, '') ?? '',
    kind,
    practitioner: reference('practitioner')?.reference ?? '',
    name: reference('practitioner')?.display ?? '',
    start: textOf(part, 'start'),
    end: textOf(part, 'end'),
    published: partOf(part, 'published') === true,
    void: partOf(part, 'void') === true,
  };
}

/** Formats of a time zone, made once: making one costs more than using it a thousand times. */
export interface LocalFormats {
  /** `2026-12-24` */
  day(instant: string): string;
  /** `20:00` */
  hour(instant: string): string;
}

export function localFormats(timeZone: string): LocalFormats {
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const hour = new Intl.DateTimeFormat('fr-FR', { timeZone, hour: '2-digit', minute: '2-digit' });
  return { day: (instant) => day.format(new Date(instant)), hour: (instant) => hour.format(new Date(instant)) };
}

/** Days of `YYYY-MM`, in order. */
export function daysOf(month: string): string[] {
  const [year, number] = month.split('-').map(Number) as [number, number];
  const length = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length }, (_, index) => `${month}-${String(index + 1).padStart(2, '0')}`);
}

/** Days of a month that a hole in the cover touches. */
export function uncoveredDays({ month, warnings }: Rota, formats: LocalFormats): ReadonlySet<string> {
  const holes = warnings.filter(({ code }) => code === 'gap');
  // A hole that ends at midnight leaves the day after alone.
  const last = (end: string): string => formats.day(new Date(Date.parse(end) - 1).toISOString());
  return new Set(
    daysOf(month).filter((day) => holes.some(({ start, end }) => formats.day(start) <= day && last(end) >= day)),
  );
}

/** `1 trou`, `2 trous`. */
export const counted = (count: number, word: string): string => `${count} ${word}${count > 1 ? 's' : ''}`;

/** The month so many after this one. */
export function monthShifted(month: string, by: number): string {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}

const monthName = new Intl.DateTimeFormat('fr-FR', { timeZone: 'UTC', month: 'long', year: 'numeric' });
const dayName = new Intl.DateTimeFormat('fr-FR', { timeZone: 'UTC', weekday: 'short', day: 'numeric' });

/** `de décembre 2026`, `d’août 2027` */
export const ofMonth = (month: string): string =>
  `${/^[ao]/.test(frenchMonth(month)) ? 'd’' : 'de '}${frenchMonth(month)}`;
/** `décembre 2026` */
const frenchMonth = (month: string): string => monthName.format(new Date(`${month}-01T00:00:00Z`));
/** `jeu. 24` */
export const frenchDay = (day: string): string => dayName.format(new Date(`${day}T00:00:00Z`));

/** 1 Monday … 7 Sunday. */
export const weekdayOf = (day: string): number => new Date(`${day}T00:00:00Z`).getUTCDay() || 7;

/** `20:00 – 08:00`, with the day where the end is not the next morning's; a whole day is said to be one. */
export function hoursText(shift: Pick<Shift, 'start' | 'end'>, formats: LocalFormats): string {
  const [from, to] = [formats.day(shift.start), formats.day(shift.end)];
  const following = new Date(Date.parse(`${from}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  const [begins, ends] = [formats.hour(shift.start), formats.hour(shift.end)];
  if (to === following && begins === ends)
    return begins === '00:00' ? 'toute la journée' : `24 h à partir de ${begins}`;
  const far = to === from || to === following ? '' : ` (${frenchDay(to)})`;
  return `${begins} – ${ends}${far}`;
}
