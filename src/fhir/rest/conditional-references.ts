/** References by search in a transaction, `Patient?identifier=…` (https://hl7.org/fhir/R4/http.html#trules). */
import { FhirError } from '../contract.ts';
import type { RestReads } from '../store/contract.ts';
import { isResourceType, parseReference } from '../validation/index.ts';
import type { Call, Service } from './call.ts';
import { authorizeSearch } from './search-reach.ts';
import { rewriteUris } from './uri-rewriter.ts';

/** A copy with each of them replaced by the one resource it matches. @throws FhirError 412 when none or several match. */
export async function resolveReferences(
  body: unknown,
  reads: RestReads,
  call: Call,
  service: Service,
): Promise<unknown> {
  const conditional = new Set<string>();
  rewriteUris(body, (uri, isReference) => {
    if (isReference && uri.includes('?') && parseReference(uri, isResourceType)?.kind === 'conditional')
      conditional.add(uri);
    return uri;
  });
  if (conditional.size === 0) return body;
  const found = new Map<string, string>();
  for (const reference of conditional) {
    const literal = parseReference(reference, isResourceType);
    if (literal?.kind !== 'conditional') continue;
    const type = literal.type as NonNullable<Call['type']>;
    authorizeSearch(call.context, type, literal.query, service);
    const [id, another] = await reads.matchIds(type, literal.query);
    if (id === undefined) throw new FhirError(412, 'not-found', `a reference by search to a ${type} matches nothing`);
    if (another !== undefined)
      throw new FhirError(412, 'multiple-matches', `a reference by search to a ${type} matches several`);
    found.set(reference, `${type}/${id}`);
  }
  return rewriteUris(body, (uri, isReference) => (isReference && found.get(uri)) || uri);
}
