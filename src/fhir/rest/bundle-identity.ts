/**
 * Which resources the entries of a transaction are about, before they are written (https://hl7.org/fhir/R4/http.html#trules): no
 * resource is changed by two of them, however it is addressed, and what is created gets its id now so that others can refer to it.
 */
import type { Resource } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import type { RestTransaction, StoredVersion } from '../store/contract.ts';
import type { EntryCall } from './bundle-entry.ts';

/** Resources changed by the transaction so far. */
export interface Claims {
  /** @throws FhirError 400 naming the entry when another one changes the same resource. */
  claim(entry: EntryCall, id: string): void;
}

export function createClaims(): Claims {
  const claimed = new Map<string, number>();
  return {
    claim({ call, index }, id) {
      const target = `${call.type}/${id}`;
      const other = claimed.get(target);
      if (other !== undefined)
        throw new FhirError(
          400,
          'duplicate',
          `Bundle.entry[${other}] changes the same resource`,
          `Bundle.entry[${index}]`,
        );
      claimed.set(target, index);
    },
  };
}

/** Claims what is to be deleted, found by id or criteria. To be asked before anything is deleted: what is gone matches nothing. */
export async function claimDeletions(
  entries: readonly EntryCall[],
  tx: RestTransaction,
  claims: Claims,
): Promise<void> {
  for (const entry of entries) {
    const { call, criteria } = entry;
    const id = criteria === undefined ? call.id : (await named(entry, () => tx.lockMatch(call.type!, criteria)))?.id;
    if (id !== undefined) claims.claim(entry, id);
  }
}

/**
 * Gives every create, update and patch the id of the resource it is about, and claims it. Criteria are looked up, and their matches
 * locked, in one order, so that two transactions with the same criteria wait for each other instead of ending in a deadlock.
 * @param isReferredTo whether another entry refers to this one: others keep being told their id by the store.
 */
export async function identify(
  entries: readonly EntryCall[],
  tx: RestTransaction,
  claims: Claims,
  isReferredTo: (entry: EntryCall) => boolean,
): Promise<EntryCall[]> {
  const matches = await matchCriteria(entries, tx);
  /** Of criteria without a match, the id of what is created. */
  const created = new Map<string, string>();
  return entries.map((entry) => {
    const { call, interaction } = entry;
    const isCreate = interaction.code === 'create';
    const key = criteriaKey(entry);
    if (key === undefined) {
      if (call.id !== undefined) claims.claim(entry, call.id);
      return isCreate && isReferredTo(entry) ? { ...entry, call: { ...call, id: tx.newId() } } : entry;
    }
    const found = matches.get(key);
    if (interaction.code === 'patch') {
      if (!found) throw nothingToPatch(entry);
      claims.claim(entry, found.id);
      return { ...entry, patched: found.id };
    }
    // A conditional create of what is there changes nothing, and two of them are about one resource.
    if (isCreate && found) return { ...entry, call: { ...call, id: found.id }, found };
    const isRepeated = isCreate && created.has(key);
    const id = found?.id ?? created.get(key) ?? idFor(entry, tx);
    if (!found) created.set(key, id);
    if (!isRepeated) claims.claim(entry, id);
    if (isCreate) return { ...entry, call: { ...call, id } };
    return interaction.code === 'update' ? { ...entry, call: { ...call, body: withId(call.body, id) } } : entry;
  });
}

/** Id of what criteria without a match create: the client's own, where it may have one. */
function idFor({ call, interaction }: EntryCall, tx: RestTransaction): string {
  const own = interaction.code === 'update' ? (call.body as Resource | undefined)?.id : undefined;
  return own ?? tx.newId();
}

async function matchCriteria(
  entries: readonly EntryCall[],
  tx: RestTransaction,
): Promise<Map<string, StoredVersion | undefined>> {
  const byKey = Map.groupBy(entries, criteriaKey);
  byKey.delete(undefined);
  const matches = new Map<string, StoredVersion | undefined>();
  for (const key of [...byKey.keys()].sort() as string[]) {
    const asking = byKey.get(key)!;
    const { call, criteria } = asking[0]!;
    const shared = asking.every(({ interaction }) => interaction.code === 'create');
    const find = () => tx.lockMatch(call.type!, criteria!, { forCreate: true, shared });
    matches.set(key, await named(asking[0]!, find));
  }
  return matches;
}

/** What would match were made by another entry, and no two entries change one resource: it is looked for before anything is written. */
function nothingToPatch({ call, index }: EntryCall): FhirError {
  return new FhirError(404, 'not-found', `no ${call.type} matches the criteria`, `Bundle.entry[${index}].request`);
}

/** Type and criteria of an entry that has some, the same for every spelling of them. */
function criteriaKey({ call, criteria }: EntryCall): string | undefined {
  if (criteria === undefined) return undefined;
  const pairs = criteria.split('&').filter((pair) => pair !== '');
  return `${call.type}?${JSON.stringify(pairs.map(decoded).sort())}`;
}

function decoded(pair: string): string {
  try {
    return decodeURIComponent(pair.replaceAll('+', ' '));
  } catch {
    // The search refuses it.
    return pair;
  }
}

/** The id of a conditional update, where the client gave none of its own. */
function withId(body: unknown, id: string): unknown {
  const resource = body as Resource | undefined;
  return resource && resource.id === undefined ? { ...resource, id } : body;
}

async function named<T>({ index }: EntryCall, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FhirError ? error.about(`Bundle.entry[${index}].request`) : error;
  }
}
