/** A search that is not even asked when the role may not read the type. */
import type { Bundle, ResourceType } from '@medplum/fhirtypes';
import { useCallback } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { mayRead } from './rights.ts';
import { useSession } from './session-context.tsx';

export type AllowedSearch = (type: ResourceType, query: string, signal?: AbortSignal) => Promise<Bundle | undefined>;

export function useAllowedSearch(): AllowedSearch {
  const { client } = useServices();
  const session = useSession();
  return useCallback(
    async (type, query, signal) => (mayRead(session, type) ? client.search(type, query, signal) : undefined),
    [client, session],
  );
}
