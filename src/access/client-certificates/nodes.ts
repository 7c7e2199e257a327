/**
 * Machines known by the certificate of their connection (IHE ATNA node authentication, RFC 8705 §2): a certificate stands for one client,
 * a client for one establishment. HL7 v2 and DICOM over TLS ask here whether who sends may speak for the establishment it names.
 */
import type { Database } from '../../db/index.ts';
import type { Context } from '../../fhir/index.ts';
import type { Activity } from '../audit/activity.ts';
import { clientOfCertificate } from '../smart/client.ts';
import { isWithinScopes, type ScopeDemand } from '../smart/scope-limits.ts';
import { type ClientCertificate, isWithinDates } from './certificate.ts';

/** The establishment a message or an association says it comes from. */
export interface SpokenFor {
  tenant: string;
  organizationId: string;
  /** Name by which it was recognised: MSH-3|MSH-4, an AE title. */
  name: string;
  /** What it wants to do here: the machine's scopes must grant it. Absent: whatever its protocol is for. */
  demand?: ScopeDemand;
}

export interface Nodes {
  /**
   * Whether the machine behind a connection may speak for this establishment; a refusal is in the trail by then.
   * @param certificate what it showed in its handshake; undefined when nothing.
   */
  maySpeakFor(
    establishment: SpokenFor,
    connection: { certificate: ClientCertificate | undefined; network: string; interaction: string; requestId: string },
  ): Promise<boolean>;
}

export interface NodesOptions {
  database: Database;
  recordActivity(context: Context, activity: Activity): Promise<void>;
  /** Instant of the platform, for the trail. */
  now(): Date;
  /** The machine's time, by which certificates end. */
  realNow(): Date;
  /** Nobody is heard without a certificate of theirs; else who shows none, or one nobody registered, is as on a plain connection. */
  required: boolean;
}

export function createNodes({ database, recordActivity, now, realNow, required }: NodesOptions): Nodes {
  async function problemOf(
    certificate: ClientCertificate | undefined,
    { tenant, organizationId, demand }: SpokenFor,
  ): Promise<string | undefined> {
    const client = certificate && (await clientOfCertificate(database, certificate.names));
    if (!certificate || !client) return required ? 'no registered certificate' : undefined;
    if (client.disabled) return 'the client of the certificate is shut off';
    if (!isWithinDates(certificate, realNow())) return 'the certificate is outside its dates';
    const isSame = client.tenant === tenant && client.organizationId === organizationId;
    if (!isSame) return `the certificate of ${client.id} is of another establishment`;
    const isGranted = demand === undefined || isWithinScopes({ scopes: client.scopes }, demand, []);
    return isGranted ? undefined : `the scopes of ${client.id} do not allow it`;
  }

  return {
    async maySpeakFor(establishment, { certificate, network, interaction, requestId }) {
      const reason = await problemOf(certificate, establishment);
      if (reason === undefined) return true;
      const { tenant, name, organizationId } = establishment;
      await recordActivity(
        {
          ...{ tenant, requestId, interaction, network, now },
          actor: { reference: '', display: 'émetteur inconnu', account: '', kind: 'person', roles: [] },
        },
        {
          kind: 'sender-refused',
          outcome: 'refused',
          reason,
          objects: [`Organization/${organizationId}`],
          details: { sender: name.slice(0, 200), ...(certificate ? { certificate: certificate.names[0] ?? '' } : {}) },
        },
      );
      return false;
    },
  };
}
