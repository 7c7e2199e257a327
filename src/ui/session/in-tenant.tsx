/**
 * What is inside is in another tenant than the person's own: its addresses, the roles there, and caches of its own, because ids are
 * unique within a tenant only.
 */
import { QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { type JSX, type ReactNode, useMemo, useState } from 'react';
import { type Services, ServicesContext, useServices } from '../fhir/client-context.tsx';
import { createQueryClient } from '../shell/query-client.ts';
import { SessionContext, useSession } from './session-context.tsx';

interface InTenantProps {
  tenant: string;
  /** Shown when the person does not work there. */
  otherwise: JSX.Element;
  children: ReactNode;
}

export function InTenant({ tenant, otherwise, children }: InTenantProps): JSX.Element {
  const home = useSession();
  const services = useServices();
  const outside = useQueryClient();
  const [queries] = useState(() =>
    createQueryClient(() => void outside.invalidateQueries({ queryKey: ['session'], exact: true })),
  );
  const there = useMemo(() => servicesIn(services, tenant), [services, tenant]);
  const place = tenant === home.tenant ? home : home.tenants?.find((one) => one.tenant === tenant);
  if (!place) return otherwise;
  return (
    <QueryClientProvider client={queries}>
      <ServicesContext value={there}>
        <SessionContext value={{ ...home, ...place }}>{children}</SessionContext>
      </ServicesContext>
    </QueryClientProvider>
  );
}

/** Words of a report must not come back in the case of another tenant that has the same id. */
function servicesIn({ client, clock, drafts }: Services, tenant: string): Services {
  const named = (caseId: string) => `${tenant}/${caseId}`;
  return {
    client: client.inTenant(tenant),
    clock,
    drafts: {
      get: (account, caseId) => drafts.get(account, named(caseId)),
      keep: (account, caseId, draft) => drafts.keep(account, named(caseId), draft),
      forget: (account, caseId) => drafts.forget(account, named(caseId)),
      track: drafts.track,
      settled: drafts.settled,
    },
  };
}
