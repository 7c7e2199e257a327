/** States and people that rows of the table share. */
import type { GuardName } from '../guards.ts';
import type { CaseState } from '../states.ts';
import { inHand, signedStates } from '../states.ts';
import type { Who } from '../transition.ts';

/** Site's side: who sends a request and completes it. */
export const site: readonly Who[] = ['requester', 'technologist', 'ris', 'coordinator'];
export const beforeImages: readonly CaseState[] = ['received', 'information-wanted', 'protocol-wanted', 'protocoled'];
export const beforeReading: readonly CaseState[] = [...beforeImages, 'identity-hold', 'acquiring', 'ready'];
export const beforeSignature: readonly CaseState[] = [...beforeReading, ...inHand];
export const afterSignature = signedStates;
/** Whoever reads or decides for a patient may read there now (CM-4, CM-5); of anybody but readers nothing is asked. */
export const standing: readonly GuardName[] = ['credentials-valid', 'not-excluded'];
