/** Outbox, order, retries, dead letters, replay; destinations plug in (design §2). */
export type { Delivery, DeliveryItem, DeliveryResult, Destination, OutcomeHook } from './contract.ts';
export { createDelivery, type DeliveryRoom } from './delivery.ts';
export { deliveryGauges } from './gauges.ts';
