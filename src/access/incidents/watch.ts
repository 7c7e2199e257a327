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
      if (record.activity.kind === 'token-issue' && isMisuse(record.activity.reason)) {
        const client = record.activity.details?.client;
        watcher.report(tenant, {
          kind: 'token-misuse',
          subject: `client ${client ?? ''}`,
          ...(actor.account ? { account: actor.account } : {}),
          ...(network ? { network } : {}),
          ...(client ? { detail: `Client ${client} : ${record.activity.reason}` } : {}),
        });
      }
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

/** What the authorization server says of a code, a refresh token or an assertion that came a second time. */
function isMisuse(reason: string | undefined): boolean {
  return reason !== undefined && /^reused |was used before$/.test(reason);
}
