/** Subscriptions: R4's and the topic-based backport's, recorded with every write, delivered in order, resumed after everything. */
export type { Owners } from './contract.ts';
export { createSubscriptions, type SubscriptionOptions, type Subscriptions } from './create-subscriptions.ts';
export { withSealedHeaders } from './sealed-store.ts';
