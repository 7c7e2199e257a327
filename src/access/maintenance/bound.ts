/** Accounts of support are recognised within a window of maintenance only, and no longer than it lasts (SE-11). */
import type { Database } from '../../db/index.ts';
import type { CredentialRecogniser } from '../recognise.ts';
import { openWindow, supportRole } from './window.ts';

/** The same recogniser for everybody else. */
export function boundToMaintenance(recogniser: CredentialRecogniser, database: Database): CredentialRecogniser {
  return {
    ...recogniser,
    async identify(presented, now) {
      const identified = await recogniser.identify(presented, now);
      if (!identified?.actor.roles.includes(supportRole)) return identified;
      const window = await openWindow(database, identified.tenant, identified.actor.account, now);
      if (!window) return undefined;
      const expiresAt = new Date(Math.min(identified.expiresAt.getTime(), window.endsAt.getTime()));
      return { ...identified, expiresAt };
    },
  };
}
