import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Basic } from '@medplum/fhirtypes';
import { type Policy, policyOf } from './policy.ts';

const folder = fileURLToPath(new URL('../../../fhir-profiles/policies/', import.meta.url));

/** The policies of the platform by role. @throws Error for what is not understood: the server does not start on half its rules. */
export function loadPolicies(from = folder): ReadonlyMap<string, Policy> {
  const policies = new Map<string, Policy>();
  for (const name of readdirSync(from)
    .filter((file) => file.endsWith('.json'))
    .sort()) {
    const policy = policyOf(JSON.parse(readFileSync(join(from, name), 'utf8')) as Basic);
    if (policies.has(policy.role)) throw new Error(`Access policy ${name}: ${policy.role} has one already`);
    policies.set(policy.role, policy);
  }
  return policies;
}
