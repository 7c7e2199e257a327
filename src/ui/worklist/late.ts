/** Whether a case still owed is past its deadline (WF-4): closed cases have their own words. */
import { abandonedStates, signedStates } from '../words/case-status.ts';
import type { WorklistRow } from './row.ts';

export function isLate({ facts }: Pick<WorklistRow, 'facts'>, now: Date): boolean {
  if (signedStates.includes(facts.state) || abandonedStates.includes(facts.state)) return false;
  return facts.deadline !== undefined && facts.deadline <= now;
}
