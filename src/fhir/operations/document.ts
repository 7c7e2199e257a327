/**
 * $document: a Composition and everything it rests on as one document Bundle (https://hl7.org/fhir/R4/composition-operation-document.html,
 * https://hl7.org/fhir/R4/documents.html#content).
 */
import { randomUUID } from 'node:crypto';
import type { Bundle, Composition, Resource } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationAnswer, type OperationCall, parameterNamed } from '../contract.ts';
import { booleanOnce, refusal, refuseOthers, textOnce } from './input.ts';
import { parsed, readsOf, storedOrGone } from './reads.ts';
import { targetOf, targetsIn } from './targets.ts';

/** A document is read by a person: more is a mistake in its references. */
const resourcesAtMost = 1_000;

export const documentOperations: readonly Operation[] = (['instance', 'type'] as const).map((level) => ({
  name: 'document',
  type: 'Composition',
  level,
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/Composition-document',
  run: document,
}));

async function document(call: OperationCall): Promise<OperationAnswer> {
  const { parameters, tx, base } = call;
  refuseOthers(parameters, call.id ? ['persist', 'graph'] : ['id', 'persist', 'graph']);
  if (textOnce(parameters, 'graph') !== undefined) {
    throw new FhirError(
      400,
      'not-supported',
      'graph: documents follow the references of the Composition',
      parameterNamed('graph'),
    );
  }
  const persist = booleanOnce(parameters, 'persist') ?? false;
  if (persist) call.authorize({ interaction: 'create', type: 'Bundle' });
  const id = call.id ?? compositionNamed(textOnce(parameters, 'id'), base);
  call.authorize({ interaction: 'read', type: 'Composition', id });
  const composition = parsed(await storedOrGone(readsOf(call), 'Composition', id)) as Composition;
  const resources = [composition, ...(await restsOn(call, composition))];
  const bundle: Bundle = {
    resourceType: 'Bundle',
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` },
    type: 'document',
    timestamp: tx.context.now().toISOString(),
    entry: resources.map((resource) => ({ fullUrl: `${base}/${resource.resourceType}/${resource.id}`, resource })),
  };
  if (!persist) return { status: 200, resource: bundle, shown: resources };
  const stored = await tx.create(bundle);
  return {
    status: 200,
    headers: { Location: `${base}/Bundle/${stored.id}/_history/1` },
    resource: stored,
    shown: resources,
  };
}

function compositionNamed(id: string | undefined, base: string): string {
  const named = id === undefined ? undefined : targetOf(id.includes('/') ? id : `Composition/${id}`, base);
  if (named?.type !== 'Composition') throw refusal('id names a Composition of this server', 'id');
  return named.id;
}

/**
 * Everything reached by references, in order of distance. What the Composition itself names must be there; further away a missing
 * target stays a reference. No patient comes in whom the Composition does not name.
 * @throws FhirError 422 when something is missing, 403 when something may not be seen: a document is whole or it is none.
 */
async function restsOn(call: OperationCall, composition: Composition): Promise<Resource[]> {
  const reads = readsOf(call);
  const seen = new Set([`Composition/${composition.id}`]);
  const found: Resource[] = [];
  let round: Resource[] = [composition];
  for (let distance = 1; round.length > 0; distance++) {
    const next: Resource[] = [];
    for (const { type, id } of round.flatMap((resource) => targetsIn(resource, call.base))) {
      const name = `${type}/${id}`;
      if (seen.has(name) || (distance > 1 && type === 'Patient')) continue;
      seen.add(name);
      const stored = await reads.readStored(type, id);
      if (!stored || stored.deleted) {
        if (distance > 1) continue;
        throw new FhirError(422, 'not-found', `The Composition refers to ${name}, which does not exist`);
      }
      call.authorize({ interaction: 'read', type, id });
      if (found.length + next.length >= resourcesAtMost) {
        throw new FhirError(422, 'too-costly', `The Composition rests on more than ${resourcesAtMost} resources`);
      }
      next.push(parsed(stored));
    }
    found.push(...next);
    round = next;
  }
  return found;
}
