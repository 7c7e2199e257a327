/** The MLLP listener: sockets in, acknowledgements out. Connections work in parallel, the messages of one are answered in order. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Access, certificateOf, type Nodes, type ServerTls } from '../../access/index.ts';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import { addressOf, type Conversation, type Listener, listen } from '../../sockets/index.ts';
import type { Teleradiology } from '../../teleradiology/contract.ts';
import type { Identity } from './acknowledgement.ts';
import { createFrameDecoder, frame } from './frames.ts';
import type { Log } from './log.ts';
import { createReceiver, type Receive } from './receive.ts';
import { createSenders, type Peer } from './senders.ts';
import { loadTables } from './tables.ts';

export interface MllpOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  database: Database;
  store: FhirStore;
  teleradiology: Teleradiology;
  clock: Clock;
  log: Log;
  /** MLLPS: with this certificate and key, and those that replace them. */
  tls?: Pick<ServerTls, 'options' | 'follow'>;
  /** Asks connections over TLS for a certificate, and says for whom it may speak; nobody is asked when absent. */
  nodes?: Nodes;
  /** Told of messages refused. */
  recordActivity?: Access['recordActivity'];
  /** An unknown sender on a loopback connection counts as this establishment's RIS (demonstration only). */
  acceptUnknownLoopback?: { tenant: string; organizationId: string };
  /** MSH-3 and MSH-4 of our answers to messages that do not name us. */
  identity?: Identity;
  /** Refuses INS of test and demonstration. */
  production?: boolean;
  limits?: Partial<MllpLimits>;
}

export interface MllpLimits {
  /** Largest message, octets. */
  messageBytes: number;
  connections: number;
  /** Of one network address. */
  connectionsOfOne: number;
  /** A connection without any traffic between messages is closed after this delay; the RIS opens another. */
  idleMs: number;
  /** A message whose octets stop coming is given up after this delay. */
  stalledMs: number;
  /** A message that comes slower than this on the whole is given up too, once `graceMs` have passed: who sends an octet a minute never stalls. */
  octetsPerSecond: number;
  graceMs: number;
  /**
   * A connection that takes no acknowledgement for this long is ended. Whoever reads is told by room in the operating system's buffer, which appears in
   * steps of a third of it (1.4 MB of 4 MiB measured, half a kilobyte an acknowledgement): ten minutes are five acknowledgements read a second.
   */
  unreadMs: number;
  /** Octets outside messages after which a connection is no sender of HL7. */
  noiseBytes: number;
  /** How long `close` waits for messages being handled. */
  closeMs: number;
}

export type Mllp = Listener;

const defaultLimits: MllpLimits = {
  messageBytes: 32 * 1024 * 1024,
  connections: 256,
  connectionsOfOne: 64,
  idleMs: 12 * 3_600_000,
  stalledMs: 60_000,
  octetsPerSecond: 500,
  graceMs: 20_000,
  unreadMs: 10 * 60_000,
  noiseBytes: 1024 * 1024,
  closeMs: 10_000,
};

const keepAliveMs = 60_000;
const ownIdentity: Identity = { application: 'PASSERELLE', facility: 'PASSERELLE' };

/** Listens. @throws what the port, the certificate or the tables make impossible. */
export async function startMllp(options: MllpOptions): Promise<Mllp> {
  const { host, port, database, store, teleradiology, clock, log, tls, nodes } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const tables = await loadTables();
  const receive = createReceiver({
    database,
    store,
    teleradiology,
    clock,
    log,
    tables,
    senders: createSenders({ database, store, clock, log, acceptUnknownLoopback: options.acceptUnknownLoopback }),
    identity: options.identity ?? ownIdentity,
    production: options.production ?? false,
    limitBytes: limits.messageBytes,
    ...(options.recordActivity ? { recordActivity: options.recordActivity } : {}),
    ...(nodes ? { nodes } : {}),
  });

  return listen({
    host,
    port,
    log,
    limits,
    name: { plain: 'MLLP', secured: 'MLLPS' },
    // Whether a certificate may be believed is decided for each message, with an answer that says so.
    ...(tls ? { tls: { certificate: tls, asksClients: nodes !== undefined } } : {}),
    serve: (socket, conversation) => serve(socket, conversation, { receive, limits, log }),
  });
}

interface Service {
  receive: Receive;
  limits: MllpLimits;
  log: Log;
}

/** The other side does not read what it is told. */
class UnreadAnswer extends Error {
  override name = 'UnreadAnswer';
}

/**
 * Serves one connection until it ends. Reading waits while a message is handled and until its answer is taken: the sender is slowed down, nothing
 * piles up.
 */
async function serve(socket: Socket, conversation: Conversation, { receive, limits, log }: Service): Promise<void> {
  const peer = peerOf(socket);
  const decoder = createFrameDecoder(limits.messageBytes);
  /** When the message that is coming in began, and with how many octets. */
  let begun: { at: number; bytes: number } | undefined;
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  socket.setTimeout(limits.idleMs);
  socket.on('timeout', () => {
    if (!conversation.handling) socket.destroy();
  });
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      conversation.handling = true;
      for (const event of decoder.push(chunk)) {
        const oversized = event.kind === 'oversized';
        const bytes = oversized ? event.head : event.bytes;
        if (bytes.length === 0) continue;
        const answer = await receive(bytes, peer, oversized);
        if (answer && socket.writable) await write(socket, frame(answer), limits.unreadMs);
        // What was read but not handled is not acknowledged: the sender sends it again elsewhere.
        if (conversation.closing) return;
        begun = undefined;
      }
      conversation.handling = false;
      if (conversation.closing) return;
      const { pendingBytes } = decoder;
      socket.setTimeout(pendingBytes > 0 ? limits.stalledMs : limits.idleMs);
      const now = performance.now();
      if (pendingBytes > 0) begun ??= { at: now, bytes: pendingBytes };
      else begun = undefined;
      if (begun && isTooSlow(pendingBytes - begun.bytes, now - begun.at, limits)) {
        log.warn({ bytes: pendingBytes }, 'MLLP sender too slow: the message is given up');
        return;
      }
      if (decoder.noiseBytes > limits.noiseBytes) break;
    }
    if (decoder.pendingBytes > 0)
      log.warn({ bytes: decoder.pendingBytes }, 'MLLP sender left in the middle of a message');
    if (decoder.noiseBytes > 0) log.warn({ bytes: decoder.noiseBytes }, 'octets outside MLLP frames were skipped');
  } catch (error) {
    if (error instanceof UnreadAnswer)
      log.warn({ address: peer.address }, 'MLLP peer reads no acknowledgement: the connection is ended');
    else
      log.info(
        { error: (error as { code?: string }).code ?? (error as Error).name, pending: decoder.pendingBytes },
        'MLLP connection lost',
      );
  } finally {
    socket.end();
    // Whoever does not close its side after our end is not worth a descriptor.
    socket.setTimeout(limits.stalledMs, () => socket.destroy());
    socket.resume();
    socket.on('error', () => socket.destroy());
  }
}

function isTooSlow(octets: number, elapsedMs: number, { graceMs, octetsPerSecond }: MllpLimits): boolean {
  return elapsedMs > graceMs && octets < (elapsedMs / 1000) * octetsPerSecond;
}

/** Resolves once the operating system has it all. @throws UnreadAnswer when it had no room for it for so long. */
async function write(socket: Socket, bytes: Buffer, unreadMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Not the socket's own timeout: an octet that comes in would begin it anew.
  const timer = setTimeout(() => reject(new UnreadAnswer()), unreadMs);
  socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

function peerOf(socket: Socket): Peer {
  const address = addressOf(socket);
  return {
    address,
    loopback: address === '::1' || /^127\./.test(address),
    ...(socket instanceof TLSSocket ? { tls: { certificate: certificateOf(socket) } } : {}),
  };
}
