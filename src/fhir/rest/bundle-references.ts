/**
 * References between the entries of a transaction, by full URL, replaced by references to what the entries become
 * (https://hl7.org/fhir/R4/bundle.html#references): a relative reference is read against the full URL of the entry it is in.
 */
import { FhirError } from '../contract.ts';
import type { EntryCall } from './bundle-entry.ts';
import { rewriteUris } from './uri-rewriter.ts';

export interface BundleReferences {
  /** Whether some other entry refers to this one. */
  isReferredTo(entry: EntryCall): boolean;
  /** Says what an entry is stored as, `Type/id`. @throws FhirError 400 when two entries share a full URL and are not the same resource. */
  resolve(entry: EntryCall, reference: string): void;
  /** An entry's body, referring to what the others become. */
  rewritten(entry: EntryCall): unknown;
}

const restfulUrl = /^(https?:\/\/\S+?\/)?([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})$/;

/** @param base service base URL, which full URLs may start with. */
export function bundleReferences(entries: readonly EntryCall[], base: string): BundleReferences {
  const fullUrls = new Set(entries.flatMap(({ fullUrl }) => fullUrl ?? []));
  const referredTo = new Set<string>();
  const referring = new Set<number>();
  const becomes = new Map<string, string>();

  /** The full URL a reference inside an entry means, when it is that of an entry. */
  function target(uri: string, root: string): string | undefined {
    if (fullUrls.has(uri)) return uri;
    const absolute = `${root}${uri}`;
    return fullUrls.has(absolute) ? absolute : undefined;
  }

  function rootOf({ fullUrl }: EntryCall): string {
    // What has no address of its own is read as if it were here already.
    return restfulUrl.exec(fullUrl ?? '')?.[1] ?? `${base}/`;
  }

  // Without full URLs nothing can refer to anything.
  if (fullUrls.size > 0) {
    for (const entry of entries) {
      const root = rootOf(entry);
      rewriteUris(entry.call.body, (uri) => {
        const found = target(uri, root);
        if (found === undefined) return uri;
        referredTo.add(found);
        referring.add(entry.index);
        return uri;
      });
    }
  }

  return {
    isReferredTo: ({ fullUrl }) => fullUrl !== undefined && referredTo.has(fullUrl),
    resolve({ fullUrl, index }, reference) {
      if (fullUrl === undefined) return;
      const other = becomes.get(fullUrl);
      if (other !== undefined && other !== reference)
        throw new FhirError(400, 'duplicate', 'another entry has the same full URL', `Bundle.entry[${index}].fullUrl`);
      becomes.set(fullUrl, reference);
    },
    rewritten(entry) {
      const { body } = entry.call;
      if (!referring.has(entry.index)) return body;
      const root = rootOf(entry);
      return rewriteUris(body, (uri) => {
        const found = target(uri, root);
        return (found === undefined ? undefined : becomes.get(found)) ?? uri;
      });
    },
  };
}
