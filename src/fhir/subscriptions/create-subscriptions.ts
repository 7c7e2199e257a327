/** Puts subscriptions together: the hooks in the store, the worker, the WebSocket, the operations. */
import websocket from '@fastify/websocket';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { Context, FhirGuards } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import type { RestStore } from '../store/contract.ts';
import { stringifyXml } from '../xml/index.ts';
import { readEndpointRules } from './addresses.ts';
import { describeSubscriptions } from './capabilities.ts';
import { createChannels } from './channels.ts';
import type { CreateMatcher, EndpointRules, Log, Mailer, Owners, Standing } from './contract.ts';
import { createDisclosure } from './disclosure.ts';
import { createEndpoints, type Resolve } from './endpoint.ts';
import { type HeaderSealer, resealHeaders } from './headers.ts';
import { createInterestBook } from './interests.ts';
import { followSubscriptions } from './lifecycle.ts';
import { subscriptionOperations } from './operations.ts';
import { recordEvents } from './record.ts';
import { revealOwnHeaders } from './reveal.ts';
import { createSocketHub, longestMessageBytes, type SocketLimits, socketLimits } from './socket.ts';
import { createStatusKeeper } from './status.ts';
import { loadTopics } from './topics.ts';
import { createWorker } from './worker.ts';

export interface SubscriptionOptions {
  database: Database;
  /** As `withSealedHeaders` gives it. */
  store: RestStore;
  guards: FhirGuards;
  /** The one `withSealedHeaders` was given. */
  sealer: HeaderSealer;
  owners: Owners;
  standing: Standing;
  clock: Clock;
  createMatcher: CreateMatcher;
  endpoints: EndpointRules;
  /** Undefined: the channel `email` is refused. */
  mailer?: Mailer;
  /** Where the server is reached, without a slash at the end. */
  baseUrl: () => string;
  /** Path of the FHIR routes; `/fhir` when absent. */
  prefix?: string;
  log?: Log;
  /** Between two looks at what is due, in milliseconds; 0 leaves it to `sweep()`. */
  periodMs?: number;
  /** Longest time a write works from an older picture of the subscriptions, in milliseconds. */
  freshMs?: number;
  /** How names become addresses; the system's resolver when absent. */
  resolve?: Resolve;
  socketLimits?: Partial<SocketLimits>;
}

export interface Subscriptions {
  /** Register on the application before the FHIR routes. */
  register(app: FastifyInstance): Promise<void>;
  describe(statement: CapabilityStatement): void;
  /** Starts working; with what is due from before the last stop first. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Everything due now is done or waits for its due time. The worker does this by itself. */
  sweep(): Promise<void>;
}

const defaultPeriodMs = 1_000;
const defaultFreshMs = 500;

/** Plugs into the store at once; nothing is delivered before `start`. */
export function createSubscriptions(options: SubscriptionOptions): Subscriptions {
  const { database, store, guards, sealer, owners, clock, createMatcher, mailer, baseUrl, log } = options;
  const { prefix = '/fhir', periodMs = defaultPeriodMs, freshMs = defaultFreshMs } = options;
  const topics = loadTopics();
  const abilities = { topics, hasXml: true, hasMail: mailer !== undefined };
  const policy = readEndpointRules(options.endpoints);
  const { ca } = options.endpoints;
  const { resolve } = options;
  const endpoints = createEndpoints(policy, { ...(ca ? { ca } : {}), ...(resolve ? { resolve } : {}) });
  const toXml = (json: string) => stringifyXml(parseJson(json));
  // `prefix` is the caller's own tenant: who owns a subscription of another one addresses it by name.
  const base = ({ tenant, actor }: Pick<Context, 'tenant' | 'actor'>) =>
    baseUrl() + (actor.home === undefined ? '' : `/t/${tenant}`) + prefix;
  const socketUrl = () => `${baseUrl().replace(/^http/, 'ws')}${prefix}/ws`;
  const own = new WeakSet<Context>();
  const logged = log ? { log } : {};

  const book = createInterestBook({ database, createMatcher, abilities, freshMs, ...logged });
  const disclosure = createDisclosure({ store, guards, owners, clock, abilities });
  const channels = createChannels({ endpoints, toXml, link: baseUrl, ...(mailer ? { mailer } : {}) });
  const status = createStatusKeeper({ store, clock, own });
  const hub = createSocketHub({
    database,
    store,
    clock,
    abilities,
    disclosure,
    toXml,
    base,
    guards,
    standing: options.standing,
    origin: () => new URL(baseUrl()).origin,
    limits: { ...socketLimits, ...options.socketLimits },
    ...logged,
  });
  const worker = createWorker({
    database,
    store,
    sealer,
    clock,
    abilities,
    disclosure,
    channels,
    status,
    base,
    periodMs,
    // Twice the age of the oldest picture: a commit under way when it was asked for is over, too.
    settleMs: 2 * freshMs,
    onLook: hub.look,
    ...logged,
  });

  const wake = (tenant: string) => worker.wake(tenant);
  store.beforeCommit(
    followSubscriptions({ guards, createMatcher, abilities, disclosure, endpoints: policy, own, wake }),
    'Subscription',
  );
  store.onCommit(recordEvents(book, wake, log));
  for (const operation of subscriptionOperations({ abilities, disclosure, socketUrl }))
    store.registerOperation(operation);

  return {
    async register(app) {
      revealOwnHeaders(app, { database, guards, sealer, prefix });
      await app.register(websocket, { options: { maxPayload: longestMessageBytes } });
      await app.register(async (scope) => {
        for (const path of [`${prefix}/ws`, `/t/:tenant${prefix}/ws`]) scope.get(path, { websocket: true }, hub.accept);
      });
    },
    describe: (statement) => describeSubscriptions(statement, topics, socketUrl()),
    async start() {
      await resealHeaders(database, sealer);
      await worker.start();
    },
    async stop() {
      hub.close();
      await worker.stop();
      endpoints.close();
    },
    sweep: worker.sweep,
  };
}
