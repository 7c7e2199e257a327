/** What every clause of a contract has, whatever it is about: its name and when it is in force. Pure. */
import type { Contract, ContractTerm } from '@medplum/fhirtypes';
import { type Bounds, boundsOf } from '../clock/period.ts';

/** Notes one thing wrong: FHIRPath of the element, French sentence. */
export type Complain = (expression: string, text: string) => void;

/** The name as it stands, so that two of them are found even where one is not well formed. */
export function readRule(clause: ContractTerm, at: string, complain: Complain): string | undefined {
  const rule = clause.identifier?.value;
  if (rule === undefined || !ruleName.test(rule))
    complain(`${at}.identifier`, 'Une clause porte un nom de 1 à 64 lettres minuscules, chiffres, points ou tirets.');
  return rule;
}

const ruleName = /^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$/;

export function readBounds(period: Contract['applies'], timeZone: string, at: string, complain: Complain): Bounds {
  try {
    const bounds = boundsOf(period, timeZone);
    if (bounds.from !== undefined && bounds.until !== undefined && bounds.until <= bounds.from)
      complain(at, 'La période finit avant de commencer.');
    return bounds;
  } catch {
    complain(at, "Une date de la période n'existe pas.");
    return {};
  }
}

export function narrower(a: Bounds, b: Bounds): Bounds {
  const from = [a.from, b.from].filter((each) => each !== undefined).sort((x, y) => y.getTime() - x.getTime())[0];
  const until = [a.until, b.until].filter((each) => each !== undefined).sort((x, y) => x.getTime() - y.getTime())[0];
  return { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}
