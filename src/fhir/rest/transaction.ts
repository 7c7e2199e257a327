/**
 * transaction: all entries or none, in the order DELETE, POST, PUT and PATCH, GET and HEAD, references between entries resolved first
 * (https://hl7.org/fhir/R4/http.html#trules).
 */
import { FhirError } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import { UnresolvedReferences } from '../store/references.ts';
import { LostRace, withRetries } from './attempts.ts';
import { bundleText } from './bundle.ts';
import { answeredEntry, type EntryCall, entriesOf, readEntry } from './bundle-entry.ts';
import { claimDeletions, createClaims, identify } from './bundle-identity.ts';
import { bundleReferences } from './bundle-references.ts';
import type { Answer, Call, Service, SystemInteraction } from './call.ts';
import { type ConditionalReferences, conditionalReferences } from './conditional-references.ts';
import { foundAnswer } from './create.ts';
import { atEntry } from './errors.ts';
import { authorize, executeWithin } from './execute.ts';

const steps: Readonly<Record<string, number>> = { DELETE: 0, POST: 1, PUT: 2, PATCH: 2, GET: 3, HEAD: 3 };

export const transaction: SystemInteraction = {
  access: 'system',
  code: 'transaction',
  async run(call, service) {
    const entries = entriesOf(call).map((entry, index) => at(index, () => readEntry(entry, index, call, service)));
    for (const entry of entries) at(entry.index, () => authorize(entry.call, entry.interaction, service));
    const once = async () => {
      const made: Answer[] = [];
      try {
        await service.store.restTransaction(call.context, (tx) => runAll(call, entries, tx, service, made));
        return made;
      } catch (error) {
        throw error instanceof UnresolvedReferences ? atSources(error, made) : error;
      }
    };
    // What an operation did outside the database is not undone: such a transaction is run once.
    const answers = await (entries.some(isOperation) ? once() : withRetries(once));
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
        entries: entries.map((entry) => answeredEntry(answers[entry.index]!, entry)),
      }),
    };
  },
};

/** Whose references lead to nothing is known at the commit only. */
function atSources({ status, outcome, sources }: UnresolvedReferences, answers: readonly Answer[]): FhirError {
  const issues = outcome.issue.flatMap((issue, n) => {
    const index = answers.findIndex(({ version }) => version && `${version.type}/${version.id}` === sources[n]);
    return index === -1 ? issue : atEntry({ ...outcome, issue: [issue] }, index).issue;
  });
  return FhirError.of(status, issues);
}

function isOperation({ interaction, method }: EntryCall): boolean {
  return interaction.code === 'operation' && method === 'POST';
}

/** @param answers filled in the order of the Bundle. */
async function runAll(
  call: Call,
  entries: EntryCall[],
  tx: RestTransaction,
  service: Service,
  answers: Answer[],
): Promise<void> {
  const bySearch = conditionalReferences(tx, service);
  const [deletions = [], creations = [], changes = [], reads = []] = inSteps(entries);
  const claims = createClaims();
  await claimDeletions(deletions, tx, claims);
  for (const entry of deletions.sort(byAddress)) answers[entry.index] = await runEntry(entry, tx, service, bySearch);

  const references = bundleReferences(entries, call.base);
  const identified = await identify([...creations, ...changes], tx, claims, references.isReferredTo);
  for (const entry of identified) {
    const id = entry.call.id ?? (entry.call.body as { id?: string } | undefined)?.id;
    if (id !== undefined && entry.interaction.code !== 'operation')
      references.resolve(entry, `${entry.call.type}/${id}`);
  }
  const isChange = new Set(changes.map(({ index }) => index));
  const inOrder = [
    ...identified.filter(({ index }) => !isChange.has(index)),
    ...identified.filter(({ index }) => isChange.has(index)).sort(byAddress),
    ...reads,
  ];
  for (const entry of inOrder) {
    const body = references.rewritten(entry);
    answers[entry.index] = await runEntry(withBody(entry, body), tx, service, bySearch);
  }
}

function runEntry(
  entry: EntryCall,
  tx: RestTransaction,
  service: Service,
  bySearch: ConditionalReferences,
): Promise<Answer> {
  return atAsync(entry.index, async () => {
    const { call, interaction, found } = entry;
    if (found) return foundAnswer(call, found);
    // What a transaction reads stays so until it ends: else two could each miss what the other writes.
    if (interaction.code === 'read') await tx.lockStored(call.type!, call.id!, { shared: true });
    const body = call.body === undefined ? undefined : await bySearch.resolved(call.body, call);
    const answer = await executeWithin(withBody(entry, body).call, interaction, tx, service);
    const isOther = interaction.code === 'create' && call.id !== undefined && answer.version?.id !== call.id;
    if (isOther) throw new LostRace('a conditional create found another resource');
    return answer;
  });
}

function withBody(entry: EntryCall, body: unknown): EntryCall {
  return body === entry.call.body ? entry : { ...entry, call: { ...entry.call, body } };
}

function inSteps(entries: readonly EntryCall[]): EntryCall[][] {
  const inOrder: EntryCall[][] = [];
  for (const entry of entries) {
    const step = steps[entry.method] ?? Object.keys(steps).length;
    inOrder[step] ??= [];
    inOrder[step].push(entry);
  }
  return inOrder;
}

/** Two Bundles that change the same resources lock them in the same order: one waits for the other instead of ending in a deadlock. */
function byAddress(a: EntryCall, b: EntryCall): number {
  const [first, second] = [addressOf(a), addressOf(b)];
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

function addressOf({ call }: EntryCall): string {
  return `${call.type}/${call.id ?? (call.body as { id?: string } | undefined)?.id ?? ''}`;
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
