/**
 * transaction: all entries or none, in the order DELETE, POST, PUT, GET, references between entries resolved first
 * (https://hl7.org/fhir/R4/http.html#trules).
 */
import { FhirError } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import { bundleText } from './bundle.ts';
import { answeredEntry, type EntryCall, entriesOf, readEntry } from './bundle-entry.ts';
import { assignIdentities } from './bundle-identity.ts';
import type { Answer, Call, Service, SystemInteraction } from './call.ts';
import { resolveReferences } from './conditional-references.ts';
import { atEntry } from './errors.ts';
import { authorize, executeWithin } from './execute.ts';

const order = ['DELETE', 'POST', 'PUT', 'GET'];

/** How often a Bundle is run before others that write the same resources win. */
const maxAttempts = 3;

/** SQLSTATE of transactions that PostgreSQL ended because of others: serialization failure, deadlock. */
const transientStates = new Set(['40001', '40P01']);

/** A conditional create found a resource that was not there when references to it were written. */
class LostRace extends Error {
  override name = 'LostRace';
}

export const transaction: SystemInteraction = {
  access: 'system',
  code: 'transaction',
  async run(call, service) {
    const entries = entriesOf(call).map((entry, index) => at(index, () => readEntry(entry, index, call, service)));
    for (const entry of entries) at(entry.index, () => authorize(entry.call, entry.interaction, service));
    const answers = await attempt(call, entries, service, 1);
    for (const { index, call: entryCall } of entries) {
      const { read } = answers[index]!;
      if (read) await service.guards.auditRead(entryCall.context, { ...read, outcome: 'success' });
    }
    return {
      status: 200,
      body: bundleText({
        type: 'transaction-response',
        timestamp: service.clock.now(),
        links: [],
        entries: entries.map((entry) => answeredEntry(answers[entry.index]!, entry.call)),
      }),
    };
  },
};

async function attempt(call: Call, entries: EntryCall[], service: Service, number: number): Promise<Answer[]> {
  try {
    return await service.store.restTransaction(call.context, (tx) => runAll(entries, tx, service));
  } catch (error) {
    if (!isTransient(error)) throw error;
    if (number >= maxAttempts)
      throw new FhirError(409, 'conflict', 'other requests write the same resources: try again');
    return attempt(call, entries, service, number + 1);
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof LostRace) return true;
  return error instanceof Error && 'code' in error && transientStates.has(String(error.code));
}

/** @returns the answers in the order of the Bundle. */
async function runAll(entries: EntryCall[], tx: RestTransaction, service: Service): Promise<Answer[]> {
  const { identified, rewrite } = await assignIdentities(entries, tx);
  const answers: Answer[] = [];
  for (const entry of identified.sort(inOrder)) {
    answers[entry.index] = await atAsync(entry.index, async () => {
      const body =
        entry.call.body === undefined
          ? undefined
          : await resolveReferences(rewrite(entry.call.body), tx, entry.call, service);
      const answer = await executeWithin(
        { ...entry.call, ...(body === undefined ? {} : { body }) },
        entry.interaction,
        tx,
        service,
      );
      const { id } = entry.call;
      const isOther = entry.interaction.code === 'create' && id !== undefined && answer.version?.id !== id;
      if (isOther) throw new LostRace('a conditional create found another resource');
      return answer;
    });
  }
  return answers;
}

/**
 * By method as the specification says; changes of what exists by address, so that two Bundles about the same resources lock them in
 * the same order and wait for each other instead of ending in a deadlock.
 */
function inOrder(a: EntryCall, b: EntryCall): number {
  const byMethod = order.indexOf(a.method) - order.indexOf(b.method);
  if (byMethod !== 0 || (a.method !== 'PUT' && a.method !== 'DELETE')) return byMethod;
  return addressOf(a).localeCompare(addressOf(b));
}

function addressOf({ call }: EntryCall): string {
  return `${call.type}/${call.id ?? ''}`;
}

/** Names the entry in what it throws. */
function at<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw located(error, index);
  }
}

async function atAsync<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw located(error, index);
  }
}

function located(error: unknown, index: number): unknown {
  return error instanceof FhirError ? FhirError.of(error.status, atEntry(error.outcome, index).issue) : error;
}
