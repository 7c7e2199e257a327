/**
 * One step of one subscription by rest-hook or e-mail: the end, the handshake, the next notification, or a heartbeat. Whoever calls holds
 * the lock of the subscription, so steps never overlap and events leave in the order of their numbers.
 */
import type { Subscription } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { type Context, FhirError } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import type { RestStore } from '../store/contract.ts';
import type { Channels, Outcome, Sending } from './channels.ts';
import type { Disclosure } from './disclosure.ts';
import { numberNewEvents, readEvents } from './events.ts';
import { type Feed, readFeed, recordDelivered, recordFailure, recordHeartbeat } from './feeds.ts';
import { type HeaderSealer, openHeaders, sealsOf, unseal } from './headers.ts';
import { notificationBundle, type Told } from './notification.ts';
import { backOffMs, isGivenUp } from './schedule.ts';
import { single } from './single.ts';
import type { StatusKeeper } from './status.ts';
import { type Abilities, readWanted, type Wanted } from './wanted.ts';

export interface DeliverParts {
  database: Database;
  store: RestStore;
  sealer: Pick<HeaderSealer, 'openText'>;
  clock: Clock;
  abilities: Abilities;
  disclosure: Disclosure;
  channels: Channels;
  status: StatusKeeper;
  /** Service base as an owner addresses it, without a slash at the end. */
  base: (owner: Pick<Context, 'tenant' | 'actor'>) => string;
}

/** What the step needs to know of its subscription. */
interface Case {
  tenant: string;
  feed: Feed;
  wanted: Wanted;
  sending: Sending;
}

/** @returns whether there may be more to do now. */
export async function deliverStep(parts: DeliverParts, tenant: string, id: string): Promise<boolean> {
  const { database, store, clock, status } = parts;
  const sql = single(database, tenant);
  await numberNewEvents(database, tenant, id, async () => {
    const known = await readFeed(sql, tenant, id);
    return known && parts.disclosure.sightOf(await parts.disclosure.contextOf(tenant, known.owner), id);
  });
  const feed = await readFeed(sql, tenant, id);
  const stored = feed && (await store.reads(tenant).readStored('Subscription', id));
  if (!feed || !stored || stored.deleted) return false;
  const now = clock.now();
  if (feed.endsAt && feed.endsAt <= now) {
    await status.move(tenant, id, { from: ['requested', 'active', 'error'], to: 'off', error: 'Its end was reached' });
    return false;
  }
  if (feed.status !== 'requested' && feed.status !== 'active') return false;
  const stop = (error: string) => status.move(tenant, id, { from: ['requested', 'active'], to: 'error', error });

  const subscription = parseJson(stored.text) as Subscription;
  const wanted = understood(subscription, parts.abilities);
  if ('reason' in wanted) {
    await stop(wanted.reason);
    return false;
  }
  const context = await parts.disclosure.contextOf(tenant, feed.owner);
  if (!context) {
    await stop('The account that made this Subscription is closed');
    return false;
  }
  if (parts.disclosure.asksHidden(context, wanted.criteria)) {
    await stop('The account that made this Subscription does not see what its criteria ask about');
    return false;
  }
  const values = await unseal(sql, tenant, id, sealsOf(subscription), parts.sealer);
  const sending = { context, subscription: id, wanted, headers: openHeaders(wanted.headers, values) };
  const one: Case = { tenant, feed, wanted, sending };

  if (feed.status === 'requested') return activate(parts, one, stop);
  if (feed.nextAt > now || wanted.channel === 'websocket') return false;
  if (feed.lastEvent > feed.delivered) return sendNext(parts, one, stop);
  if (feed.heartbeatAt && feed.heartbeatAt <= now) return sendHeartbeat(parts, one, stop);
  return false;
}

/** Accepted once; what a later version or configuration does not take stops with a reason instead of being skipped for ever. */
function understood(subscription: Subscription, abilities: Abilities): Wanted | { reason: string } {
  try {
    return readWanted(subscription, abilities);
  } catch (error) {
    if (error instanceof FhirError) return { reason: error.message };
    throw error;
  }
}

type Stop = (error: string) => Promise<unknown>;

/** A topic's endpoint must take the handshake first; any failure of it is an error (backport, channels). */
async function activate(parts: DeliverParts, { tenant, feed, wanted, sending }: Case, stop: Stop): Promise<boolean> {
  if (wanted.channel === 'rest-hook' && wanted.criteria.kind === 'topic') {
    const bundle = notificationBundle(told(parts, sending, feed, wanted, 'handshake'));
    await parts.disclosure.audit(sending.context, feed.id, 'empty', []);
    const outcome = await parts.channels.postBundle(sending, bundle);
    if (outcome !== 'taken') {
      await stop(outcome.failure);
      return false;
    }
  }
  // Not moved: its endpoint is not asked again in the same breath.
  return parts.status.move(tenant, feed.id, { from: ['requested'], to: 'active' });
}

async function sendNext(parts: DeliverParts, one: Case, stop: Stop): Promise<boolean> {
  const { database, disclosure, clock } = parts;
  const { tenant, feed, wanted, sending } = one;
  const isTopic = wanted.criteria.kind === 'topic';
  const isSingle = wanted.channel === 'rest-hook' && !isTopic;
  const limit = isSingle ? 1 : wanted.maxCount;
  const range = { since: feed.delivered + 1, until: feed.lastEvent, limit };
  const events = await readEvents(single(database, tenant), tenant, feed.id, range);
  // Too old and forgotten: their numbers stay missing, which is how the receiver knows.
  const through = events.at(-1)?.number ?? feed.lastEvent;
  let outcome: Outcome = 'taken';
  if (events.length > 0) {
    const isContentWanted = isTopic ? wanted.content === 'full-resource' : wanted.format !== undefined;
    const shown = await disclosure.show(sending.context, events, isContentWanted);
    await disclosure.audit(sending.context, feed.id, isContentWanted ? 'full-resource' : wanted.content, shown);
    if (wanted.channel === 'email') outcome = await parts.channels.mail(sending, shown);
    else if (isSingle) outcome = await parts.channels.tellEvent(sending, shown[0]!);
    else {
      const event = { ...told(parts, sending, feed, wanted, 'event-notification'), lastEvent: through };
      outcome = await parts.channels.postBundle(sending, notificationBundle({ ...event, events: shown }));
    }
  }
  if (outcome !== 'taken') return fail(parts, one, outcome, stop);
  const progress = { from: feed.delivered, through, now: clock.now() };
  return recordDelivered(single(database, tenant), tenant, feed.id, progress);
}

async function sendHeartbeat(parts: DeliverParts, one: Case, stop: Stop): Promise<boolean> {
  const { tenant, feed, wanted, sending } = one;
  const outcome = await parts.channels.postBundle(
    sending,
    notificationBundle(told(parts, sending, feed, wanted, 'heartbeat')),
  );
  if (outcome !== 'taken') return fail(parts, one, outcome, stop);
  const progress = { from: feed.delivered, through: feed.delivered, now: parts.clock.now() };
  await recordDelivered(single(parts.database, tenant), tenant, feed.id, progress);
  return true;
}

async function fail(
  parts: DeliverParts,
  { tenant, feed }: Case,
  { failure, isFinal }: Exclude<Outcome, 'taken'>,
  stop: Stop,
): Promise<false> {
  const now = parts.clock.now();
  const nextAt = new Date(now.getTime() + backOffMs(feed.attempts + 1));
  await parts.database.transaction(tenant, async (sql) => {
    await recordFailure(sql, tenant, feed.id, { error: failure, nextAt, now });
    if (feed.heartbeatAt && feed.heartbeatAt <= now) await recordHeartbeat(sql, tenant, feed.id, now);
  });
  if (isFinal || isGivenUp(feed.failingSince ?? now, now)) await stop(failure);
  return false;
}

function told(
  { base, clock }: DeliverParts,
  { context }: Sending,
  feed: Feed,
  wanted: Wanted,
  type: Told['type'],
): Told {
  return toldOf({ base: base(context), clock }, feed, wanted, type);
}

export function toldOf(parts: { base: string; clock: Clock }, feed: Feed, wanted: Wanted, type: Told['type']): Told {
  const { criteria, content } = wanted;
  return {
    base: parts.base,
    subscription: feed.id,
    ...(criteria.kind === 'topic' ? { topic: criteria.topic.url } : {}),
    status: feed.status,
    type,
    lastEvent: feed.lastEvent,
    content,
    now: parts.clock.now(),
  };
}
