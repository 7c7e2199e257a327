/** Who sends: MSH-3 and MSH-4 name a registered Device, whose owner is the one establishment it speaks for. */
import type { ClientCertificate } from '../../access/index.ts';
import type { Clock } from '../../config/index.ts';
import { type Database, platformTenant } from '../../db/index.ts';
import { type Actor, type FhirStore, identifierQuery } from '../../fhir/index.ts';
import type { Header } from './acknowledgement.ts';
import type { Log } from './log.ts';

/** System of the Device identifier whose value is `MSH-3|MSH-4`. */
export const senderSystem = 'https://fhir.passerelle.example/sid/hl7v2-sender';

export interface Sender {
  tenant: string;
  /** Id of the establishment's Organization. */
  organizationId: string;
  actor: Actor;
}

/** The other end of a connection. */
export interface Peer {
  address: string;
  loopback: boolean;
  /** Over TLS: what it showed in its handshake. */
  tls?: { certificate: ClientCertificate | undefined };
}

export interface Senders {
  /** @returns undefined when nobody is registered under that name. */
  find(header: Header, peer: Peer): Promise<Sender | undefined>;
}

/** A registration changed by an administrator is seen after this delay at the latest. */
const cacheMs = 10_000;
const maximumCached = 1_000;

export function createSenders(options: {
  database: Database;
  store: FhirStore;
  clock: Clock;
  log: Log;
  /** An unknown sender on a loopback connection counts as this establishment's RIS (demonstration only). */
  acceptUnknownLoopback?: { tenant: string; organizationId: string };
}): Senders {
  const { database, store, clock, log, acceptUnknownLoopback } = options;
  const cache = new Map<string, { sender: Sender; until: number }>();

  async function lookUp(name: string): Promise<Sender | undefined> {
    const query = `${identifierQuery(senderSystem, name)}&_count=10`;
    const found: Sender[] = [];
    for (const tenant of await database.tenants()) {
      if (tenant === platformTenant) continue;
      for (const device of await store.search(tenant, 'Device', query)) {
        const organizationId = /^Organization\/([A-Za-z0-9.-]+)$/.exec(device.owner?.reference ?? '')?.[1];
        const active = device.status === undefined || device.status === 'active';
        if (!organizationId || !active) continue;
        const display = device.deviceName?.[0]?.name ?? name;
        const actor: Actor = {
          reference: `Device/${device.id}`,
          display,
          account: `hl7v2:${name}`,
          kind: 'machine',
          roles: ['ris'],
        };
        found.push({ tenant, organizationId, actor });
      }
    }
    // Two establishments under one name: guessing would put a patient in the wrong hospital.
    if (found.length > 1)
      log.error({ sender: name, registrations: found.length }, 'HL7 v2 sender registered more than once');
    return found.length === 1 ? found[0] : undefined;
  }

  return {
    async find(header, peer) {
      const name = header.sender;
      const now = clock.now().getTime();
      const cached = cache.get(name);
      if (cached && cached.until > now) return cached.sender;
      cache.delete(name);
      const sender = name === '|' ? undefined : await lookUp(name);
      if (sender) {
        if (cache.size >= maximumCached) cache.clear();
        cache.set(name, { sender, until: now + cacheMs });
        return sender;
      }
      if (!peer.loopback || !acceptUnknownLoopback) return undefined;
      const { tenant, organizationId } = acceptUnknownLoopback;
      const reference = `Organization/${organizationId}`;
      return {
        tenant,
        organizationId,
        actor: {
          reference,
          display: `RIS de démonstration (${name})`,
          account: `hl7v2:${name}`,
          kind: 'machine',
          roles: ['ris'],
        },
      };
    },
  };
}
