/**
 * A Subscription as the server understands it, or the reason why it does not: criteria, channel and payload are checked when it is
 * asked for (https://hl7.org/fhir/R4/subscription.html, and the backport's rules for accepting a request).
 */
import type { Subscription } from '@medplum/fhirtypes';
import { type Criteria, readCriteria } from './criteria.ts';
import { backportExtensions } from './extensions.ts';
import { checkHeaders } from './headers.ts';
import { refused } from './refused.ts';
import type { Topic } from './topics.ts';

export type Channel = 'rest-hook' | 'websocket' | 'email';
export type Content = 'empty' | 'id-only' | 'full-resource';
export type Format = 'json' | 'xml';

export interface Wanted {
  criteria: Criteria;
  channel: Channel;
  /** Address of a rest-hook, `mailto:` of an e-mail. */
  endpoint?: string;
  /** What is sent; undefined: that something happened, and nothing more (R4 without payload, e-mail). */
  format?: Format;
  /** As asked for, the content type of what is sent. */
  mimeType?: string;
  content: Content;
  /** `Name: value`, values sealed (headers.ts). */
  headers: readonly string[];
  heartbeatSeconds?: number;
  timeoutMs: number;
  /** Most events of one notification. */
  maxCount: number;
  end?: Date;
}

export interface Abilities {
  topics: ReadonlyMap<string, Topic>;
  /** XML can be written. */
  hasXml: boolean;
  /** A mail server is configured. */
  hasMail: boolean;
}

const defaultTimeoutMs = 10_000;
/** A receiver that holds the line longer holds a place of others. */
const longestTimeoutSeconds = 30;
const defaultMaxCount = 20;
const mostEvents = 100;
/** A heartbeat costs a connection: more often than this it is the receiver that should ask. */
const shortestHeartbeatSeconds = 10;

const formats: Readonly<Record<string, Format>> = {
  'application/fhir+json': 'json',
  'application/json': 'json',
  'application/fhir+xml': 'xml',
  'application/xml': 'xml',
};

/** @throws FhirError 422 naming the element that cannot be honoured. */
export function readWanted(subscription: Subscription, abilities: Abilities): Wanted {
  const { channel, end } = subscription;
  const asked = backportExtensions(subscription);
  if (asked.channelType !== undefined) throw refused('channel.type', `channel ${asked.channelType} is not offered`);
  const kind = channelOf(channel.type, abilities);
  const criteria = readCriteria(subscription.criteria, asked.filters, abilities.topics);
  const isTopic = criteria.kind === 'topic';
  const { format, mimeType } = payloadOf(channel.payload, kind, isTopic, abilities);
  const content = contentOf(asked.content, kind, isTopic);
  const heartbeatSeconds = asked.heartbeatSeconds || undefined;
  if (heartbeatSeconds !== undefined && heartbeatSeconds < shortestHeartbeatSeconds)
    throw refused('channel.extension', `a heartbeat period is at least ${shortestHeartbeatSeconds} seconds`);
  if (heartbeatSeconds !== undefined && kind === 'email')
    throw refused('channel.extension', 'nobody wants heartbeats by e-mail');
  if (heartbeatSeconds !== undefined && !isTopic)
    throw refused('channel.extension', 'heartbeats belong to topic-based subscriptions');
  const headers = channel.header ?? [];
  if (headers.length > 0 && kind !== 'rest-hook') throw refused('channel.header', `${kind} has no headers`);
  checkHeaders(headers);
  const endpoint = endpointOf(channel.endpoint, kind);
  return {
    criteria,
    channel: kind,
    content,
    headers,
    timeoutMs: asked.timeoutSeconds ? Math.min(asked.timeoutSeconds, longestTimeoutSeconds) * 1000 : defaultTimeoutMs,
    maxCount: Math.min(asked.maxCount ?? defaultMaxCount, mostEvents),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(format ? { format } : {}),
    ...(mimeType ? { mimeType } : {}),
    ...(heartbeatSeconds ? { heartbeatSeconds } : {}),
    ...(end ? { end: new Date(end) } : {}),
  };
}

function channelOf(type: string, { hasMail }: Abilities): Channel {
  if (type === 'rest-hook' || type === 'websocket') return type;
  if (type !== 'email')
    throw refused('channel.type', `channel ${type} is not offered: use rest-hook, websocket or email`);
  if (!hasMail) throw refused('channel.type', 'no mail server is configured here: email is not offered');
  return type;
}

function payloadOf(payload: string | undefined, kind: Channel, isTopic: boolean, { hasXml }: Abilities) {
  if (kind === 'email') {
    if (payload !== undefined && mediaType(payload) !== 'text/plain')
      throw refused('channel.payload', 'an e-mail carries no data: text/plain, without attachment');
    return {};
  }
  if (payload === undefined) return isTopic ? { format: 'json' as const, mimeType: 'application/fhir+json' } : {};
  if (kind === 'websocket' && !isTopic)
    throw refused('channel.payload', 'the WebSocket of R4 tells that something happened, no more');
  const format = formats[mediaType(payload)];
  if (!format) throw refused('channel.payload', 'only application/fhir+json and application/fhir+xml are sent');
  if (format === 'xml' && !hasXml) throw refused('channel.payload', 'XML is not sent');
  const fhirVersion = /;\s*fhirVersion\s*=\s*"?([\d.]+)/i.exec(payload)?.[1];
  if (fhirVersion !== undefined && !fhirVersion.startsWith('4.0'))
    throw refused('channel.payload', 'only FHIR 4.0 is sent');
  return { format, mimeType: payload };
}

function mediaType(payload: string): string {
  const [type = '', ...parameters] = payload.toLowerCase().split(';');
  return parameters.some((parameter) => parameter.trim().startsWith('attach')) ? '' : type.trim();
}

function contentOf(content: string | undefined, kind: Channel, isTopic: boolean): Content {
  if (content === undefined) return 'empty';
  if (!isTopic) throw refused('channel.payload', 'a payload content belongs to topic-based subscriptions');
  if (content !== 'empty' && content !== 'id-only' && content !== 'full-resource')
    throw refused('channel.payload', 'payload content is one of empty, id-only, full-resource');
  if (kind === 'email' && content !== 'empty')
    throw refused('channel.payload', 'an e-mail carries no data: content empty');
  return content;
}

const longestEndpoint = 2_048;
const mailbox = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;

function endpointOf(endpoint: string | undefined, kind: Channel): string | undefined {
  if (kind === 'websocket') return undefined;
  if (endpoint === undefined) throw refused('channel.endpoint', `${kind} needs an endpoint`);
  if (kind === 'email') {
    const address = endpoint.replace(/^mailto:/i, '');
    if (!mailbox.test(address))
      throw refused('channel.endpoint', 'an e-mail endpoint is one address: mailto:somebody@example.org');
    return address;
  }
  if (endpoint.length > longestEndpoint || !URL.canParse(endpoint))
    throw refused('channel.endpoint', 'the endpoint is not an address');
  const url = new URL(endpoint);
  if (url.username || url.password) throw refused('channel.endpoint', 'credentials belong into channel.header');
  if (url.hash) throw refused('channel.endpoint', 'the endpoint has a fragment');
  return endpoint;
}
