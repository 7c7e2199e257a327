import { randomUUID } from 'node:crypto';
import type { Clock } from '../config/index.ts';
import type { Context } from './contract.ts';

/** Circumstances of work the platform does by itself (deadlines, deliveries); `interaction` says which, e.g. `system:deadline`. */
export function systemContext(tenant: string, interaction: string, clock: Clock): Context {
  return {
    tenant,
    actor: {
      reference: 'Device/passerelle',
      display: 'Passerelle',
      account: 'passerelle',
      kind: 'system',
      roles: ['system'],
    },
    requestId: randomUUID(),
    interaction,
    now: () => clock.now(),
  };
}
