/** The penalties of a month as `Parameters`, and as a table that spreadsheets open. Pure. */
import type { Money, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { clocks } from '../case/index.ts';
import type { LateRun } from './late-runs.ts';
import type { CostedLapse } from './rota-lapses.ts';

/** What a month cost, and what of its rota was late. */
export interface Penalties {
  runs: readonly LateRun[];
  rota: readonly CostedLapse[];
}

export function penaltiesParameters(establishmentId: string, month: string, { runs, rota }: Penalties): Parameters {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'establishment', valueReference: { reference: `Organization/${establishmentId}` } },
      { name: 'month', valueString: month },
      { name: 'late', valueUnsignedInt: runs.length },
      { name: 'rotaPublishedLate', valueBoolean: isPublishedLate(rota) },
      { name: 'lateRotaChanges', valueUnsignedInt: lateChanges(rota) },
      ...[...totals(runs, rota)].map(([currency, cents]) => ({ name: 'total', valueMoney: money(cents, currency) })),
      ...runs.map((run): ParametersParameter => ({ name: 'run', part: partsOf(run) })),
      ...rota.map((lapse): ParametersParameter => ({ name: 'rota', part: partsOfLapse(lapse) })),
    ],
  };
}

/** Cents by currency. */
export function totals(runs: readonly LateRun[], rota: readonly CostedLapse[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { amounts } of [...runs, ...rota])
    for (const [currency, cents] of amounts) sums.set(currency, (sums.get(currency) ?? 0) + cents);
  return sums;
}

export const isPublishedLate = (rota: readonly CostedLapse[]): boolean =>
  rota.some(({ lapse }) => lapse === 'rota-published-late');

export const lateChanges = (rota: readonly CostedLapse[]): number =>
  rota.filter(({ lapse }) => lapse === 'rota-changed-late').length;

function partsOfLapse({ lapse, rule, contract, at, before, amounts }: CostedLapse): ParametersParameter[] {
  return [
    { name: 'lapse', valueCode: lapse },
    ...(rule === undefined ? [] : [{ name: 'rule', valueCode: rule }]),
    ...(contract === undefined ? [] : [{ name: 'contract', valueReference: { reference: contract } }]),
    { name: 'at', valueDateTime: at.toISOString() },
    { name: 'before', valueDateTime: before.toISOString() },
    ...[...amounts].map(([currency, cents]) => ({ name: 'amount', valueMoney: money(cents, currency) })),
  ];
}

function partsOf({ task, caseNumber, clock, lateMs, netLateMs, open, amounts }: LateRun): ParametersParameter[] {
  return [
    { name: 'case', valueReference: { reference: task, display: caseNumber } },
    { name: 'clock', valueCode: clock.name },
    { name: 'rule', valueCode: clock.rule },
    ...(clock.contract === undefined ? [] : [{ name: 'contract', valueReference: { reference: clock.contract } }]),
    { name: 'started', valueDateTime: clock.started.toISOString() },
    { name: 'due', valueDateTime: clock.due.toISOString() },
    ...(clock.stopped === undefined ? [] : [{ name: 'stopped', valueDateTime: clock.stopped.toISOString() }]),
    { name: 'open', valueBoolean: open },
    { name: 'lateMinutes', valueUnsignedInt: startedMinutes(lateMs) },
    { name: 'netLateMinutes', valueUnsignedInt: startedMinutes(netLateMs) },
    ...[...amounts].map(([currency, cents]) => ({ name: 'amount', valueMoney: money(cents, currency) })),
  ];
}

const columns = [
  'Dossier',
  'Horloge',
  'Clause',
  'Début',
  'Échéance',
  'Arrêt',
  'Retard (min)',
  'Retard net des pauses (min)',
  'Pénalité',
  'Monnaie',
];

/** One line for each run and currency; a mark of the byte order, so that spreadsheets read the accents. */
export function penaltiesCsv({ runs, rota }: Penalties): string {
  const lines = runs.flatMap((run) => {
    const { caseNumber, clock, lateMs, netLateMs, amounts } = run;
    const start = [
      caseNumber,
      clocks.find(({ name }) => name === clock.name)?.display ?? clock.name,
      clock.rule,
      clock.started.toISOString(),
      clock.due.toISOString(),
      clock.stopped?.toISOString() ?? 'en cours',
      String(startedMinutes(lateMs)),
      String(startedMinutes(netLateMs)),
    ];
    return withAmounts(start, amounts);
  });
  const ofRota = rota.flatMap(({ lapse, rule, at, before, amounts }) => {
    const what = lapse === 'rota-published-late' ? 'Garde : publication tardive' : 'Garde : changement tardif';
    const late = String(startedMinutes(at.getTime() - before.getTime()));
    return withAmounts(['', what, rule ?? '', '', before.toISOString(), at.toISOString(), late, late], amounts);
  });
  return `\uFEFF${[columns, ...lines, ...ofRota].map((line) => line.map(cell).join(';')).join('\r\n')}\r\n`;
}

/** A line for each currency; one without a penalty all the same. */
function withAmounts(start: readonly string[], amounts: ReadonlyMap<string, number>): string[][] {
  const sums: readonly (readonly [string, number])[] = amounts.size > 0 ? [...amounts] : [['', 0]];
  return sums.map(([currency, cents]) => [...start, (cents / 100).toFixed(2).replace('.', ','), currency]);
}

/** Quoted; a text that a spreadsheet would take for a formula is kept a text. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

const startedMinutes = (ms: number): number => Math.ceil(ms / 60_000);
const money = (cents: number, currency: string): Money => ({
  value: cents / 100,
  currency: currency as Money['currency'],
});
