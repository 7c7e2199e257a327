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
export { conditions, type Guard, type GuardName, guards } from './guards.ts';
export {
  type Decision,
  decide,
  legalEvents,
  offered,
  type Refusal,
  type Step,
  settleFrom,
  whoText,
} from './machine.ts';
export {
  type CaseState,
  inHand,
  openStates,
  type StateDefinition,
  signedStates,
  stateDefinition,
  states,
} from './states.ts';
export type { CaseEvent, Effect, Transition, Via, Who } from './transition.ts';
export { transitions } from './transitions.ts';
