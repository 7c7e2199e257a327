/** `npm run demo -- --scenario <name>`: nights that must go right, played and checked. */
import { amended } from './nights/amended.ts';
import { cancelledLate } from './nights/cancelled-late.ts';
import { downtime } from './nights/downtime.ts';
import { expiredCredential } from './nights/expired-credential.ts';
import { incompleteRequest } from './nights/incomplete-request.ts';
import { nightStroke } from './nights/night-stroke.ts';
import { polytrauma } from './nights/polytrauma.ts';
import { rereading } from './nights/rereading.ts';
import { teleexpertise } from './nights/teleexpertise.ts';
import type { Scenario } from './scenario.ts';

export { playScenario } from './run.ts';
export type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [
  nightStroke,
  incompleteRequest,
  polytrauma,
  rereading,
  amended,
  cancelledLate,
  downtime,
  expiredCredential,
  teleexpertise,
];
