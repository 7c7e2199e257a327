import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Bundle, Parameters, Resource, Subscription } from '@medplum/fhirtypes';
import fastify, { type FastifyInstance } from 'fastify';
import type { Clock } from '../../../src/config/index.ts';
import type { Database } from '../../../src/db/index.ts';
import {
  type Actor,
  type Context,
  createFhirStore,
  FhirError,
  type FhirGuards,
  fhirRoutes,
  type ReadAccess,
} from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import {
  createSubscriptions,
  type SubscriptionOptions,
  type Subscriptions,
  withSealedHeaders,
} from '../../../src/fhir/subscriptions/index.ts';
import { letConnectionsGo } from '../../../src/sockets/index.ts';
import { createVault, newKeyLine, openKeyRing } from '../../../src/vault/index.ts';
import { testDatabase } from '../../support/database.ts';

/** A clock that moves when told. */
export function fakeClock(start = '2026-03-01T08:00:00Z'): Clock & { advance(ms: number): void } {
  let now = new Date(start).getTime();
  return {
    now: () => new Date(now),
    advance: (ms) => {
      now += ms;
    },
  };
}

export const topic = (name: string) => `https://fhir.passerelle.example/SubscriptionTopic/${name}`;
const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';

/** A Subscription as a client asks for it. */
export function asked(
  criteria: string,
  channel: Partial<Subscription['channel']> & {
    content?: string;
    filters?: string[];
    heartbeat?: number;
    maxCount?: number;
  },
  more: Partial<Subscription> = {},
): Subscription {
  const { content, filters, heartbeat, maxCount, ...plain } = channel;
  const extension = [
    ...(heartbeat ? [{ url: `${backport}backport-heartbeat-period`, valueUnsignedInt: heartbeat }] : []),
    ...(maxCount ? [{ url: `${backport}backport-max-count`, valuePositiveInt: maxCount }] : []),
  ];
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'test',
    criteria,
    ...(filters
      ? {
          _criteria: {
            extension: filters.map((valueString) => ({ url: `${backport}backport-filter-criteria`, valueString })),
          },
        }
      : {}),
    channel: {
      type: 'rest-hook',
      ...plain,
      ...(extension.length > 0 ? { extension } : {}),
      ...(content
        ? {
            payload: plain.payload ?? 'application/fhir+json',
            _payload: { extension: [{ url: `${backport}backport-payload-content`, valueCode: content }] },
          }
        : {}),
    },
    ...more,
  } as Subscription;
}

export interface Received {
  method: string;
  path: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  url: string;
  port: number;
  received: Received[];
  /** What it answers next; 200 when absent. */
  answer?: (request: Received) => number | Promise<number>;
  /** Headers of its answers. */
  answerHeaders: Record<string, string>;
  close(): Promise<void>;
}

/** A subscriber's endpoint, over TLS when given a certificate. */
export async function openReceiver(tls?: { key: string; cert: string }): Promise<Receiver> {
  const receiver = { received: [], answerHeaders: {} } as unknown as Receiver;
  const listener: http.RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { method = '', url = '', headers } = request;
      const received = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
      receiver.received.push(received);
      const status = (await receiver.answer?.(received)) ?? 200;
      response.writeHead(status, receiver.answerHeaders).end();
    });
  };
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    port,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/hook`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

export const actors: Readonly<Record<string, Actor>> = {
  ris: { reference: 'Device/ris', display: 'RIS', account: 'ris', kind: 'machine', roles: ['ris'] },
  noa: { reference: 'Practitioner/noa', display: 'NOA', account: 'noa', kind: 'person', roles: ['radiologist'] },
};

export interface Rig {
  database: Database;
  store: RestStore;
  clock: ReturnType<typeof fakeClock>;
  subscriptions: Subscriptions;
  app: FastifyInstance;
  /** Where it listens. */
  url: string;
  /** Deliveries told to the audit trail. */
  audited: (ReadAccess & { account: string })[];
  /** Accounts that are shut off. */
  closed: Set<string>;
  /** Sessions (`tenant.account`) that are over. */
  ended: Set<string>;
  /** What nobody may. */
  refused: (context: Context, request: { interaction: string; type?: string; id?: string }) => boolean;
  /** Everything the log was told. */
  logged: string[];
  as(account: string, tenant?: string): Context;
  write<R extends Resource>(resource: R, account?: string): Promise<R & { id: string }>;
  status(id: string): Promise<string>;
  /** Sweeps until the condition holds: nodes learn of a new request after a moment of real time. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Asks for it and waits until it is active. */
  activate(subscription: Subscription, account?: string): Promise<string>;
  /** Another node on the same database. */
  node(
    options?: Partial<SubscriptionOptions>,
  ): Promise<{ subscriptions: Subscriptions; store: RestStore; close(): Promise<void> }>;
  close(): Promise<void>;
}

export async function openRig(options: Partial<SubscriptionOptions> = {}): Promise<Rig> {
  const database = options.database ?? (await testDatabase());
  const clock = fakeClock();
  const rig = {
    database,
    clock,
    audited: [],
    closed: new Set(),
    ended: new Set(),
    refused: () => false,
    logged: [],
  } as unknown as Rig;
  const guards: FhirGuards = {
    async authenticate({ headers }) {
      const [, tenant, account] = /^Bearer (\w+)\.(\w+)$/.exec(String(headers.authorization ?? '')) ?? [];
      const actor = actors[account ?? ''];
      if (!tenant || !actor || rig.closed.has(account!)) throw new FhirError(401, 'login', 'sign in first');
      return { tenant, actor, credential: `${tenant}.${account}` };
    },
    authorize(context, request) {
      if (rig.refused(context, request)) throw new FhirError(403, 'forbidden', 'not allowed');
    },
    isAllowed: (context, request) => !rig.refused(context, request),
    async auditRead(context, access) {
      if (/\$(notify|bind)$/.test(context.interaction)) rig.audited.push({ ...access, account: context.actor.account });
    },
  };
  const log = (details: object, message: string) => void rig.logged.push(`${message} ${JSON.stringify(details)}`);
  const owners = {
    identityOf: async (_tenant: string, account: string) =>
      rig.closed.has(account) || !actors[account] ? undefined : { actor: actors[account] },
  };
  const sealer = createVault(openKeyRing({ text: newKeyLine(clock.now()) }));
  const compose = async (more: Partial<SubscriptionOptions> = {}) => {
    const plain = (await createFhirStore({ database })) as RestStore;
    const store = withSealedHeaders(plain, sealer);
    const subscriptions = createSubscriptions({
      database,
      store,
      guards,
      sealer,
      owners,
      standing: async (credentials) =>
        new Set(credentials.filter((name) => !rig.ended.has(name) && !rig.closed.has(name.split('.')[1]!))),
      clock,
      createMatcher: store.createMatcher,
      endpoints: { allowed: ['127.0.0.1'], loopbackHttp: true },
      baseUrl: () => rig.url ?? 'http://passerelle.example',
      log: { info: log, warn: log, error: log },
      periodMs: 0,
      freshMs: 5,
      ...options,
      ...more,
    });
    return { store, subscriptions };
  };
  const { store, subscriptions } = await compose();
  const app = fastify();
  letConnectionsGo(app);
  await subscriptions.register(app);
  const describe = subscriptions.describe;
  await app.register(fhirRoutes, { prefix: '/fhir', store, guards, clock, baseUrl: () => rig.url, describe });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  await subscriptions.start();

  const as = (account: string, tenant = 'aa'): Context => ({
    tenant,
    actor: actors[account]!,
    requestId: 'test',
    interaction: 'create',
    now: () => clock.now(),
  });
  const until = async (condition: () => boolean | Promise<boolean>) => {
    const end = Date.now() + 10_000;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error('it did not happen in time');
      await subscriptions.sweep();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const status = async (id: string) => (await store.read('aa', 'Subscription', id)).status;
  const write = <R extends Resource>(resource: R, account = 'ris') =>
    store.transaction(
      as(account),
      (tx) => (resource.id ? tx.update(resource) : tx.create(resource)) as Promise<R & { id: string }>,
    );
  return Object.assign(rig, {
    store,
    subscriptions,
    app,
    url,
    as,
    write,
    status,
    until,
    async activate(subscription: Subscription, account = 'ris') {
      const { id } = await write(subscription, account);
      await until(async () => (await status(id)) !== 'requested');
      if ((await status(id)) !== 'active') throw new Error((await store.read('aa', 'Subscription', id)).error);
      return id;
    },
    async node(more: Partial<SubscriptionOptions> = {}) {
      const other = await compose(more);
      return { ...other, close: () => other.subscriptions.stop() };
    },
    async close() {
      await subscriptions.stop();
      await app.close();
      await database.close();
    },
  });
}

export const order = (more: object = {}): Resource =>
  ({
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: 'Patient/p1' },
    ...more,
  }) as Resource;

/** First entry of a notification. */
export function statusOf(text: string): Parameters {
  const bundle = JSON.parse(text) as Bundle;
  return bundle.entry![0]!.resource as Parameters;
}

/** A value of the status by name. */
export function told(text: string, name: string): string | undefined {
  const found = statusOf(text).parameter!.find((parameter) => parameter.name === name);
  return found?.valueCode ?? found?.valueString ?? found?.valueCanonical;
}

/** Numbers of the events a notification tells, in its order. */
export function numbersIn(text: string): number[] {
  return statusOf(text)
    .parameter!.filter(({ name }) => name === 'notification-event')
    .map(({ part }) => Number(part!.find(({ name }) => name === 'event-number')!.valueString));
}

/** References of the events a notification tells. */
export function focusesIn(text: string): (string | undefined)[] {
  return statusOf(text)
    .parameter!.filter(({ name }) => name === 'notification-event')
    .map(({ part }) => part!.find(({ name }) => name === 'focus')?.valueReference?.reference);
}
