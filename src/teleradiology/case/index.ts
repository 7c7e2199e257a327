/** The case machine: pure, one table, no input or output. */
export { type ClockDefinition, type ClockName, clocks, type Party, runningClocks } from './clocks.ts';
export {
  type CaseActor,
  type Facts,
  imagesComplete,
  imagesReadable,
  type Milestone,
  type Origin,
  type ReaderStanding,
  type Role,
  roles,
  unquestioned,
} from './facts.ts';
export { guards } from './guards.ts';
export { type Decision, decide, legalEvents, offered, type Refusal, settleFrom } from './machine.ts';
export { type CaseState, inHand, openStates, signedStates, stateDefinition, states } from './states.ts';
export type { CaseEvent, Effect, Transition } from './transition.ts';
export { transitions } from './transitions.ts';
