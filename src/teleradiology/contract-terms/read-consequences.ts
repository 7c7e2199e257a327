/** What a clause says of lateness: escalation steps and penalties (WF-4). Pure. */
import type { ContractTerm, Extension } from '@medplum/fhirtypes';
import type { ClockName } from '../case/index.ts';
import { codeOf, codeSystem, part } from '../codes.ts';
import { defaultRepeat } from './default-terms.ts';
import type { Complain } from './read-clause.ts';
import { type Escalation, escalationParties, type Penalty, penaltyUnits } from './term.ts';

/** A month: a later step would be an escalation that never comes. */
const maxAfterMinutes = 31 * 24 * 60;
const leastRepeatMinutes = 5;
const mostRepeatMinutes = 24 * 60;
/** A million euros a case: more is a mistake in the unit. */
const maxCents = 100_000_000;

export function readEscalations(parts: readonly Extension[], at: string, complain: Complain): Escalation[] {
  const found = parts
    .filter(({ url }) => url === 'escalation')
    .flatMap((step): Escalation[] => {
      const to = escalationParties.find((party) => party === part(step, 'to')?.valueCode);
      const afterMinutes = part(step, 'afterMinutes')?.valueUnsignedInt;
      if (to !== undefined && afterMinutes !== undefined && afterMinutes >= 0 && afterMinutes <= maxAfterMinutes)
        return [{ to, afterMinutes }];
      complain(at, `Une escalade dit à qui (${escalationParties.join(', ')}) et combien de minutes après l'échéance.`);
      return [];
    });
  const reached = new Set(found.map(({ to }) => to));
  if (reached.size !== found.length) complain(at, 'Une escalade atteint chacun une fois.');
  return found.sort((a, b) => a.afterMinutes - b.afterMinutes);
}

/** First wait before the clock is told again: not so short that nobody listens any more, not so long that a night passes in silence. */
export function readRepeat(
  parts: readonly Extension[],
  clock: ClockName,
  at: string,
  complain: Complain,
): number | undefined {
  const minutes = parts.find(({ url }) => url === 'repeatMinutes')?.valuePositiveInt;
  if (minutes === undefined) return undefined;
  if (defaultRepeat(clock) === undefined)
    complain(at, 'Cette horloge ne se répète pas : elle finit seule, ou a ses propres rappels.');
  else if (minutes >= leastRepeatMinutes && minutes <= mostRepeatMinutes) return minutes;
  else complain(at, `La répétition vient après ${leastRepeatMinutes} à ${mostRepeatMinutes} minutes.`);
  return undefined;
}

/** Penalties are the valued items of the clause's asset: what is counted, and its price. */
export function readPenalties(clause: ContractTerm, at: string, complain: Complain): Penalty[] {
  const items = (clause.asset ?? []).flatMap(({ valuedItem }) => valuedItem ?? []);
  return items.flatMap((item): Penalty[] => {
    const code = codeOf(item.entityCodeableConcept, codeSystem.penaltyUnit);
    const unit = penaltyUnits.find((each) => each === code);
    const cents = Math.round((item.unitPrice?.value ?? 0) * 100);
    const exact = Math.abs((item.unitPrice?.value ?? 0) * 100 - cents) < 1e-6;
    const currency = item.unitPrice?.currency;
    if (unit !== undefined && currency !== undefined && cents > 0 && cents <= maxCents && exact)
      return [{ unit, cents, currency }];
    complain(
      `${at}.asset`,
      `Une pénalité dit par quoi on la compte (${penaltyUnits.join(', ')}), et un montant en centimes entiers avec sa monnaie.`,
    );
    return [];
  });
}
