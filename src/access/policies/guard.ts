/** Policies are those of our files and no others: nobody stores one, nor anything in the place where one is read. */
import type { Basic } from '@medplum/fhirtypes';
import { type Change, FhirError } from '../../fhir/index.ts';
import { passerelle, roleSystem } from '../codes.ts';
import { everyPolicy } from '../policy.ts';

const numberSystem = `${passerelle}/sid/access-policy`;
const places: ReadonlySet<string> = new Set(everyPolicy().map(({ role }) => `policy-${role}`));

/** @throws FhirError 422. */
export function guardPolicies({ type, id, after }: Change): void {
  if (type !== 'Basic' || !after) return;
  const { identifier, code } = after as Basic;
  const named = [...(identifier ?? []), ...(code?.coding ?? [])];
  const isPolicy = named.some(({ system }) => system === numberSystem || system === roleSystem);
  if (!isPolicy && !places.has(id)) return;
  throw new FhirError(422, 'business-rule', 'Access policies are part of the program and are not stored', 'Basic.code');
}
