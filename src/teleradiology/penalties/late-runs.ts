/**
 * The clocks of an establishment's cases that were late in a month, with what each costs by the clause it ran under (WF-4): read from the
 * clocks the cases show and the contract at the version they name, so that the sum can be checked case by case.
 */
import type { Contract, Task } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction, parsedVersion, readsOf } from '../../fhir/index.ts';
import { codeSystem, identifierSystem } from '../codes.ts';
import { type ClockTerm, penaltyAmounts, readContract } from '../contract-terms/index.ts';
import type { Month } from '../rota/index.ts';
import { type CaseClock, clocksOf, pausedMsOf } from '../shell/case-clocks.ts';
import { stateOf } from '../shell/case-task.ts';

export interface LateRun {
  task: string;
  caseNumber: string;
  clock: CaseClock;
  /** Legal lateness: to the stop of the clock, or to now when it still runs. */
  lateMs: number;
  /** The same without the time during which the establishment owed an answer. */
  netLateMs: number;
  /** It still runs: what it costs may grow. */
  open: boolean;
  /** Cents by currency; empty for a clause without penalty. */
  amounts: ReadonlyMap<string, number>;
}

/** A run counts for the month in which it stopped; one that still runs for the present one. */
export async function lateRuns(
  tx: FhirTransaction,
  establishmentId: string,
  month: Month,
  timeZone: string,
): Promise<LateRun[]> {
  const now = tx.context.now();
  const clauses = clauseReader(tx, timeZone);
  const runs: LateRun[] = [];
  for await (const task of casesOf(tx, establishmentId, month))
    for (const clock of clocksOf(task)) {
      const end = clock.stopped ?? now;
      const lateMs = end.getTime() - clock.due.getTime();
      if (lateMs <= 0 || end < month.start || end >= month.end) continue;
      const clause = await clauses(clock);
      runs.push({
        task: `Task/${task.id}`,
        caseNumber: task.identifier?.find(({ system }) => system === identifierSystem.caseNumber)?.value ?? '',
        clock,
        lateMs,
        netLateMs: Math.max(0, lateMs - pausedMsOf(clock, end)),
        open: clock.stopped === undefined,
        amounts: penaltyAmounts(clause?.penalties ?? [], lateMs),
      });
    }
  return runs.sort((a, b) => a.clock.due.getTime() - b.clock.due.getTime());
}

/** Cases a page; a page full of cases received in one millisecond would not end. */
const pageSize = 1000;

/**
 * Cases received before the month's end and written since its beginning: stopping a clock writes its case. Wrong cases are nobody's
 * lateness.
 */
async function* casesOf(tx: FhirTransaction, establishmentId: string, month: Month): AsyncGenerator<Task> {
  const fixed = [
    `code=${encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`)}`,
    `requester=Organization/${establishmentId}`,
    `_lastUpdated=ge${month.start.toISOString()}`,
    `authored-on=lt${month.end.toISOString()}`,
    `_sort=authored-on&_count=${pageSize}`,
  ].join('&');
  const seen = new Set<string>();
  let after = '';
  for (;;) {
    const page = await tx.whole.search('Task', after === '' ? fixed : `${fixed}&authored-on=ge${after}`);
    const fresh = page.filter(({ id }) => id !== undefined && !seen.has(id));
    for (const task of fresh) {
      seen.add(task.id ?? '');
      if (stateOf(task) !== 'entered-in-error') yield task;
    }
    if (page.length < pageSize) return;
    if (fresh.length === 0) throw new FhirError(500, 'too-costly', 'Too many cases were received at one instant');
    after = page.at(-1)?.authoredOn ?? '';
  }
}

type ClauseReader = (clock: CaseClock) => Promise<ClockTerm | undefined>;

/** Reads each version of a contract once. */
function clauseReader(tx: FhirTransaction, timeZone: string): ClauseReader {
  const contracts = new Map<string, readonly ClockTerm[]>();
  return async ({ contract, rule, name }) => {
    const [, id, version] = /^Contract\/([A-Za-z0-9.-]{1,64})\/_history\/(\d+)$/.exec(contract ?? '') ?? [];
    if (contract === undefined || id === undefined) return undefined;
    let terms = contracts.get(contract);
    if (terms === undefined) {
      const stored = await readsOf({ tx: tx.whole }).readVersion('Contract', id, Number(version));
      // A purge may have destroyed a contract of long ago; cases outlive neither it nor its penalties.
      terms =
        stored === undefined || stored.deleted ? [] : readContract(parsedVersion(stored) as Contract, timeZone).terms;
      contracts.set(contract, terms);
    }
    return terms.find((term) => term.rule === rule && term.clock === name);
  };
}
