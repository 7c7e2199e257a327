/** Where an establishment's RIS listens and how it calls itself: Organization.endpoint → Endpoint, and its registered Device. */
import type { Endpoint } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { idOf } from './case-data.ts';
import { senderSystem } from './senders.ts';
import type { Site, Tables } from './tables.ts';

export interface Route {
  host: string;
  port: number;
  tls: boolean;
  /** MSH-5 and MSH-6. */
  application: string;
  facility: string;
  site: Site;
}

/** System of an Endpoint identifier whose value is the `MSH-5|MSH-6` to use, when it is not the sender's own name. */
const receiverSystem = 'https://fhir.passerelle.example/sid/hl7v2-receiver';
const connectionType = 'hl7v2-mllp';

/** @returns why there is no route, French: an administrator can repair it, the item waits. */
export async function readRoute(
  tx: FhirTransaction,
  organizationId: string,
  tables: Tables,
): Promise<Route | { missing: string }> {
  const organization = await tx.find('Organization', organizationId);
  if (!organization) return { missing: 'établissement destinataire introuvable' };
  for (const reference of organization.endpoint ?? []) {
    const id = idOf(reference.reference, 'Endpoint');
    const endpoint = id === undefined ? undefined : await tx.find('Endpoint', id);
    const address = endpoint && addressOf(endpoint);
    if (!endpoint || !address) continue;
    const name = (await receiverName(tx, endpoint, organizationId)) ?? `${organization.name ?? ''}|`;
    const bar = name.indexOf('|');
    return { ...address, application: name.slice(0, bar), facility: name.slice(bar + 1), site: tables.site(name) };
  }
  return { missing: 'aucun point d’accès MLLP actif (Endpoint hl7v2-mllp) pour l’établissement destinataire' };
}

function addressOf(endpoint: Endpoint): { host: string; port: number; tls: boolean } | undefined {
  if (endpoint.status !== 'active' || endpoint.connectionType.code !== connectionType) return undefined;
  const match = /^(mllps?):\/\/(\[[0-9A-Fa-f:]+\]|[^:/\s]+):(\d{1,5})\/?$/.exec(endpoint.address);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535) return undefined;
  return { host: (match[2] ?? '').replace(/^\[|\]$/g, ''), port, tls: match[1] === 'mllps' };
}

async function receiverName(
  tx: FhirTransaction,
  endpoint: Endpoint,
  organizationId: string,
): Promise<string | undefined> {
  const own = endpoint.identifier?.find((identifier) => identifier.system === receiverSystem)?.value;
  if (own?.includes('|')) return own;
  const devices = await tx.search('Device', `organization=Organization/${organizationId}&_sort=_id&_count=50`);
  return devices
    .flatMap((device) => device.identifier ?? [])
    .find((identifier) => identifier.system === senderSystem && identifier.value?.includes('|'))?.value;
}
