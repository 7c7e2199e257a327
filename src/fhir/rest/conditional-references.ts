/** References by search in a transaction, `Patient?identifier=…` (https://hl7.org/fhir/R4/http.html#trules). */
import { FhirError } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import { pathOfReference } from '../store/references.ts';
import { isResourceType, parseReference } from '../validation/index.ts';
import type { Call, Service } from './call.ts';
import { authorizeSearch } from './search-reach.ts';
import { rewriteUris } from './uri-rewriter.ts';

export interface ConditionalReferences {
  /** The body with each of them replaced by the one resource it matches. @throws FhirError 412 when none or several match. */
  resolved(body: unknown, call: Call): Promise<unknown>;
}

/** What they match is held until the commit, so that nobody deletes it meanwhile, and looked up once as long as no such resource is written. */
export function conditionalReferences(tx: RestTransaction, service: Service): ConditionalReferences {
  const known = new Map<string, string>();
  let seenChanges = 0;

  function forgetChanged(): void {
    const types = new Set(tx.changes.slice(seenChanges).map(({ type }) => type as string));
    seenChanges = tx.changes.length;
    if (types.size === 0) return;
    for (const [reference, target] of known)
      if (types.has(target.slice(0, target.indexOf('/')))) known.delete(reference);
  }

  async function lookUp(reference: string, body: unknown, call: Call): Promise<string> {
    const literal = parseReference(reference, isResourceType);
    if (literal?.kind !== 'conditional') return reference;
    const type = literal.type as NonNullable<Call['type']>;
    const place = pathOfReference(body, reference);
    try {
      authorizeSearch(call.context, type, literal.query, service);
      const target = await tx.lockMatch(type, literal.query, { shared: true });
      if (target) return `${type}/${target.id}`;
    } catch (error) {
      const isCriteria = error instanceof FhirError && [400, 412, 422].includes(error.status);
      throw isCriteria && place ? error.about(place) : error;
    }
    throw new FhirError(412, 'not-found', `a reference by search to a ${type} matches nothing`, place);
  }

  return {
    async resolved(body, call) {
      const conditional = new Set<string>();
      rewriteUris(body, (uri, isReference) => {
        if (isReference && uri.includes('?') && parseReference(uri, isResourceType)?.kind === 'conditional')
          conditional.add(uri);
        return uri;
      });
      if (conditional.size === 0) return body;
      forgetChanged();
      for (const reference of conditional)
        if (!known.has(reference)) known.set(reference, await lookUp(reference, body, call));
      return rewriteUris(body, (uri, isReference) => (isReference && known.get(uri)) || uri);
    },
  };
}
