/** What the delivery room promises: an item queued in the caller's transaction reaches its destination or stays visible. */
import type { Context, FhirTransaction } from '../fhir/index.ts';

/** One thing to bring to one destination. Carries ids only, never patient data. */
export interface DeliveryItem {
  tenant: string;
  /** Stable over retries; becomes the control id of messages. At most 20 characters, [A-Z0-9]. */
  id: string;
  /** Name of a registered destination, e.g. `ris:<Organization id>`. Items of one destination leave in order of queueing. */
  destination: string;
  /** What to render: `request-answer`, `report-mdm`, `report-oru`, … */
  kind: string;
  /** Resource the item is about, e.g. `Task/…` (case). */
  focus: string;
  /** Child Task `deliver` that shows this item to people, e.g. `Task/…`. */
  task?: string;
  queuedAt: Date;
  attempts: number;
}

/** `mayHaveArrived`: it left at some attempt to which no answer came, so the other side may have it all the same. */
export type DeliveryResult =
  /** Taken in charge by the other side; evidence is kept (e.g. the ACK). */
  | { status: 'delivered'; evidence?: string; payload?: Buffer }
  /** Try again later: unreachable, AR. */
  | { status: 'retry'; reason: string; payload?: Buffer; mayHaveArrived?: boolean }
  /** Will never pass as it is: AE. Goes to the dead letters, visible and replayable. */
  | { status: 'failed'; reason: string; evidence?: string; payload?: Buffer; mayHaveArrived?: boolean };

/** Brings items to the other side. Must be idempotent for the same item id. */
export interface Destination {
  /** Which destinations it serves: `name` starts with this prefix, e.g. `ris:`. */
  prefix: string;
  /** At most so many of its destinations are served at once by one process: what hangs there must not hold up the others. */
  lanes?: number;
  deliver(item: DeliveryItem): Promise<DeliveryResult>;
}

/** Told in the transaction that records the outcome. */
export type OutcomeHook = (item: DeliveryItem, result: DeliveryResult, tx: FhirTransaction) => Promise<void>;

export interface Delivery {
  /** Adds an item to the outbox, in the caller's transaction; the worker is woken after commit. */
  enqueue(
    tx: FhirTransaction,
    item: { destination: string; kind: string; focus: string; task?: string },
  ): Promise<string>;
  registerDestination(destination: Destination): void;
  onOutcome(hook: OutcomeHook): void;
  /** Starts working; with what is due from before the last stop first. */
  start(systemContext: (tenant: string, interaction: string) => Context): Promise<void>;
  stop(): Promise<void>;
  /**
   * Keeps back the reports about this resource that have not left; what else is queued, also behind them, goes on. What is being sent at this
   * moment is not caught. In the caller's transaction.
   */
  hold(tx: FhirTransaction, focus: string): Promise<void>;
  /** Lets what was kept back leave, at its place in the order. */
  release(tx: FhirTransaction, focus: string): Promise<void>;
  /** Puts a dead letter back. */
  replay(tenant: string, id: string): Promise<void>;
}
