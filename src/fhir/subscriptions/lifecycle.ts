/**
 * What a write of a Subscription means (https://hl7.org/fhir/R4/subscription.html#2.46.3): clients ask for it (`requested`) or switch it
 * off, the server alone makes it `active`. Its feed follows in the same transaction. What it may show is decided by the rights of
 * the account that made it, so nobody else may turn it to another address or other criteria.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Subscription } from '@medplum/fhirtypes';
import {
  type Change,
  type ChangeHook,
  type Context,
  FhirError,
  type FhirGuards,
  type FhirTransaction,
} from '../contract.ts';
import { checkEndpoint, type EndpointPolicy } from './addresses.ts';
import type { CreateMatcher } from './contract.ts';
import { compileCriteria, typesOf } from './criteria.ts';
import type { Disclosure } from './disclosure.ts';
import { countFeeds, deleteFeed, type Feed, insertFeed, readFeed, type Settings, updateFeed } from './feeds.ts';
import { adoptSeals } from './headers.ts';
import { refused } from './refused.ts';
import { type Abilities, readWanted, type Wanted } from './wanted.ts';

export interface LifecycleParts {
  guards: Pick<FhirGuards, 'authorize'>;
  createMatcher: CreateMatcher;
  abilities: Abilities;
  disclosure: Pick<Disclosure, 'asksHidden' | 'contextOf'>;
  endpoints: EndpointPolicy;
  /** Circumstances in which the server itself changes a status. */
  own: WeakSet<Context>;
  /** Told after the commit. */
  wake(tenant: string): void;
}

const mostPerTenant = 1_000;
const mostPerOwner = 100;

export function followSubscriptions(parts: LifecycleParts): ChangeHook {
  return async (change, tx) => {
    if (change.type !== 'Subscription') return;
    const { tenant } = tx.context;
    if (change.interaction === 'delete') await end(change, tx);
    else await follow(parts, change, tx);
    tx.afterCommit(() => parts.wake(tenant));
  };
}

async function follow(parts: LifecycleParts, change: Change, tx: FhirTransaction): Promise<void> {
  const { tenant, actor } = tx.context;
  const after = change.after as Subscription & { id: string };
  const before = change.before as Subscription | undefined;
  const feed = await readFeed(tx.sql, tenant, change.id);
  const now = tx.context.now();
  const isOwn = parts.own.has(tx.context);
  if (isOwn && feed) return updateFeed(tx.sql, tenant, settingsOf(after, feed), { restart: false, now });

  const sameRequest = before !== undefined && isDeepStrictEqual(requestOf(before), requestOf(after));
  if (feed) checkOwner(feed, tx);
  if (after.status === 'active' && !(sameRequest && before?.status === 'active'))
    throw new FhirError(
      422,
      'business-rule',
      'Ask for it with status requested: the server makes it active',
      'Subscription.status',
    );
  const wanted = readWanted(after, parts.abilities);
  compileCriteria(wanted.criteria, parts.createMatcher);
  if (wanted.channel === 'rest-hook') checkEndpoint(wanted.endpoint!, tenant, parts.endpoints);
  // The platform's own writes (demonstration data) have no rights of a person; theirs are judged at delivery.
  if (actor.kind !== 'system') {
    for (const type of typesOf(wanted.criteria))
      parts.guards.authorize(tx.context, { interaction: 'search-type', type });
    // Hooks look at the whole: what the owner sees is asked for.
    const owner = await parts.disclosure.contextOf(tenant, actor.account);
    if (owner && parts.disclosure.asksHidden(owner, wanted.criteria))
      throw refused('criteria', 'these criteria ask about an element that is hidden from you');
  }
  await adoptSeals(tx.sql, tenant, after);
  const settings = settingsOfWanted(after, wanted);
  if (feed) return updateFeed(tx.sql, tenant, settings, { restart: after.status === 'requested', now });
  await checkNumber(tx, actor.account);
  await insertFeed(tx.sql, tenant, actor.account, settings, now);
}

async function end({ id }: Change, tx: FhirTransaction): Promise<void> {
  const { tenant } = tx.context;
  const feed = await readFeed(tx.sql, tenant, id);
  if (feed) checkOwner(feed, tx);
  await deleteFeed(tx.sql, tenant, id);
}

/** To shut off what somebody else asked for, shut off the account: alarms must not be muted by whoever passes by. */
function checkOwner({ owner }: Feed, { context: { actor } }: FhirTransaction): void {
  if (actor.kind !== 'system' && owner !== actor.account)
    throw new FhirError(403, 'forbidden', 'Only the account that made this Subscription changes it');
}

/** What is asked for, without what the server writes and what only people read. */
function requestOf({ criteria, channel, end, ...rest }: Subscription) {
  return { criteria, channel, end, filters: (rest as Record<string, unknown>)._criteria };
}

function settingsOfWanted({ id, status }: Subscription & { id: string }, wanted: Wanted): Settings {
  const { channel, heartbeatSeconds = null, end = null } = wanted;
  return { id, status, channel, heartbeatSeconds, endsAt: end };
}

/** The server changes the status alone. */
function settingsOf({ id, status }: Subscription & { id: string }, feed: Feed): Settings {
  const { channel, heartbeatSeconds, endsAt } = feed;
  return { id, status, channel, heartbeatSeconds, endsAt };
}

async function checkNumber(tx: FhirTransaction, account: string): Promise<void> {
  const { all, owned } = await countFeeds(tx.sql, tx.context.tenant, account);
  if (all >= mostPerTenant) throw refused('id', `there are ${mostPerTenant} Subscriptions already`);
  if (owned >= mostPerOwner) throw refused('id', `you have ${mostPerOwner} Subscriptions already`);
}
