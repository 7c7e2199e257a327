/** How a notification leaves by rest-hook and by e-mail: https://hl7.org/fhir/R4/subscription.html#channels, and the backport's. */
import type { Bundle } from '@medplum/fhirtypes';
import type { Context } from '../contract.ts';
import { stringifyJson } from '../json/index.ts';
import type { Mailer } from './contract.ts';
import type { Endpoints, Reply } from './endpoint.ts';
import { awaitingMail } from './mails.ts';
import type { ShownEvent } from './notification.ts';
import type { Wanted } from './wanted.ts';

export type Outcome = 'taken' | { failure: string; isFinal?: boolean };

export interface Sending {
  context: Context;
  subscription: string;
  wanted: Wanted;
  /** Headers with their values. */
  headers: readonly (readonly [name: string, value: string])[];
}

export interface Channels {
  /** A Bundle by POST (backport). */
  postBundle(sending: Sending, bundle: Bundle): Promise<Outcome>;
  /** One event as R4 tells it: an empty POST, or the resource put below the endpoint. */
  tellEvent(sending: Sending, shown: ShownEvent): Promise<Outcome>;
  mail(sending: Sending, events: readonly ShownEvent[]): Promise<Outcome>;
}

export interface ChannelParts {
  endpoints: Endpoints;
  mailer?: Mailer;
  toXml?: (json: string) => string;
  /** Where people sign in. */
  link: () => string;
}

export function createChannels({ endpoints, mailer, toXml, link }: ChannelParts): Channels {
  function request({ context, wanted, headers }: Sending, to: { url: string; method: 'POST' | 'PUT'; json?: string }) {
    const { json } = to;
    const body = json !== undefined && wanted.format === 'xml' && toXml ? toXml(json) : json;
    return endpoints.request({
      url: new URL(to.url),
      tenant: context.tenant,
      method: to.method,
      headers: {
        ...Object.fromEntries(headers),
        'x-request-id': context.requestId,
        ...(body === undefined ? {} : { 'content-type': contentType(wanted) }),
      },
      timeoutMs: wanted.timeoutMs,
      ...(body === undefined ? {} : { body }),
    });
  }

  return {
    async postBundle(sending, bundle) {
      const url = sending.wanted.endpoint!;
      return outcomeOf(await request(sending, { url, method: 'POST', json: stringifyJson(bundle) }));
    },
    async tellEvent(sending, { isShown, resource, event }) {
      const { endpoint, format } = sending.wanted;
      // Nothing may be told of it: R4 has no words for "something you may not see".
      if (!isShown) return 'taken';
      if (!format) return outcomeOf(await request(sending, { url: endpoint!, method: 'POST' }));
      // Deleted since: the receiver will be told by whoever tells deletions.
      if (!resource) return 'taken';
      const url = `${endpoint!.replace(/\/$/, '')}/${event.type}/${event.resource}`;
      return outcomeOf(await request(sending, { url, method: 'PUT', json: stringifyJson(resource) }));
    },
    async mail({ subscription, wanted }, events) {
      const told = events.filter(({ isShown }) => isShown);
      if (told.length === 0) return 'taken';
      if (!mailer) return { failure: 'no mail server is configured' };
      const { criteria } = wanted;
      const mail = awaitingMail({
        to: wanted.endpoint!,
        ...(criteria.kind === 'topic' ? { title: criteria.topic.title } : {}),
        count: told.length,
        link: link(),
        key: `${subscription}-${events.at(-1)!.event.number}`,
      });
      try {
        await mailer.send(mail);
        return 'taken';
      } catch (error) {
        const { responseCode, code } = error as { responseCode?: number; code?: string };
        return { failure: `the mail server did not take the message (${responseCode ?? code ?? 'unknown'})` };
      }
    },
  };
}

function contentType({ mimeType = 'application/fhir+json' }: Wanted): string {
  return /charset/i.test(mimeType) ? mimeType : `${mimeType}; charset=utf-8`;
}

/** Anything but 2xx is a failure; redirections are not followed. 410 says that nobody will ever be there again. */
function outcomeOf(reply: Reply): Outcome {
  if ('failure' in reply) return { failure: reply.failure };
  const { status } = reply;
  if (status >= 200 && status < 300) return 'taken';
  const isRedirection = status >= 300 && status < 400;
  const failure = isRedirection
    ? `the endpoint answered HTTP ${status}: redirections are not followed`
    : `the endpoint answered HTTP ${status}`;
  return { failure, ...(status === 410 ? { isFinal: true } : {}) };
}
