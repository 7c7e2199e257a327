/**
 * What a notification may show: what the owner of the subscription may read when it leaves, whatever was allowed when it was asked
 * for. Every delivery is told to the audit trail first, as a read by the owner.
 */
import { randomUUID } from 'node:crypto';
import type { Resource, Subscription } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import { type Context, FhirError, type FhirGuards } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import type { RestReads, RestStore } from '../store/contract.ts';
import type { OwnerIdentity, Owners } from './contract.ts';
import { type Criteria, ownSearches } from './criteria.ts';
import type { Sees, SubscriptionEvent } from './events.ts';
import type { ShownEvent } from './notification.ts';
import { type Abilities, type Content, readWanted } from './wanted.ts';

/** For the audit trail. */
const notifyInteraction = 'operation:Subscription/$notify';
const bindInteraction = 'operation:Subscription/$bind';

export interface Disclosure {
  /** Circumstances of a delivery; undefined when the owner's account is gone or shut off. */
  contextOf(tenant: string, owner: string): Promise<Context | undefined>;
  /** Whether criteria ask about what is hidden from somebody: an event would tell of it. */
  asksHidden(context: Context, criteria: Criteria): boolean;
  /** What the owner of a subscription sees of its events; undefined for everything. Nobody, and who asks about what is hidden, see none. */
  sightOf(context: Context | undefined, subscription: string): Sees;
  /** Each event with what of it the owner may see. */
  show(context: Context, events: readonly SubscriptionEvent[], isContentWanted: boolean): Promise<ShownEvent[]>;
  /** Resolves once the delivery is in the trail: it leaves only then. */
  audit(context: Context, subscription: string, content: Content, shown: readonly ShownEvent[]): Promise<void>;
  /** Tells the trail that somebody asked to be told of a subscription, and was not. */
  auditRefused(context: Context, subscription: string): Promise<void>;
}

export interface DisclosureParts {
  store: Pick<RestStore, 'reads' | 'requireSearchable'>;
  abilities: Abilities;
  guards: Pick<FhirGuards, 'isAllowed' | 'auditRead'>;
  owners: Owners;
  clock: Clock;
}

export function createDisclosure({ store, guards, owners, clock, abilities }: DisclosureParts): Disclosure {
  return {
    async contextOf(tenant, owner) {
      const identity = await owners.identityOf(tenant, owner);
      return identity && contextOf(tenant, identity, clock);
    },
    asksHidden,
    sightOf(context, subscription) {
      if (!context) return async () => false;
      if (!context.rows && !context.hidden) return undefined;
      const reads = store.reads(context.tenant, context);
      let isBlind: Promise<boolean> | undefined;
      return async (type, id) => {
        isBlind ??= storedAsksHidden(context, subscription);
        return !(await isBlind) && (await reads.readStored(type, id)) !== undefined;
      };
    },
    async show(context, events, isContentWanted) {
      const reads = store.reads(context.tenant, context);
      const shown: ShownEvent[] = [];
      for (const event of events) shown.push(await showOne(context, reads, event, isContentWanted));
      return shown;
    },
    async audit(context, subscription, content, shown) {
      const told = content === 'empty' ? [] : shown.filter(({ isShown }) => isShown);
      await guards.auditRead(context, {
        resources: told.map(({ event, resource }) => resource ?? named(event)),
        target: { type: 'Subscription', id: subscription },
        outcome: 'success',
      });
    },
    auditRefused: (context, subscription) =>
      guards.auditRead(
        { ...context, interaction: bindInteraction },
        { resources: [], target: { type: 'Subscription', id: subscription }, outcome: 'refused' },
      ),
  };

  function asksHidden(context: Context, criteria: Criteria): boolean {
    if (!context.hidden) return false;
    return ownSearches(criteria).some(({ type, query }) => {
      try {
        store.requireSearchable(context.tenant, context, type, query);
        return false;
      } catch (error) {
        if (error instanceof FhirError) return true;
        throw error;
      }
    });
  }

  async function storedAsksHidden(context: Context, subscription: string): Promise<boolean> {
    if (!context.hidden) return false;
    const stored = await store.reads(context.tenant).readStored('Subscription', subscription);
    if (!stored || stored.deleted) return false;
    return asksHidden(context, readWanted(parseJson(stored.text) as Subscription, abilities).criteria);
  }

  async function showOne(
    context: Context,
    reads: RestReads,
    event: SubscriptionEvent,
    isContentWanted: boolean,
  ): Promise<ShownEvent> {
    const { type, resource: id } = event;
    if (!guards.isAllowed(context, { interaction: 'read', type, id })) return { event, isShown: false };
    const current = context.rows || isContentWanted ? await reads.readStored(event.type, event.resource) : undefined;
    if (context.rows && !current) return { event, isShown: false };
    // A delete leaves nothing to show but which one it was.
    if (event.interaction === 'delete' || !isContentWanted) return { event, isShown: true };
    if (!current || current.deleted) return { event, isShown: true };
    const version =
      current.version === event.version ? current : await reads.readVersion(event.type, event.resource, event.version);
    if (!version || version.deleted) return { event, isShown: true };
    return { event, isShown: true, resource: parseJson(version.text) as Resource };
  }
}

function contextOf(tenant: string, identity: OwnerIdentity, clock: Clock): Context {
  return { tenant, ...identity, requestId: randomUUID(), interaction: notifyInteraction, now: () => clock.now() };
}

/** What the trail says of a resource that was named and not sent. */
function named({ type, resource, version }: SubscriptionEvent): Resource {
  return { resourceType: type, id: resource, meta: { versionId: String(version) } } as Resource;
}
