/**
 * What a month's late rota costs (CM-2): each lapse by the clause in force when it happened, in the version of the contract of that instant, so
 * that a month asked again gives the same sum whatever was agreed since.
 */
import type { Contract } from '@medplum/fhirtypes';
import { type FhirTransaction, parsedVersion, readsOf } from '../../fhir/index.ts';
import {
  isContractOfTerms,
  penaltyAmounts,
  type RotaLapse,
  type RotaTerm,
  readContract,
} from '../contract-terms/index.ts';
import type { Lapse, RotaLateness } from '../rota/index.ts';

export interface CostedLapse extends Lapse {
  lapse: RotaLapse;
  /** Name of the clause, and the contract at its version; absent where none was agreed. */
  rule?: string;
  contract?: string;
  /** Cents by currency; empty without a clause. */
  amounts: ReadonlyMap<string, number>;
}

export async function rotaLapses(
  tx: FhirTransaction,
  establishmentId: string,
  timeZone: string,
  { publication, changes }: RotaLateness,
): Promise<CostedLapse[]> {
  const all = [
    ...(publication === undefined ? [] : [{ ...publication, lapse: 'rota-published-late' as const }]),
    ...changes.map((change) => ({ ...change, lapse: 'rota-changed-late' as const })),
  ];
  if (all.length === 0) return [];
  const agreed = await contractIds(tx, establishmentId);
  const costed: CostedLapse[] = [];
  for (const each of all) {
    const found = await clauseAt(tx, agreed, timeZone, each);
    const amounts = penaltyAmounts(found?.term.penalties ?? [], each.at.getTime() - each.before.getTime());
    costed.push({ ...each, ...(found ? { rule: found.term.rule, contract: found.contract } : {}), amounts });
  }
  return costed;
}

/** Contracts that ever were the establishment's, whatever became of them. */
async function contractIds(tx: FhirTransaction, establishmentId: string): Promise<string[]> {
  const found = await tx.whole.search('Contract', `subject=Organization/${establishmentId}&_count=1000`);
  return found.flatMap(({ id }) => id ?? []);
}

/** Of several clauses the later one, then the one whose name comes first: as clauses about clocks are weighed. */
async function clauseAt(
  tx: FhirTransaction,
  contracts: readonly string[],
  timeZone: string,
  { lapse, at }: { lapse: RotaLapse; at: Date },
): Promise<{ term: RotaTerm; contract: string } | undefined> {
  const found: { term: RotaTerm; contract: string }[] = [];
  for (const id of contracts) {
    const until = new Date(at.getTime() + 1);
    const { entries } = await readsOf({ tx: tx.whole }).history(
      { type: 'Contract', id },
      { at: { from: at, to: until } },
    );
    // What was current at the beginning of that millisecond, not what was made in it.
    const [version] = entries.filter(({ updated }) => updated <= at).sort((a, b) => b.version - a.version);
    if (version === undefined || version.deleted) continue;
    const contract = parsedVersion(version) as Contract;
    if (contract.status !== 'executed' || !isContractOfTerms(contract)) continue;
    const reference = `Contract/${id}/_history/${version.version}`;
    for (const term of readContract(contract, timeZone).rota)
      if (term.lapse === lapse && isInForce(term, at)) found.push({ term, contract: reference });
  }
  return found.sort(laterFirst)[0];
}

function isInForce({ from, until }: RotaTerm, at: Date): boolean {
  return (from === undefined || at >= from) && (until === undefined || at < until);
}

function laterFirst(a: { term: RotaTerm }, b: { term: RotaTerm }): number {
  const [one, other] = [a.term.from?.getTime() ?? 0, b.term.from?.getTime() ?? 0];
  return other - one || (a.term.rule < b.term.rule ? -1 : 1);
}
