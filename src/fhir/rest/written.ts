/** What writing interactions share: the resource in the body, and the answer made of what was written. */
import type { OperationOutcome, Resource } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { stringifyJson } from '../json/index.ts';
import type { RestTransaction } from '../store/contract.ts';
import type { Answer, Call } from './call.ts';
import { refuseSubsetted } from './subsetting.ts';
import { rewriteUris } from './uri-rewriter.ts';

/** The body as a resource of the type asked for; its content is validated by the store. @throws FhirError 400, 422. */
export function resourceOf(call: Call): Resource {
  const { body, type } = call;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new FhirError(400, 'structure', 'the body must be a resource');
  }
  const resource = body as Resource;
  if (resource.resourceType !== type) throw new FhirError(400, 'invalid', `the body must be a ${type}`, 'resourceType');
  return asSent(resource, call.base);
}

/** A resource sent to be stored, as it is to be stored. @throws FhirError 422 for what is marked as a part of one. */
export function asSent(resource: Resource, base: string): Resource {
  refuseSubsetted(resource);
  return namesTenant.test(base) ? withRelativeReferences(resource, base) : resource;
}

const namesTenant = /\/t\/[^/]+\/fhir$/;

/** References by an address that names the tenant, as fullUrls of its Bundles do, are stored in the one form that searches know. */
function withRelativeReferences(resource: Resource, base: string): Resource {
  return rewriteUris(resource, (uri, isReference) =>
    isReference && uri.startsWith(`${base}/`) ? uri.slice(base.length + 1) : uri,
  ) as Resource;
}

/** The answer after a create or update. */
export function writtenAnswer(tx: RestTransaction, resource: Resource & { id: string }, created: boolean): Answer {
  const { resourceType: type, id, meta } = resource;
  return {
    status: created ? 201 : 200,
    body: tx.writtenText(type, id) ?? stringifyJson(resource),
    version: { type, id, versionId: meta?.versionId ?? '1', updated: new Date(meta?.lastUpdated ?? tx.context.now()) },
    isWrite: true,
  };
}

/** What `Prefer: return=OperationOutcome` is answered. */
export function writtenOutcome(status: number): OperationOutcome {
  const diagnostics = status === 201 ? 'created' : 'stored';
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', diagnostics }],
  };
}
