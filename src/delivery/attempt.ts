/** One attempt: ask the destination, decide what the answer means, record it with the domain's consequences in one transaction. */
import type { Clock } from '../config/index.ts';
import type { Context, FhirStore } from '../fhir/index.ts';
import type { DeliveryResult, Destination, OutcomeHook } from './contract.ts';
import { type OutboxItem, type Settlement, settle } from './outbox.ts';
import { backOffMs, giveUpAfterMs, isGivenUp } from './schedule.ts';

/** A destination that never answers must not hold its queue for ever; the item is then tried again under the same id. */
const attemptLimitMs = 10 * 60_000;
/** What is kept of an answer or an error, in characters. */
const textLimit = 100_000;
const errorLimit = 2_000;

/**
 * Asks the destination; whatever it throws is an attempt to repeat.
 * The text of an unknown error may quote what was sent, so only its kind is kept.
 */
export async function deliver(destination: Destination | undefined, item: OutboxItem): Promise<DeliveryResult> {
  if (!destination) return { status: 'retry', reason: 'aucune voie d’envoi n’est paramétrée pour ce destinataire' };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DeliveryResult>((resolve) => {
    timer = setTimeout(
      () => resolve({ status: 'retry', reason: 'pas de réponse dans le temps prévu' }),
      attemptLimitMs,
    );
    timer.unref();
  });
  try {
    return await Promise.race([destination.deliver(publicItem(item)), late]);
  } catch (error) {
    return { status: 'retry', reason: `erreur interne (${errorKind(error)})` };
  } finally {
    clearTimeout(timer);
  }
}

/** What the outcome means for the item: pure. */
function settlementOf(item: OutboxItem, result: DeliveryResult, now: Date, random: number): Settlement {
  const evidence = result.status === 'retry' ? undefined : result.evidence?.slice(0, textLimit);
  const finished = { nextAt: now, finishedAt: now, evidence, payload: result.payload };
  switch (result.status) {
    case 'delivered':
      return { state: 'delivered', ...finished };
    case 'failed':
      return { state: 'failed', ...finished, error: result.reason.slice(0, errorLimit) };
    case 'retry': {
      const error = result.reason.slice(0, errorLimit);
      if (isGivenUp(item.triedSince, now)) return { state: 'dead', ...finished, error };
      return { state: 'queued', nextAt: new Date(now.getTime() + backOffMs(item.attempts, random)), error };
    }
  }
}

/** What hooks are told of a settled attempt: giving up is a failure for everybody but the destination. */
function toldResult(settlement: Settlement, result: DeliveryResult): DeliveryResult {
  if (settlement.state !== 'dead' || result.status !== 'retry') return result;
  const days = giveUpAfterMs / 86_400_000;
  return { ...result, status: 'failed', reason: `abandonné après ${days} jours d’essais : ${result.reason}` };
}

/**
 * Records the outcome. When the transaction cannot be committed (a hook refuses, the database is away) the item goes back to
 * the queue and will be sent again under the same id: the other side recognises it.
 * @returns the state now stored; undefined when another worker took the item over.
 */
export async function record(
  options: { store: FhirStore; clock: Clock; hooks: readonly OutcomeHook[]; context: Context; random: () => number },
  item: OutboxItem,
  sender: number,
  result: DeliveryResult,
): Promise<Settlement['state'] | undefined> {
  const { store, clock, hooks, context, random } = options;
  try {
    const settlement = settlementOf(item, result, clock.now(), random());
    return await store.transaction(context, async (tx) => {
      if (!(await settle(tx.sql, item, sender, settlement))) return undefined;
      for (const hook of hooks) await hook(publicItem(item), toldResult(settlement, result), tx);
      return settlement.state;
    });
  } catch (error) {
    const reason = `the outcome (${result.status}) could not be recorded: ${errorKind(error)}`;
    const again = settlementOf(item, { status: 'retry', reason }, clock.now(), random());
    return await store.transaction(context, async (tx) =>
      (await settle(tx.sql, item, sender, again)) ? again.state : undefined,
    );
  }
}

/** The item as the contract shows it, without the queue's own columns. */
function publicItem(item: OutboxItem) {
  const { tenant, id, destination, kind, focus, task, queuedAt, attempts } = item;
  return { tenant, id, destination, kind, focus, ...(task ? { task } : {}), queuedAt, attempts };
}

/** Name and code of an error, never its text. */
export function errorKind(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? `${error.name} ${code}` : error.name;
}
