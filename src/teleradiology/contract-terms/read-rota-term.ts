/** A clause about the rota: what it costs to publish or change it late (CM-2). Pure. */
import type { ContractTerm } from '@medplum/fhirtypes';
import type { Bounds } from '../clock/period.ts';
import { codeOf, codeSystem } from '../codes.ts';
import { type Complain, narrower, readBounds, readRule } from './read-clause.ts';
import { readPenalties } from './read-consequences.ts';
import { type RotaTerm, rotaLapses } from './term.ts';

export function isRotaClause(clause: ContractTerm): boolean {
  return codeOf(clause.type, codeSystem.rotaClause) !== undefined;
}

/** Undefined for a clause about something else, and for one that cannot be used; what is wrong was said. */
export function readRotaTerm(
  clause: ContractTerm,
  whole: Bounds,
  timeZone: string,
  at: string,
  complain: Complain,
): RotaTerm | undefined {
  if (!isRotaClause(clause)) return undefined;
  const code = codeOf(clause.type, codeSystem.rotaClause);
  const lapse = rotaLapses.find((each) => each === code);
  if (lapse === undefined) complain(`${at}.type`, `Une clause de garde est l'une de : ${rotaLapses.join(', ')}.`);
  const rule = readRule(clause, at, complain);
  const penalties = readPenalties(clause, at, complain);
  if (penalties.length === 0) complain(`${at}.asset`, 'Une clause de garde dit ce qu’un retard coûte.');
  // A change is told at one instant: it is late or not, and never so many hours late.
  if (lapse === 'rota-changed-late' && penalties.some(({ unit }) => unit !== 'late-case'))
    complain(`${at}.asset`, 'Un changement tardif se compte une fois (late-case).');
  const own = readBounds(clause.applies, timeZone, `${at}.applies`, complain);
  if (rule === undefined || lapse === undefined) return undefined;
  return { rule, lapse, ...narrower(whole, own), penalties };
}
