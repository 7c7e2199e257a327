/**
 * Who the entries of a transaction are, before anything is written: what they create gets its id now, so that the others can
 * refer to it (https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references).
 */
import type { Resource } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import { newId } from '../store/prepare.ts';
import type { EntryCall } from './bundle-entry.ts';
import { criteriaOf } from './conditions.ts';
import { rewriteUris } from './uri-rewriter.ts';

export interface Identities {
  /** The same entries with the ids they will be stored under, as far as these matter to others. */
  identified: EntryCall[];
  /** A copy of a body with the entries' full URLs replaced by references to what they become. */
  rewrite(body: unknown): unknown;
}

/** @throws FhirError 412 when criteria match several resources, 400 when two entries change the same resource. */
export async function assignIdentities(entries: readonly EntryCall[], tx: RestTransaction): Promise<Identities> {
  const referred = urisIn(entries);
  const references = new Map<string, string>();
  const byCriteria = new Map<string, string>();
  const changed = new Set<string>();
  const identified: EntryCall[] = [];
  for (const entry of entries) {
    const id = await idOf(entry, tx, referred, byCriteria);
    const named = id === undefined ? entry : withId(entry, id);
    identified.push(named);
    const reference = `${entry.call.type}/${id ?? entry.call.id}`;
    if (entry.method === 'PUT' || entry.method === 'DELETE') {
      if (changed.has(reference))
        throw new FhirError(400, 'duplicate', 'two entries change the same resource', `Bundle.entry[${entry.index}]`);
      if (entry.call.id || id) changed.add(reference);
    }
    if (id !== undefined) for (const uri of urisOf(entry)) references.set(uri, reference);
  }
  return { identified, rewrite: (body) => rewriteUris(body, (uri) => references.get(uri) ?? uri) };
}

async function idOf(
  entry: EntryCall,
  tx: RestTransaction,
  referred: ReadonlySet<string>,
  byCriteria: Map<string, string>,
): Promise<string | undefined> {
  const { call, interaction, method } = entry;
  const isCreate = interaction.code === 'create';
  if (!isCreate && interaction.code !== 'update') return undefined;
  if (call.id !== undefined) return call.id;
  const condition = isCreate ? call.conditions.ifNoneExist : call.query;
  const ownId = method === 'PUT' ? (call.body as Resource | undefined)?.id : undefined;
  if (condition === undefined) {
    // What nobody refers to gets its id from the store, which can then write many at once.
    return urisOf(entry).some((uri) => referred.has(uri)) ? newId(tx.context.now()) : undefined;
  }
  // Two entries with the same condition are about one resource, also when it does not exist yet.
  const criteria = criteriaOf(condition);
  const key = `${call.type}?${criteria}`;
  const known = byCriteria.get(key);
  if (known !== undefined) return known;
  const [match, another] = await tx.matchIds(call.type!, criteria);
  if (another !== undefined) {
    throw new FhirError(
      412,
      'multiple-matches',
      'the criteria match more than one resource',
      `Bundle.entry[${entry.index}]`,
    );
  }
  const id = match ?? ownId ?? newId(tx.context.now());
  byCriteria.set(key, id);
  return id;
}

/** A create is told its id by the call; a conditional update finds it in the body, where one of the client's own stays. */
function withId(entry: EntryCall, id: string): EntryCall {
  const { call, interaction } = entry;
  if (interaction.code === 'create') return { ...entry, call: { ...call, id } };
  const body = call.body as Resource | undefined;
  return call.id === undefined && body && body.id === undefined
    ? { ...entry, call: { ...call, body: { ...body, id } } }
    : entry;
}

/** Everything the bodies refer to. */
function urisIn(entries: readonly EntryCall[]): Set<string> {
  const uris = new Set<string>();
  for (const { call } of entries) {
    rewriteUris(call.body, (uri) => {
      uris.add(uri);
      return uri;
    });
  }
  return uris;
}

/** How others may refer to an entry: by its full URL, or relative to the base of that. */
function urisOf({ fullUrl, call }: EntryCall): string[] {
  if (fullUrl === undefined) return [];
  const tail = /^https?:\/\/.*\/([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})$/.exec(fullUrl)?.[1];
  return tail?.startsWith(`${call.type}/`) ? [fullUrl, tail] : [fullUrl];
}
