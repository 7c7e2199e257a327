/** Bundles as a whole (https://hl7.org/fhir/R4/bundle.html): addresses of entries, links, and what documents and messages hold together. */
import { resolveEntry } from './resolution.ts';
import { isObject, type Run, report } from './run.ts';

type Fields = Record<string, unknown>;

const restfulPattern = /^https?:\/\/\S+\/([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/;
const onceOnly = new Set(['self', 'first', 'last', 'next', 'previous', 'prev']);

export function checkBundle(value: unknown, run: Run, isResourceType: (name: string) => boolean): void {
  if (!isObject(value)) return;
  const entries = listOf(value.entry);
  entries.forEach((entry, index) => {
    run.path.push('entry', index);
    checkEntry(entry, value.type, run, isResourceType);
    run.path.length -= 2;
  });
  if (value.type === 'searchset') checkLinks(listOf(value.link), run);
  if (value.type === 'document') checkDocument(value, entries, run);
  if (value.type === 'message') checkReferencesOf(value, entries[0], ['focus'], run);
}

function checkEntry(entry: Fields, type: unknown, run: Run, isResourceType: (name: string) => boolean): void {
  const resource = isObject(entry.resource) ? entry.resource : undefined;
  if (typeof entry.fullUrl === 'string') {
    if (!/^[a-z][a-z0-9+.-]*:/i.test(entry.fullUrl)) report(run, 'value', 'must be an absolute address', 'fullUrl');
    const restful = restfulPattern.exec(entry.fullUrl);
    if (restful && resource && isResourceType(restful[1]!) && !isAddressOf(restful, entry, resource, type))
      report(run, 'value', 'must end with the type and id of the resource', 'fullUrl');
  }
  if (type !== 'searchset' || !resource) return;
  const mode = isObject(entry.search) ? entry.search.mode : undefined;
  const isOutcome = resource.resourceType === 'OperationOutcome';
  if (resource.id === undefined && !isOutcome)
    report(run, 'required', 'is required of what a search found', 'resource.id');
  if (mode === 'outcome' && !isOutcome) report(run, 'value', 'must be an OperationOutcome', 'resource');
}

/** A POST has no id yet; an official example of a message has another id than its address says. */
function isAddressOf([, type, id]: RegExpExecArray, entry: Fields, resource: Fields, bundleType: unknown): boolean {
  if (resource.resourceType !== type) return false;
  if (isObject(entry.request) && entry.request.method === 'POST') return true;
  return resource.id === id || (bundleType === 'message' && resource.id !== undefined);
}

function checkLinks(links: readonly Fields[], run: Run): void {
  const seen = new Set<unknown>();
  for (const { relation } of links) {
    if (onceOnly.has(String(relation)) && seen.has(relation))
      report(run, 'duplicate', 'must not have a relation twice', 'link');
    seen.add(relation);
  }
}

/** Elements of a Composition whose targets a document brings along (https://hl7.org/fhir/R4/documents.html#content). */
const ofDocument = ['subject', 'encounter', 'author', 'attester', 'custodian', 'event', 'section'];

function checkDocument(bundle: Fields, entries: readonly Fields[], run: Run): void {
  const [first] = entries;
  if (!first || !isObject(first.resource) || first.resource.resourceType !== 'Composition') return;
  checkReferencesOf(bundle, first, ofDocument, run);
  const reached = reachable(bundle, entries, first);
  entries.forEach((entry, index) => {
    // A stylesheet belongs to the document without being referred to.
    if (reached.has(entry) || !isObject(entry.resource) || entry.resource.resourceType === 'Binary') return;
    run.path.push('entry', index);
    report(run, 'invariant', 'is neither referred to by the document nor refers to it');
    run.path.length -= 2;
  });
}

/** References of an entry's elements lead to entries: relative ones and those by `urn:`. */
function checkReferencesOf(bundle: Fields, entry: Fields | undefined, elements: readonly string[], run: Run): void {
  const resource = entry?.resource;
  if (!entry || !isObject(resource)) return;
  for (const element of elements) {
    for (const reference of referencesIn(resource[element])) {
      if (reference.startsWith('#') || /^https?:/.test(reference)) continue;
      if (resolveEntry(bundle, reference, entry.fullUrl) === undefined) {
        run.path.push('entry', 0, 'resource');
        report(run, 'invariant', 'refers to what is not in the Bundle', element);
        run.path.length -= 3;
      }
    }
  }
}

/** Entries that can be reached from the first along references, in either direction. */
function reachable(bundle: Fields, entries: readonly Fields[], first: Fields): Set<Fields> {
  const neighbours = new Map<Fields, Fields[]>(entries.map((entry) => [entry, []]));
  for (const entry of entries) {
    for (const reference of referencesIn(entry.resource)) {
      const target = resolveEntry(bundle, reference, entry.fullUrl);
      if (!target) continue;
      neighbours.get(entry)?.push(target);
      neighbours.get(target)?.push(entry);
    }
  }
  const reached = new Set([first]);
  for (const entry of reached) for (const next of neighbours.get(entry) ?? []) reached.add(next);
  return reached;
}

/** The structure was checked before; its depth is limited there. */
function referencesIn(value: unknown, found: string[] = [], depth = 0): string[] {
  if (depth > 128 || typeof value !== 'object' || value === null) return found;
  if (Array.isArray(value)) for (const item of value) referencesIn(item, found, depth + 1);
  else {
    for (const [name, item] of Object.entries(value)) {
      if (name === 'reference' && typeof item === 'string') found.push(item);
      else referencesIn(item, found, depth + 1);
    }
  }
  return found;
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
