/**
 * References between the entries of a transaction, by full URL, replaced by references to what the entries become
 * (https://hl7.org/fhir/R4/bundle.html#references): a relative reference is read against the full URL of the entry it is in.
 */
import { FhirError } from '../contract.ts';
import type { EntryCall } from './bundle-entry.ts';
import { rewriteUris, type UriVisitor } from './uri-rewriter.ts';

/** What references are looked for in. */
export type Referring = Pick<EntryCall, 'index' | 'fullUrl'> & { call: Pick<EntryCall['call'], 'body' | 'type'> };

export interface BundleReferences {
  /** Whether some other entry refers to this one. */
  isReferredTo(entry: Referring): boolean;
  /** Whether one does so by a version, whatever version it says: all of them are given anew. */
  isVersionReferredTo(entry: Referring): boolean;
  /**
   * Says what an entry is stored as, `Type/id`, and as which version, where that is asked for. @throws FhirError 400 when two entries
   * share a full URL and are not the same resource.
   */
  resolve(entry: Referring, reference: string, version?: number): void;
  /** An entry's body, referring to what the others become. */
  rewritten(entry: Referring): unknown;
}

const restfulUrl = /^(https?:\/\/\S+?\/)?([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})$/;
const versionedUrl = /^(.+)\/_history\/[A-Za-z0-9\-.]{1,64}$/;

/** The entry a uri means, by its full URL. */
interface Target {
  fullUrl: string;
  isVersion: boolean;
}

/** @param base service base URL, which full URLs may start with. */
export function bundleReferences(entries: readonly Referring[], base: string): BundleReferences {
  const fullUrls = new Set(entries.flatMap(({ fullUrl }) => fullUrl ?? []));
  const names = ownNames(entries);
  const referredTo = new Set<string>();
  const versionsReferredTo = new Set<string>();
  const referring = new Set<number>();
  const becomes = new Map<string, { reference: string; version?: number }>();

  /** What a uri inside an entry means, when it is an entry. */
  function target(uri: string, root: string, isReference: boolean): Target | undefined {
    const found = fullUrlOf(uri, root);
    if (found !== undefined) return isReference || !names.has(found) ? { fullUrl: found, isVersion: false } : undefined;
    const current = isReference && versionedUrl.exec(uri)?.[1];
    const versioned = current ? fullUrlOf(current, root) : undefined;
    return versioned === undefined ? undefined : { fullUrl: versioned, isVersion: true };
  }

  function fullUrlOf(uri: string, root: string): string | undefined {
    if (fullUrls.has(uri)) return uri;
    const absolute = `${root}${uri}`;
    return fullUrls.has(absolute) ? absolute : undefined;
  }

  function rootOf({ fullUrl }: Referring): string {
    // What has no address of its own is read as if it were here already.
    return restfulUrl.exec(fullUrl ?? '')?.[1] ?? `${base}/`;
  }

  // Without full URLs nothing can refer to anything.
  if (fullUrls.size > 0) {
    for (const entry of entries) {
      const root = rootOf(entry);
      const note: UriVisitor = (uri, isReference) => {
        const found = target(uri, root, isReference);
        if (found === undefined) return uri;
        referredTo.add(found.fullUrl);
        if (found.isVersion) versionsReferredTo.add(found.fullUrl);
        referring.add(entry.index);
        return uri;
      };
      rewriteUris(entry.call.body, note, entry.call.type);
    }
  }

  return {
    isReferredTo: ({ fullUrl }) => fullUrl !== undefined && referredTo.has(fullUrl),
    isVersionReferredTo: ({ fullUrl }) => fullUrl !== undefined && versionsReferredTo.has(fullUrl),
    resolve({ fullUrl, index }, reference, version) {
      if (fullUrl === undefined) return;
      const other = becomes.get(fullUrl);
      if (other !== undefined && other.reference !== reference)
        throw new FhirError(400, 'duplicate', 'another entry has the same full URL', `Bundle.entry[${index}].fullUrl`);
      becomes.set(fullUrl, { reference, ...(version === undefined ? {} : { version }) });
    },
    rewritten(entry) {
      const { body, type } = entry.call;
      if (!referring.has(entry.index)) return body;
      const root = rootOf(entry);
      const replaced: UriVisitor = (uri, isReference) => {
        const found = target(uri, root, isReference);
        const known = found && becomes.get(found.fullUrl);
        if (!known) return uri;
        return found.isVersion ? `${known.reference}/_history/${known.version}` : known.reference;
      };
      return rewriteUris(body, replaced, type);
    },
  };
}

/**
 * Full URLs that are the canonical name of the definition in their entry. By a name things are known wherever they are kept, and
 * canonicals are not replaced: neither are the uris that say the same name (`url` of the definition, `system` of a Coding).
 */
function ownNames(entries: readonly Referring[]): ReadonlySet<string> {
  return new Set(
    entries.flatMap(({ fullUrl, call }) =>
      fullUrl !== undefined && (call.body as { url?: unknown } | null | undefined)?.url === fullUrl ? [fullUrl] : [],
    ),
  );
}
