/** What the authorization server tells the audit trail: each token issued, refused and revoked, each consent. */
import { platformTenant } from '../../db/index.ts';
import type { Actor, Context } from '../../fhir/index.ts';
import type { Activity } from '../audit/activity.ts';

export interface TrailRequest {
  ip: string;
  id: string;
}

export type RecordActivity = (context: Context, activity: Activity) => Promise<void>;

export interface OAuthTrail {
  /** Resolves once it is kept: nothing is issued that is not told. */
  tell(
    request: TrailRequest,
    act: {
      kind: 'token-issue' | 'token-end';
      interaction: string;
      outcome: 'success' | 'refused';
      /** Whose trail; the platform's when nobody is known. */
      tenant?: string | undefined;
      /** The person, or the machine; unknown when absent. */
      actor?: Actor | undefined;
      clientId?: string | undefined;
      scopes?: readonly string[] | undefined;
      reason?: string | undefined;
    },
  ): Promise<void>;
}

/** Scopes and ids of clients are shown to auditors; whatever else a stranger sends is not kept. */
const longestClientId = 64;

export function createOAuthTrail(recordActivity: RecordActivity, now: () => Date): OAuthTrail {
  return {
    tell: ({ ip, id }, { kind, interaction, outcome, tenant = platformTenant, actor, clientId, scopes, reason }) =>
      recordActivity(
        {
          tenant,
          actor: actor ?? unknownActor,
          requestId: id,
          interaction,
          network: ip,
          now,
        },
        {
          kind,
          outcome,
          ...(reason ? { reason } : {}),
          details: {
            ...(clientId ? { client: clientId.slice(0, longestClientId) } : {}),
            ...(scopes ? { scopes: scopes.join(' ') } : {}),
          },
        },
      ),
  };
}

const unknownActor: Actor = { reference: '', display: 'identité inconnue', account: '', kind: 'person', roles: [] };
