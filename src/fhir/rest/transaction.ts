/**
 * transaction: all entries or none, in the order DELETE, POST, PUT and PATCH, GET and HEAD, references between entries resolved first
 * (https://hl7.org/fhir/R4/http.html#trules).
 */
import { FhirError } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import { inTurns } from '../store/in-turns.ts';
import { UnresolvedReferences } from '../store/references.ts';
import { at, atAsync, located } from './at-entry.ts';
import { LostRace, withRetries } from './attempts.ts';
import { bundleText } from './bundle.ts';
import { answeredEntry, type EntryCall, entriesOf, idOf, readEntry } from './bundle-entry.ts';
import { claimDeletions, createClaims, identify } from './bundle-identity.ts';
import { type BundleReferences, bundleReferences } from './bundle-references.ts';
import type { Answer, Call, Service, SystemInteraction } from './call.ts';
import { type ConditionalReferences, conditionalReferences, Unmatched } from './conditional-references.ts';
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
  for (const entry of deletions.sort(byAddress)) answers[entry.index] = await runEntry(entry, tx, service, false);

  const references = bundleReferences(entries, call.base);
  const identified = await identify([...creations, ...changes], tx, claims, references.isReferredTo);
  for (const entry of identified) {
    const id = idOf(entry);
    if (id === undefined || entry.interaction.code === 'operation') continue;
    const version = references.isVersionReferredTo(entry) ? await versionMade(entry, id, tx) : undefined;
    references.resolve(entry, `${entry.call.type}/${id}`, version);
  }
  const isChange = new Set(changes.map(({ index }) => index));
  const inOrder = [
    ...identified.filter(({ index }) => !isChange.has(index)),
    ...identified.filter(({ index }) => isChange.has(index)).sort(byAddress),
  ];
  const run: Run = async (entry) => {
    answers[entry.index] = await runEntry(entry, tx, service, references.isReferredTo(entry));
  };
  await runResolved(inOrder, { references, bySearch, run });
  await bySearch.confirm();
  for (const entry of reads) await run(entry);
}

type Run = (entry: EntryCall) => Promise<void>;

interface Resolving {
  references: BundleReferences;
  bySearch: ConditionalReferences;
  run: Run;
}

/** Rounds of entries that wait for one another by references by search. */
const maxRounds = 10;

/** Runs in order what can be; what refers by search to nothing yet waits for the others, whose order does not matter. */
async function runResolved(entries: readonly EntryCall[], resolving: Resolving): Promise<void> {
  // Creates wait in memory: thousands of them would otherwise be made without anybody else being heard.
  const othersHeard = inTurns();
  let open = entries;
  for (let round = 1; open.length > 0; round++) {
    const waiting: EntryCall[] = [];
    let reason: unknown;
    for (const entry of open) {
      await othersHeard();
      const body = await resolvedBody(entry, resolving);
      if (body instanceof Unmatched) {
        reason ??= located(body, entry.index);
        waiting.push(entry);
      } else await resolving.run(withBody(entry, body));
    }
    if (reason !== undefined && (waiting.length === open.length || round === maxRounds)) throw reason;
    open = waiting;
  }
}

async function resolvedBody(entry: EntryCall, { references, bySearch }: Resolving): Promise<unknown> {
  const body = references.rewritten(entry);
  if (body === undefined || entry.found) return body;
  try {
    return await bySearch.resolved(body, entry);
  } catch (error) {
    if (error instanceof Unmatched) return error;
    throw located(error, entry.index);
  }
}

/** Version an entry has made, or found, when the transaction is over. */
async function versionMade({ call, interaction, found }: EntryCall, id: string, tx: RestTransaction): Promise<number> {
  if (found) return found.version;
  if (interaction.code === 'create' || call.type === 'AuditEvent') return 1;
  return ((await tx.lockStored(call.type!, id))?.version ?? 0) + 1;
}

function runEntry(entry: EntryCall, tx: RestTransaction, service: Service, isReferredTo: boolean): Promise<Answer> {
  return atAsync(entry.index, async () => {
    const { call, interaction, found } = entry;
    if (found) return foundAnswer(call, found);
    // What a transaction reads stays so until it ends: else two could each miss what the other writes.
    if (interaction.code === 'read') await tx.lockStored(call.type!, call.id!, { shared: true });
    const answer = await executeWithin(call, interaction, tx, service);
    if (interaction.code === 'create') requireIdGiven(entry, answer, tx, isReferredTo);
    return answer;
  });
}

/** A conditional create was given an id, which others may have been told, before it found something. */
function requireIdGiven({ call }: EntryCall, { version }: Answer, tx: RestTransaction, isReferredTo: boolean): void {
  if (!version || call.id === undefined || version.id === call.id) return;
  // Found at the next attempt before anything is written, and held until the end.
  if (tx.writtenText(version.type, version.id) === undefined)
    throw new LostRace('a conditional create found another resource');
  if (!isReferredTo) return;
  // No further attempt would change that.
  throw new FhirError(
    400,
    'duplicate',
    'the condition matches what another entry of this transaction writes: refer to that entry',
    'http.If-None-Exist',
  );
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

function addressOf(entry: EntryCall): string {
  return `${entry.call.type}/${idOf(entry) ?? ''}`;
}
