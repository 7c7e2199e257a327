import type { ChargeItem } from '@medplum/fhirtypes';
import type { FollowedCase } from './followed-case.ts';
import type { Stage } from './stage.ts';

/** Acts billed for this case. */
export async function chargesOf(stage: Stage, followed: FollowedCase): Promise<number> {
  const { for: patient } = await followed.read();
  const caller = await stage.cast.person('demandeur');
  return (await caller.search<ChargeItem>('ChargeItem', { subject: patient?.reference ?? '' })).length;
}
