/** Hands the FHIR client and the server's clock to the components. */
import { createContext, useContext } from 'react';
import type { UnsavedDrafts } from '../report/unsaved-drafts.ts';
import type { ServerClock } from '../time/server-clock.ts';
import type { FhirClient } from './client.ts';

export interface Services {
  client: FhirClient;
  clock: ServerClock;
  drafts: UnsavedDrafts;
}

export const ServicesContext = createContext<Services | undefined>(undefined);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error('ServicesContext is missing');
  return services;
}
