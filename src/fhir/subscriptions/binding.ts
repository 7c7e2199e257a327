/**
 * One subscription bound to one open WebSocket: events leave in order from where any client last was. There is no acknowledgement in
 * the protocol, so each batch is followed by a ping frame: its pong proves that the client has read everything before, and only then
 * does the subscription count it as delivered. Who loses the line is served again from there.
 */
import type { Subscription } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { Context } from '../contract.ts';
import { parseJson, stringifyJson } from '../json/index.ts';
import type { RestStore } from '../store/contract.ts';
import { toldOf } from './deliver.ts';
import type { Disclosure } from './disclosure.ts';
import { numberNewEvents, readEvents } from './events.ts';
import { type Feed, readFeed } from './feeds.ts';
import { notificationBundle, type ShownEvent, type Told } from './notification.ts';
import { single } from './single.ts';
import { type Abilities, readWanted, type Wanted } from './wanted.ts';

export interface BindingParts {
  database: Database;
  store: RestStore;
  clock: Clock;
  abilities: Abilities;
  disclosure: Disclosure;
  toXml?: (json: string) => string;
  base: (owner: Pick<Context, 'tenant' | 'actor'>) => string;
}

export interface Line {
  /** False while the client has not answered for what it was sent: nothing more is sent then. */
  isReady(): boolean;
  send(text: string): Promise<void>;
  /** Asks for a pong; `through` comes back with it. */
  mark(subscription: string, through: number): void;
}

export interface Binding {
  readonly tenant: string;
  readonly subscription: string;
  /** The session or token it ends with. */
  readonly credential: string;
  /** When the right to it ends beside; undefined for who signed in with the request that opened the line. */
  readonly until?: Date;
  /** Sends what is new. `lastEvent` may be older than the truth. */
  pump(): Promise<void>;
  /** Sends a heartbeat when one is due. */
  beat(now: Date): Promise<void>;
  /** Whether there may be something to send. */
  isBehind(feed: { lastEvent: number; isBehind: boolean }): boolean;
}

export interface BindingOptions {
  tenant: string;
  feed: Feed;
  credential: string;
  until?: Date;
  /** Service base as the owner addresses it. */
  base: string;
  /** Who may see it now; undefined: nobody any more. */
  contextNow(): Promise<Context | undefined>;
  line: Line;
}

/** Reads what the Subscription asks for now. */
async function wantedOf(parts: BindingParts, tenant: string, id: string): Promise<Wanted | undefined> {
  const stored = await parts.store.reads(tenant).readStored('Subscription', id);
  if (!stored || stored.deleted) return undefined;
  return readWanted(parseJson(stored.text) as Subscription, parts.abilities);
}

/** Binds and says so: `bound` to who speaks R4, a handshake to who asked for a topic. */
export async function bind(parts: BindingParts, options: BindingOptions): Promise<Binding> {
  const { database, clock, disclosure } = parts;
  const { tenant, feed: atFirst, until, line, contextNow, base } = options;
  const subscription = atFirst.id;
  let cursor = atFirst.delivered;
  let lastSentAt = clock.now();
  let heartbeatMs: number | undefined;
  let pumping: Promise<void> | undefined;
  let again = false;

  const text = (wanted: Wanted, told: Told) => {
    const json = stringifyJson(notificationBundle(told));
    return wanted.format === 'xml' && parts.toXml ? parts.toXml(json) : json;
  };

  async function send(message: string): Promise<void> {
    await line.send(message);
    lastSentAt = clock.now();
  }

  const first = await wantedOf(parts, tenant, subscription);
  heartbeatMs = first?.heartbeatSeconds && first.heartbeatSeconds * 1000;
  if (first?.criteria.kind === 'topic') await send(text(first, toldOf({ base, clock }, atFirst, first, 'handshake')));
  else await send(`bound ${subscription}`);

  /** @returns whether there may be more. */
  async function step(): Promise<boolean> {
    if (!line.isReady()) return false;
    await numberNewEvents(database, tenant, subscription, async () =>
      parts.disclosure.sightOf(await contextNow(), subscription),
    );
    const sql = single(database, tenant);
    const feed = await readFeed(sql, tenant, subscription);
    // Off, in error, or gone: parked.
    if (feed?.status !== 'active') return false;
    const last = feed.lastEvent;
    // Deleted and made again under its name: its numbers began anew.
    if (last < cursor) cursor = feed.delivered;
    const wanted = await wantedOf(parts, tenant, subscription);
    const context = wanted && (await contextNow());
    if (!wanted || !context) return false;
    heartbeatMs = wanted.heartbeatSeconds && wanted.heartbeatSeconds * 1000;
    const range = { since: cursor + 1, until: last, limit: wanted.maxCount };
    const events = await readEvents(sql, tenant, subscription, range);
    const through = events.at(-1)?.number ?? last;
    if (events.length > 0) {
      const isTopic = wanted.criteria.kind === 'topic';
      const shown = await disclosure.show(context, events, isTopic && wanted.content === 'full-resource');
      await disclosure.audit(context, subscription, isTopic ? wanted.content : 'empty', shown);
      await tell(wanted, { ...feed, lastEvent: through }, shown);
    }
    if (through <= cursor) return false;
    cursor = through;
    line.mark(subscription, through);
    return cursor < last;
  }

  async function tell(wanted: Wanted, feed: Feed, shown: readonly ShownEvent[]): Promise<void> {
    if (wanted.criteria.kind === 'topic') {
      return send(text(wanted, { ...toldOf({ base, clock }, feed, wanted, 'event-notification'), events: shown }));
    }
    if (shown.some(({ isShown }) => isShown)) await send(`ping ${subscription}`);
  }

  return {
    tenant,
    subscription,
    credential: options.credential,
    ...(until ? { until } : {}),
    isBehind: (feed) => feed.isBehind || feed.lastEvent > cursor,
    pump() {
      again = true;
      pumping ??= (async () => {
        try {
          while (again) {
            again = false;
            while (await step());
          }
        } finally {
          pumping = undefined;
        }
      })();
      return pumping;
    },
    async beat(now) {
      if (heartbeatMs === undefined || pumping || now.getTime() - lastSentAt.getTime() < heartbeatMs) return;
      lastSentAt = now;
      const feed = await readFeed(single(database, tenant), tenant, subscription);
      const wanted = feed && (await wantedOf(parts, tenant, subscription));
      if (wanted && feed.status === 'active')
        await send(text(wanted, toldOf({ base, clock }, feed, wanted, 'heartbeat')));
    },
  };
}
