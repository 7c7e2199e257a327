/** Subscriptions: R4's and the topic-based backport's, recorded with every write, delivered in order, resumed after everything. */
export type { CreateMatcher, EndpointRules, Mailer, Owners } from './contract.ts';
export { createSubscriptions, type SubscriptionOptions, type Subscriptions } from './create-subscriptions.ts';
export { type HeaderSealer, resealHeaders } from './headers.ts';
export { withSealedHeaders } from './sealed-store.ts';
