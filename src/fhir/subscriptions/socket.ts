/**
 * The WebSocket of subscriptions: `bind <id>` as R4 says, for who signed in with the request that opened it, and `bind-with-token <token>`
 * as the backport says, for who asked $get-ws-binding-token. One connection may bind many subscriptions of one tenant.
 */
import type { FastifyRequest } from 'fastify';
import type { RawData, WebSocket } from 'ws';
import { FhirError, type FhirGuards } from '../contract.ts';
import { type Binding, type BindingParts, bind, type Line } from './binding.ts';
import type { Log, Standing } from './contract.ts';
import { type FeedState, readFeed, recordSeen } from './feeds.ts';
import { single } from './single.ts';
import { readToken } from './tokens.ts';

export interface SocketParts extends BindingParts {
  guards: Pick<FhirGuards, 'authenticate'>;
  standing: Standing;
  /** Where pages of ours come from: a session cookie counts for them only. */
  origin: () => string;
  log?: Log;
  limits: SocketLimits;
}

export interface SocketLimits {
  /** Open connections of this node, and of one account on it. */
  connections: number;
  connectionsOfOne: number;
  /** Of one network address, those on which nothing is bound: whoever has no account must not take the places of those who have. */
  unboundOfOne: number;
  /** Real milliseconds until who has neither signed in nor bound anything is shut out. */
  strangerMs: number;
  /** Real milliseconds until who signed in and has bound nothing, or answers nothing, is shut out. */
  patienceMs: number;
  /** Real milliseconds between two looks at whether sessions and tokens still stand; nothing is sent without one, whatever this is. */
  standingMs: number;
}

export const socketLimits: SocketLimits = {
  connections: 2_000,
  connectionsOfOne: 20,
  unboundOfOne: 20,
  strangerMs: 5_000,
  patienceMs: 30_000,
  standingMs: 1_000,
};
/** Longest message of a client, in bytes: a token. */
export const longestMessageBytes = 4_096;
const mostBindings = 50;
const mostWaitingMessages = 20;
/** Notifications on their way to one client without its answer. */
const mostUnanswered = 8;

/** Close codes (RFC 6455 §7.4.1): against the rules; come back later; too much. */
const policyViolation = 1008;
const tryAgainLater = 1013;

export interface SocketHub {
  accept(socket: WebSocket, request: FastifyRequest): void;
  /** New events, heartbeats and ends of the clients bound in a tenant. */
  look(tenant: string, states: readonly FeedState[]): void;
  close(): void;
}

interface Opener {
  tenant: string;
  account: string;
  credential: string;
}

interface Connection {
  socket: WebSocket;
  bindings: Map<string, Binding>;
  ip: string;
  /** Who opened it; undefined when nobody signed in. */
  signedIn: Promise<Opener | undefined>;
  waitingMessages: number;
  /** Real time of each mark without an answer, oldest first. */
  unanswered: number[];
  account?: string;
}

export function createSocketHub(parts: SocketParts): SocketHub {
  const { database, clock, limits, log } = parts;
  const connections = new Set<Connection>();
  /** When it was last asked, by tenant. */
  const asked = new Map<string, number>();
  const patrol = setInterval(() => connections.forEach(checkPatience), Math.max(limits.patienceMs / 2, 10));
  patrol.unref();

  function accept(socket: WebSocket, request: FastifyRequest): void {
    if (connections.size >= limits.connections) {
      socket.close(tryAgainLater, 'too many connections');
      return;
    }
    if (unboundOf(request.ip) >= limits.unboundOfOne) {
      socket.close(tryAgainLater, 'too many connections on which nothing is bound');
      return;
    }
    const connection: Connection = {
      socket,
      bindings: new Map(),
      ip: request.ip,
      signedIn: identify(request),
      waitingMessages: 0,
      unanswered: [],
    };
    connections.add(connection);
    const shutOutUnbound = () => {
      if (connection.bindings.size === 0) socket.close(policyViolation, 'nothing was bound');
    };
    setTimeout(async () => {
      if (!(await connection.signedIn)) shutOutUnbound();
    }, limits.strangerMs).unref();
    setTimeout(shutOutUnbound, limits.patienceMs).unref();
    let turn: Promise<void> = Promise.resolve();
    socket.on('message', (data, isBinary) => {
      if (isBinary || ++connection.waitingMessages > mostWaitingMessages)
        return socket.close(policyViolation, 'too many messages, or binary ones');
      turn = turn.then(() => answer(connection, textOf(data))).finally(() => connection.waitingMessages--);
    });
    socket.on('pong', (data) => void answered(connection, data.toString()));
    socket.on('close', () => connections.delete(connection));
    socket.on('error', () => socket.terminate());
  }

  /** A cookie that a page of somebody else made the browser send proves nothing: tokens and headers are sent on purpose. */
  async function identify(request: FastifyRequest): Promise<Opener | undefined> {
    const { origin, authorization } = request.headers;
    if (origin !== undefined && authorization === undefined && origin !== parts.origin()) return undefined;
    try {
      const { tenant, actor, credential } = await parts.guards.authenticate(request);
      return credential === undefined ? undefined : { tenant, account: actor.account, credential };
    } catch (error) {
      if (error instanceof FhirError && error.status < 500) return undefined;
      log?.error({ error: (error as Error).name }, 'a WebSocket could not be authenticated');
      return undefined;
    }
  }

  async function answer(connection: Connection, message: string): Promise<void> {
    try {
      const [, token] = /^bind-with-token:?\s+(\S+)$/.exec(message) ?? [];
      const [, id] = /^bind:?\s+([A-Za-z0-9.-]{1,64})$/.exec(message) ?? [];
      if (token) await bindWithToken(connection, token);
      else if (id) await bindSignedIn(connection, id);
      else throw new FhirError(400, 'not-supported', 'only bind [id] and bind-with-token [token] are understood');
    } catch (error) {
      if (error instanceof FhirError && error.status < 500) connection.socket.send(JSON.stringify(error.outcome));
      else {
        log?.error({ error: (error as Error).name }, 'a WebSocket message could not be answered');
        connection.socket.close(tryAgainLater, 'try again');
      }
    }
  }

  async function bindWithToken(connection: Connection, token: string): Promise<void> {
    const known = await readToken(database, token, clock.now());
    if (!known) throw new FhirError(401, 'login', 'this token is not known, or its time is over');
    const { expiresAt, subscriptions, ...whose } = known;
    // With the session it came from a token ends, too.
    if (!(await isStanding(whose.credential)))
      throw new FhirError(401, 'login', 'this token is not known, or its time is over');
    for (const id of subscriptions) await bindOne(connection, { ...whose, id, until: expiresAt });
  }

  async function bindSignedIn(connection: Connection, id: string): Promise<void> {
    const who = await connection.signedIn;
    if (!who) throw new FhirError(401, 'login', 'sign in first, or bind with a token');
    try {
      await bindOne(connection, { ...who, id });
    } catch (error) {
      const isAttempt = error instanceof FhirError && (error.status === 403 || error.status === 404);
      const context = isAttempt ? await contextNow(connection, who) : undefined;
      if (context) await parts.disclosure.auditRefused(context, id);
      throw error;
    }
  }

  async function isStanding(credential: string): Promise<boolean> {
    return (await parts.standing([credential])).has(credential);
  }

  /** Whose eyes see what leaves; undefined once the session or token ended, which ends the line, or the account may nothing more. */
  async function contextNow(connection: Connection, { tenant, account, credential }: Opener) {
    const context = (await isStanding(credential)) ? await parts.disclosure.contextOf(tenant, account) : undefined;
    if (!context) endOf(connection, credential);
    return context;
  }

  /** What was bound with a session or token that is over; a line that served nothing else is closed. */
  function endOf({ bindings, socket }: Connection, credential: string): void {
    for (const [id, binding] of bindings) if (binding.credential === credential) bindings.delete(id);
    if (bindings.size === 0) socket.close(policyViolation, 'the session is over');
  }

  async function bindOne(connection: Connection, wish: Opener & { id: string; until?: Date }): Promise<void> {
    const { tenant, account, credential, id, until } = wish;
    const { bindings, socket } = connection;
    const feed = await readFeed(single(database, tenant), tenant, id);
    // Somebody else's is not told from one that does not exist.
    if (feed?.owner !== account) throw new FhirError(404, 'not-found', 'no such Subscription of yours');
    if (feed.channel !== 'websocket') throw new FhirError(422, 'business-rule', 'its channel is not websocket');
    const other = bindings.values().next().value;
    if (other && (other.tenant !== tenant || connection.account !== account))
      throw new FhirError(403, 'forbidden', 'one connection serves one account');
    if (bindings.size >= mostBindings && !bindings.has(id))
      throw new FhirError(403, 'too-costly', `at most ${mostBindings} subscriptions on one connection`);
    if (!other && ofAccount(tenant, account) >= limits.connectionsOfOne)
      throw new FhirError(429, 'throttled', `at most ${limits.connectionsOfOne} connections of one account`);
    const context = await contextNow(connection, wish);
    if (!context) throw new FhirError(403, 'forbidden', 'this account may not see it any more');
    connection.account = account;
    const base = parts.base(context);
    const seenNow = () => contextNow(connection, wish);
    const options = {
      tenant,
      feed,
      credential,
      base,
      contextNow: seenNow,
      line: lineOf(connection),
      ...(until ? { until } : {}),
    };
    const binding = await bind(parts, options);
    if (socket.readyState !== socket.OPEN) return;
    bindings.set(id, binding);
    pump(binding, socket);
  }

  function unboundOf(ip: string): number {
    return [...connections].filter((connection) => connection.ip === ip && connection.bindings.size === 0).length;
  }

  function ofAccount(tenant: string, account: string): number {
    return [...connections].filter(
      ({ bindings, account: known }) => known === account && bindings.values().next().value?.tenant === tenant,
    ).length;
  }

  function lineOf({ socket, unanswered }: Connection): Line {
    return {
      isReady: () => socket.readyState === socket.OPEN && unanswered.length < mostUnanswered,
      send: (text) =>
        new Promise((resolve, reject) => socket.send(text, (error) => (error ? reject(error) : resolve()))),
      mark(subscription, through) {
        unanswered.push(performance.now());
        socket.ping(`${subscription} ${through}`, undefined, () => undefined);
      },
    };
  }

  async function answered(connection: Connection, mark: string): Promise<void> {
    connection.unanswered.shift();
    const [id = '', through] = mark.split(' ');
    const binding = connection.bindings.get(id);
    if (!binding || through === undefined) return;
    try {
      await recordSeen(single(database, binding.tenant), binding.tenant, id, Number(through));
    } catch (error) {
      // It stays undelivered and will be sent again: at least once.
      log?.warn({ error: (error as Error).name }, 'a delivery could not be recorded');
    }
    pump(binding, connection.socket);
  }

  function pump(binding: Binding, socket: WebSocket): void {
    binding.pump().catch((error: unknown) => {
      if (socket.readyState !== socket.OPEN) return;
      log?.error(
        { subscription: binding.subscription, error: (error as Error).name },
        'a WebSocket is closed, its client resumes',
      );
      socket.close(tryAgainLater, 'try again');
    });
  }

  /** Whoever does not answer has gone, or is too slow: it may come back and goes on where it was. */
  function checkPatience({ socket, unanswered }: Connection): void {
    const oldest = unanswered[0];
    if (oldest !== undefined && performance.now() - oldest > limits.patienceMs) socket.terminate();
    else if (oldest === undefined && socket.readyState === socket.OPEN) {
      unanswered.push(performance.now());
      socket.ping('', undefined, () => undefined);
    }
  }

  function endIfOver(connection: Connection, binding: Binding, now: Date): boolean {
    if (!binding.until || binding.until > now) return false;
    connection.bindings.delete(binding.subscription);
    if (connection.bindings.size === 0) connection.socket.close(policyViolation, 'the token is over: ask for another');
    return true;
  }

  /** Ends what was bound in a tenant with sessions and tokens that are over: who signed out is not kept a line until something happens. */
  function endFallen(tenant: string): void {
    const bound = new Set([...connections].flatMap(({ bindings }) => credentialsIn(bindings, tenant)));
    const at = performance.now();
    if (bound.size === 0 || at - (asked.get(tenant) ?? -Infinity) < limits.standingMs) return;
    asked.set(tenant, at);
    parts.standing([...bound]).then(
      (standing) => {
        for (const connection of connections)
          for (const credential of credentialsIn(connection.bindings, tenant))
            if (bound.has(credential) && !standing.has(credential)) endOf(connection, credential);
      },
      // Asked again at the next look; nothing leaves meanwhile without having been asked for.
      (error: unknown) => log?.warn({ error: (error as Error).name }, 'sessions behind WebSockets could not be asked'),
    );
  }

  return {
    accept,
    look(tenant, states) {
      endFallen(tenant);
      const now = clock.now();
      const byId = new Map(states.map((state) => [state.id, state]));
      for (const connection of connections) {
        for (const binding of [...connection.bindings.values()]) {
          if (binding.tenant !== tenant || endIfOver(connection, binding, now)) continue;
          const state = byId.get(binding.subscription);
          if (state?.status === 'active' && binding.isBehind(state)) pump(binding, connection.socket);
          else binding.beat(now).catch(() => connection.socket.close(tryAgainLater, 'try again'));
        }
      }
    },
    close() {
      clearInterval(patrol);
      for (const { socket } of connections) socket.close(tryAgainLater, 'the server stops');
    },
  };
}

function credentialsIn(bindings: Connection['bindings'], tenant: string): string[] {
  return [...bindings.values()].flatMap((binding) => (binding.tenant === tenant ? binding.credential : []));
}

function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer)).toString('utf8').trim();
}
