/**
 * What one client may ask of this server (SE-1, SE-10): requests per second and at once, connections, and the least speed of a body,
 * per account and per network address. Each node counts for itself; several nodes let through as many times more.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback, type LimitSettings } from '../../config/index.ts';
import { FhirError, type FhirGuards } from '../../fhir/index.ts';
import { endConnection } from '../last-words.ts';
import { addressKey } from './address-key.ts';
import { type Concurrency, createConcurrency } from './concurrency.ts';
import { watchSlowBodies } from './slow-bodies.ts';
import { type Buckets, createBuckets } from './token-bucket.ts';

/** Every bucket gets at least a token a second: whoever waits so long is let in. What is away (503) takes longer. */
const retryAfterSeconds: Readonly<Record<number, string>> = { 429: '1', 503: '10' };

export interface Limits {
  /** Plugin of the whole application; register it after the headers and before every route. */
  plugin(app: FastifyInstance): Promise<void>;
  /** The same guards, which let in an account only so often. */
  guard<G extends Pick<FhirGuards, 'authenticate'>>(guards: G): G;
}

export interface LimitOptions {
  /** Connections come from a proxy, which counts them itself. */
  behindProxy: boolean;
  /** Served over TLS. */
  secure: boolean;
  slowWindowMs?: number;
}

export function createLimits(settings: LimitSettings, options: LimitOptions): Limits {
  const { behindProxy, secure, slowWindowMs } = options;
  const addresses = gate(settings.addressRate, settings.addressConcurrency);
  const accounts = gate(settings.accountRate, settings.accountConcurrency);
  /** What a request gives back when it is over; undefined of one that is. */
  const held = new WeakMap<IncomingMessage, (() => void)[]>();
  const counted = new WeakSet<IncomingMessage>();

  function enter(gateway: Gate, key: string, raw: IncomingMessage): void {
    if (gateway.buckets && !gateway.buckets.take(key)) throw tooMany('too many requests: slow down');
    // A socket that stays open for hours is bounded where sockets are.
    if (raw.headers.upgrade !== undefined) return;
    const leave = gateway.concurrency.enter(key);
    if (!leave) throw tooMany('too many requests at once: wait for the answers');
    const places = held.get(raw);
    // Whoever left while we looked up who asks gives nothing back later.
    if (places) places.push(leave);
    else leave();
  }

  const plugin = async (app: FastifyInstance): Promise<void> => {
    const connections = createConcurrency(settings.addressConnections);
    const slow = watchSlowBodies(settings.bodyRate, slowWindowMs);
    app.server.on('connection', (socket: Socket) => {
      if (behindProxy) return;
      const leave = connections.enter(addressKey(socket.remoteAddress ?? ''));
      if (leave) socket.once('close', leave);
      else socket.destroy();
    });
    app.addHook('preClose', async () => slow.endAnswered());
    app.addHook('onClose', async () => slow.close());
    app.addHook('onRequest', (request, reply, done) => {
      const { raw } = request;
      if (hasBody(raw)) {
        const giveUp = () => {
          if (reply.raw.headersSent) raw.socket.destroy();
          else endConnection(raw.socket, 408, secure);
        };
        slow.watch(raw, giveUp, () => reply.raw.writableFinished);
      }
      if (isOnThisMachine(request)) return done();
      held.set(raw, []);
      reply.raw.once('close', () => {
        for (const leave of held.get(raw) ?? []) leave();
        held.delete(raw);
      });
      enter(addresses, addressKey(request.ip), raw);
      done();
    });
    app.addHook('onSend', (_request, reply, _payload, done) => {
      const seconds = retryAfterSeconds[reply.statusCode];
      if (seconds !== undefined && !reply.hasHeader('retry-after')) reply.header('retry-after', seconds);
      done();
    });
  };
  // For every route of the application, not for a branch of it.
  Object.assign(plugin, { [Symbol.for('skip-override')]: true });

  return {
    plugin,
    guard: (guards) => ({
      ...guards,
      async authenticate(request) {
        const caller = await guards.authenticate(request);
        const { raw } = request as Partial<FastifyRequest>;
        // Jobs of our own come without a connection.
        if (!raw || counted.has(raw) || isOnThisMachine(request as FastifyRequest)) return caller;
        counted.add(raw);
        enter(accounts, `${caller.tenant} ${caller.actor.account}`, raw);
        return caller;
      },
    }),
  };
}

interface Gate {
  buckets: Buckets | undefined;
  concurrency: Concurrency;
}

function gate(rate: LimitSettings['accountRate'], most: number): Gate {
  return { buckets: rate && createBuckets(rate), concurrency: createConcurrency(most) };
}

/**
 * Somebody who sits on the machine itself, as measurements and the demonstration do, takes nothing from anybody else. A proxy on the
 * same machine says for whom it asks, and is limited whether its word is believed or not.
 */
export function isOnThisMachine({ ip, headers }: Pick<FastifyRequest, 'ip' | 'headers'>): boolean {
  return isLoopback(ip) && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function tooMany(diagnostics: string): FhirError {
  return FhirError.of(429, [
    {
      severity: 'error',
      code: 'throttled',
      diagnostics,
      details: { text: 'Trop de demandes à la fois : réessayez dans un instant.' },
    },
  ]);
}
