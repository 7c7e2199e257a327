/** The entries of the audit trail that may be, or add up to, a security incident (SE-10). */
import type { AuditRecord } from '../audit/record.ts';
import { crossTenant } from '../tenants/index.ts';
import type { Observation } from './detector.ts';
import type { Occurrence } from './incident.ts';

export interface Watcher {
  report(tenant: string, occurrence: Occurrence): void;
  observe(tenant: string, observation: Observation): void;
}

/** Looks at one entry on its way to the trail; quick, and never throws. */
export function watchRecord(watcher: Watcher, tenant: string, record: AuditRecord, at: Date): void {
  const { actor, network, interaction } = record;
  const who = { at, account: actor.account, ...(network ? { network } : {}) };
  switch (record.act) {
    case 'authentication':
      if (record.event.outcome === 'refused') watcher.observe(tenant, { ...who, what: 'sign-in-refused' });
      return;
    case 'refusal': {
      const isElsewhere = record.demand.interaction === crossTenant;
      watcher.observe(tenant, { ...who, what: isElsewhere ? 'cross-tenant' : 'refused', interaction });
      return;
    }
    case 'activity':
      // The reason given is the caller's own words: it stays in the trail, where it belongs.
      if (record.activity.kind === 'break-glass-start') {
        watcher.report(tenant, {
          kind: 'break-glass',
          subject: `account ${actor.account}`,
          account: actor.account,
          ...(network ? { network } : {}),
        });
      }
  }
}
