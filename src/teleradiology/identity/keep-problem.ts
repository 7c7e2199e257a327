/**
 * A client decides about an identity problem and changes nothing else of it: who decides must see the evidence as it was found (ID-2, RNIV).
 * What the platform found carries its name and its key, which nobody else writes.
 */
import type { DetectedIssue, Resource } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { isPlainWrite } from '../talk/index.ts';
import { isFromPlatform } from '../talk/platform-mark.ts';
import { kindOf } from './issue-kinds.ts';
import { keySystem } from './problem.ts';

/** For `store.beforeWrite`. @throws FhirError 422 for a new problem in the platform's name. */
export async function keepProblem(resource: Resource, tx: FhirTransaction): Promise<Resource> {
  if (resource?.resourceType !== 'DetectedIssue' || !isPlainWrite(tx.context.interaction)) return resource;
  if (isFromPlatform(resource)) return resource;
  const stored = resource.id === undefined ? undefined : await tx.find('DetectedIssue', resource.id);
  if (stored !== undefined) return kindOf(stored) === undefined ? resource : decidedOnly(stored, resource);
  const isKeyed = resource.identifier?.some(({ system }) => system === keySystem) ?? false;
  if (resource.author?.reference !== 'Device/passerelle' && !isKeyed) return resource;
  throw FhirError.of(422, [
    {
      severity: 'error',
      code: 'business-rule',
      details: { text: 'Un problème se signale en son propre nom, sans le numéro que la plateforme donne aux siens.' },
      diagnostics: 'a problem that a client names has neither the author nor the key of the platform',
      expression: [isKeyed ? 'DetectedIssue.identifier' : 'DetectedIssue.author'],
    },
  ]);
}

/** Code and cases are taken as sent: a change of them is refused, not passed over (resolve-problem.ts). */
function decidedOnly(stored: DetectedIssue, given: DetectedIssue): DetectedIssue {
  const { status, mitigation, code, implicated, meta, text } = given;
  const said = { status, mitigation, code, implicated, meta, text };
  return Object.fromEntries(Object.entries({ ...stored, ...said }).filter(([, value]) => value !== undefined)) as never;
}
