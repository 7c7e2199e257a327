/** Terms of an establishment's contract: delays, reminders, escalations and penalties by clock, act, urgency, setting and hour (WF-3, WF-4). */
export { agreedTerms } from './agreed-terms.ts';
export { type ChosenTerm, type Circumstances, chooseTerm } from './choose-term.ts';
export { defaultTerms } from './default-terms.ts';
export { guardContract } from './guard-contract.ts';
export { penaltyAmounts } from './penalty.ts';
export { isContractOfTerms, readContract } from './read-contract.ts';
export type { ActCode, ClockTerm, RotaLapse, RotaTerm, Setting, Terms } from './term.ts';
