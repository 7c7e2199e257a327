/** Who sends: a calling AE title names a registered Device, whose owner is the one establishment it speaks for. */
import type { Clock } from '../../config/index.ts';
import { type Database, platformTenant } from '../../db/index.ts';
import { type Actor, type FhirStore, identifierQuery } from '../../fhir/index.ts';
import type { Log } from './log.ts';

/** System of the Device identifier whose value is an AE title. */
export const aeTitleSystem = 'https://fhir.passerelle.example/sid/dicom-ae-title';

export interface Sender {
  tenant: string;
  /** Id of the establishment's Organization. */
  organizationId: string;
  actor: Actor;
}

export interface Senders {
  /** @returns undefined when nobody, or more than one establishment, is registered under that title. */
  find(aeTitle: string, isLoopback: boolean): Promise<Sender | undefined>;
}

export interface SendersOptions {
  database: Database;
  store: FhirStore;
  clock: Clock;
  log: Log;
  /** An unknown title on a loopback connection counts as this establishment's PACS (demonstration only). */
  acceptUnknownLoopback?: { tenant: string; organizationId: string };
}

/** A registration changed by an administrator is seen after this delay at the latest. */
const cacheMs = 10_000;
const maximumCached = 1_000;
/** What an archive may do: store images of its establishment. */
const roles = ['pacs'];

/** PS3.5 §6.2: 1 to 16 characters, no backslash, no control characters. */
function isAeTitle(text: string): boolean {
  return text.length >= 1 && text.length <= 16 && /^[ -[\]-~]+$/.test(text);
}

export function createSenders(options: SendersOptions): Senders {
  const { database, store, clock, log, acceptUnknownLoopback } = options;
  const cache = new Map<string, { sender: Sender; until: number }>();

  async function lookUp(title: string): Promise<Sender | undefined> {
    const query = `${identifierQuery(aeTitleSystem, title)}&_count=10`;
    const found: Sender[] = [];
    for (const tenant of await database.tenants()) {
      if (tenant === platformTenant) continue;
      for (const device of await store.search(tenant, 'Device', query)) {
        const organizationId = /^Organization\/([A-Za-z0-9.-]+)$/.exec(device.owner?.reference ?? '')?.[1];
        const isActive = device.status === undefined || device.status === 'active';
        if (!organizationId || !isActive) continue;
        const display = device.deviceName?.[0]?.name ?? title;
        found.push({ tenant, organizationId, actor: actorOf(`Device/${device.id}`, display, title) });
      }
    }
    // Two establishments under one title: guessing would put a patient's images in the wrong hospital.
    if (found.length > 1) log.error({ ae: title, registrations: found.length }, 'AE title registered more than once');
    return found.length === 1 ? found[0] : undefined;
  }

  return {
    async find(title, isLoopback) {
      if (!isAeTitle(title)) return undefined;
      const now = clock.now().getTime();
      const cached = cache.get(title);
      if (cached && cached.until > now) return cached.sender;
      cache.delete(title);
      const sender = await lookUp(title);
      if (sender) {
        if (cache.size >= maximumCached) cache.clear();
        cache.set(title, { sender, until: now + cacheMs });
        return sender;
      }
      if (!isLoopback || !acceptUnknownLoopback) return undefined;
      const { tenant, organizationId } = acceptUnknownLoopback;
      return {
        tenant,
        organizationId,
        actor: actorOf(`Organization/${organizationId}`, `PACS de démonstration (${title})`, title),
      };
    },
  };
}

/** Who acts under a title: what an archive may do. */
export function actorOf(reference: string, display: string, title: string): Actor {
  return { reference, display, account: `dimse:${title}`, kind: 'machine', roles };
}
