/** One cache for all screens: short retries for the network, none for refusals; a lost session is told to the session room. */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { FhirProblem } from '../fhir/problem.ts';

/** How often the worklist and the open case are asked again. */
export const pollMs = 2_500;

const networkRetries = 2;

export function createQueryClient(onSessionLost: () => void): QueryClient {
  const watch = (error: unknown): void => {
    if (error instanceof FhirProblem && error.status === 401) onSessionLost();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: watch }),
    mutationCache: new MutationCache({ onError: watch }),
    defaultOptions: {
      queries: {
        retry: (count, error) => isTransient(error) && count < networkRetries,
        staleTime: 1_000,
        refetchOnWindowFocus: true,
        // We poll and say « hors ligne » ourselves; a loopback server stays reachable without a network.
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}

function isTransient(error: unknown): boolean {
  return !(error instanceof FhirProblem) || error.status === 0 || error.status >= 502;
}
