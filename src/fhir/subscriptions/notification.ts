/**
 * Notifications of the backport: a Bundle of type `history` whose first entry is the status of the subscription as Parameters
 * (profiles backport-subscription-notification-r4 and backport-subscription-status-r4). Pure.
 */
import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { isGivenHere } from '../store/new-id.ts';
import type { SubscriptionEvent } from './events.ts';
import { notificationProfile, statusProfile } from './extensions.ts';
import type { Status } from './feeds.ts';
import type { Content } from './wanted.ts';

export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';

/** An event as far as the owner may see it now. */
export interface ShownEvent {
  event: SubscriptionEvent;
  /** The owner may know which resource it is about. */
  isShown: boolean;
  /** The version of the event; absent when it was deleted or is not to be told. */
  resource?: Resource;
}

export interface Told {
  /** Service base, without a slash at the end. */
  base: string;
  subscription: string;
  topic?: string;
  status: Status;
  type: NotificationType;
  /** Number of the last event so far. */
  lastEvent: number;
  content: Content;
  now: Date;
  events?: readonly ShownEvent[];
  error?: string;
}

export function notificationBundle(told: Told): Bundle {
  const { base, subscription, content, now, events = [] } = told;
  const status: BundleEntry = {
    fullUrl: `urn:uuid:${randomUUID()}`,
    resource: statusParameters(told),
    request: { method: 'GET', url: `${base}/Subscription/${subscription}/$status` },
    response: { status: '200' },
  };
  const focuses =
    content === 'empty' ? [] : events.filter(({ isShown }) => isShown).map((shown) => focusEntry(base, content, shown));
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { profile: [notificationProfile] },
    type: 'history',
    timestamp: now.toISOString(),
    entry: [status, ...focuses],
  };
}

export function statusParameters(told: Told): Parameters {
  const { base, subscription, topic, status, type, lastEvent, content, events = [], error } = told;
  return {
    resourceType: 'Parameters',
    meta: { profile: [statusProfile] },
    parameter: [
      { name: 'subscription', valueReference: { reference: `${base}/Subscription/${subscription}` } },
      // The profile asks not to name it in an empty notification.
      ...(topic && content !== 'empty' ? [{ name: 'topic', valueCanonical: topic }] : []),
      { name: 'status', valueCode: status },
      { name: 'type', valueCode: type },
      { name: 'events-since-subscription-start', valueString: String(lastEvent) },
      ...events.map((shown) => eventParameter(base, content, shown)),
      ...(error ? [{ name: 'error', valueCodeableConcept: { text: error } }] : []),
    ],
  };
}

function eventParameter(base: string, content: Content, { event, isShown }: ShownEvent): ParametersParameter {
  const reference = `${base}/${event.type}/${event.resource}`;
  return {
    name: 'notification-event',
    part: [
      { name: 'event-number', valueString: String(event.number) },
      { name: 'timestamp', valueInstant: event.at.toISOString() },
      ...(content === 'empty' || !isShown ? [] : [{ name: 'focus', valueReference: { reference } }]),
    ],
  };
}

const methods = { create: 'POST', update: 'PUT', delete: 'DELETE' } as const;
const statuses = { create: '201', update: '200', delete: '204' } as const;

function focusEntry(base: string, content: Content, { event, resource }: ShownEvent): BundleEntry {
  const { type, resource: id, interaction } = event;
  // Under an id of somebody's choice it was put.
  const method = interaction === 'create' && !isGivenHere(id, event.at) ? 'PUT' : methods[interaction];
  return {
    fullUrl: `${base}/${type}/${id}`,
    ...(content === 'full-resource' && resource ? { resource } : {}),
    request: { method, url: method === 'POST' ? type : `${type}/${id}` },
    response: {
      status: content === 'full-resource' && !resource && interaction !== 'delete' ? '410' : statuses[interaction],
    },
  };
}
