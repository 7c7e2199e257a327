/**
 * References by search in a transaction, `Patient?identifier=…` (https://hl7.org/fhir/R4/http.html#trules). They mean what matches when
 * everything is written, whichever entry writes it.
 */
import { FhirError } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import { pathOfReference } from '../store/references.ts';
import { isResourceType, parseReference } from '../validation/index.ts';
import { atAsync } from './at-entry.ts';
import type { EntryCall } from './bundle-entry.ts';
import type { Call, Service } from './call.ts';
import { authorizeSearch } from './search-reach.ts';
import { rewriteUris, type UriVisitor } from './uri-rewriter.ts';

/** None matches yet: perhaps an entry that was not run yet makes it. */
export class Unmatched extends FhirError {
  override name = 'Unmatched';
}

export interface ConditionalReferences {
  /**
   * The body with each of them replaced by the one resource it matches.
   * @throws Unmatched (412) when none does; FhirError 412 when several match.
   */
  resolved(body: unknown, entry: EntryCall): Promise<unknown>;
  /** To be asked when everything is written. @throws FhirError 412 naming the entry when one of them means something else by then. */
  confirm(): Promise<void>;
}

/** What they match is held until the commit, so that nobody deletes it meanwhile, and looked up once as long as no such resource is written. */
export function conditionalReferences(tx: RestTransaction, service: Service): ConditionalReferences {
  const known = new Map<string, string>();
  const missing = new Map<string, Unmatched>();
  const used = new Map<string, { entry: EntryCall; target: string }>();
  let seenChanges = 0;

  function forgetChanged(): void {
    const types = new Set(tx.changes.slice(seenChanges).map(({ type }) => type as string));
    seenChanges = tx.changes.length;
    if (types.size === 0) return;
    missing.clear();
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
    throw new Unmatched(412, 'not-found', `a reference by search to a ${type} matches nothing`, place);
  }

  async function targetOf(reference: string, body: unknown, entry: EntryCall): Promise<string> {
    const failure = missing.get(reference);
    if (failure) throw new Unmatched(412, 'not-found', failure.message, pathOfReference(body, reference));
    try {
      const target = known.get(reference) ?? (await lookUp(reference, body, entry.call));
      known.set(reference, target);
      used.set(reference, { entry, target });
      return target;
    } catch (error) {
      if (error instanceof Unmatched) missing.set(reference, error);
      throw error;
    }
  }

  return {
    async resolved(body, entry) {
      const conditional = new Set<string>();
      const { type } = entry.call;
      const note: UriVisitor = (uri, isReference) => {
        if (isReference && uri.includes('?') && parseReference(uri, isResourceType)?.kind === 'conditional')
          conditional.add(uri);
        return uri;
      };
      rewriteUris(body, note, type);
      if (conditional.size === 0) return body;
      forgetChanged();
      for (const reference of conditional) await targetOf(reference, body, entry);
      return rewriteUris(body, (uri, isReference) => (isReference && known.get(uri)) || uri, type);
    },
    async confirm() {
      forgetChanged();
      for (const [reference, { entry, target }] of used) {
        if (known.has(reference)) continue;
        const { body } = entry.call;
        await atAsync(entry.index, async () => {
          if ((await lookUp(reference, body, entry.call)) !== target)
            throw new FhirError(
              412,
              'conflict',
              'what a reference by search matches is another resource once everything is written',
              pathOfReference(body, reference),
            );
        });
      }
    },
  };
}
