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

/** How often a Bundle is run again after losing a conditional create to another request. */
const maxAttempts = 3;

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
    if (!(error instanceof LostRace)) throw error;
    if (number >= maxAttempts)
      throw new FhirError(409, 'conflict', 'other requests created the same resources: try again');
    return attempt(call, entries, service, number + 1);
  }
}

/** @returns the answers in the order of the Bundle. */
async function runAll(entries: EntryCall[], tx: RestTransaction, service: Service): Promise<Answer[]> {
  const { identified, rewrite } = await assignIdentities(entries, tx);
  const answers: Answer[] = [];
  for (const entry of identified.sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method))) {
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
      const isOther = entry.interaction.code === 'create' && answer.version?.id !== entry.call.id;
      if (isOther) throw new LostRace('a conditional create found another resource');
      return answer;
    });
  }
  return answers;
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
