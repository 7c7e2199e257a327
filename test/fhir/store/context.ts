import type { Context } from '../../../src/fhir/index.ts';
import { systemContext } from '../../../src/fhir/index.ts';

/** Circumstances of the platform itself in a tenant; the clock is the machine's unless one is given. */
export function contextOf(tenant: string, now: () => Date = () => new Date()): Context {
  return systemContext(tenant, 'system:test', { now });
}
