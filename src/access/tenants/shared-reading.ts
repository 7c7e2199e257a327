/**
 * `/t/platform/fhir` for callers of other tenants: the platform's directories and definitions, to be read and nothing else. References
 * of any tenant may lead there (design §5 rule 8).
 */
import { platformTenant } from '../../db/index.ts';
import type { Actor, Context } from '../../fhir/index.ts';

/** Role of whoever comes from another tenant; no account has it. */
const directoryReaderRole = 'directory-reader';

/** @param baseUrl public address: the caller is nobody's Practitioner there, and is told by an absolute reference. */
export function directoryReader(home: string, actor: Actor, baseUrl: string): Pick<Context, 'tenant' | 'actor'> {
  const reference = actor.reference && `${baseUrl}/t/${home}/fhir/${actor.reference}`;
  return { tenant: platformTenant, actor: { ...actor, home, reference, roles: [directoryReaderRole] } };
}
