/** Where a PACS is told of storage commitments: the Endpoint of its AE title, of the same establishment. */
import { type FhirStore, identifierQuery } from '../../fhir/index.ts';
import { aeTitleSystem } from './senders.ts';

export interface ReportRoute {
  host: string;
  port: number;
  tls: boolean;
}

const addressSyntax = /^(dicoms?):\/\/([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\]):(\d{1,5})$/;

export async function reportRoute(
  store: Pick<FhirStore, 'search'>,
  tenant: string,
  organizationId: string,
  aeTitle: string,
): Promise<ReportRoute | undefined> {
  const named = identifierQuery(aeTitleSystem, aeTitle);
  for (const endpoint of await store.search(tenant, 'Endpoint', `${named}&status=active&_count=10`)) {
    if (endpoint.managingOrganization?.reference !== `Organization/${organizationId}`) continue;
    const [, scheme, host = '', port] = addressSyntax.exec(endpoint.address) ?? [];
    if (scheme) return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), tls: scheme === 'dicoms' };
  }
  return undefined;
}
