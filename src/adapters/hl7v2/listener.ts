/** The MLLP listener: sockets in, acknowledgements out. Connections work in parallel, the messages of one are answered in order. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, Server as TlsServer } from 'node:tls';
import { type Access, certificateOf, type Nodes, type ServerTls } from '../../access/index.ts';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
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
  /** Octets outside messages after which a connection is no sender of HL7. */
  noiseBytes: number;
  /** How long `close` waits for messages being handled. */
  closeMs: number;
}

export interface Mllp {
  port: number;
  /** Stops accepting, lets messages being handled be answered, closes. */
  close(): Promise<void>;
}

const defaultLimits: MllpLimits = {
  messageBytes: 32 * 1024 * 1024,
  connections: 256,
  connectionsOfOne: 64,
  idleMs: 12 * 3_600_000,
  stalledMs: 60_000,
  octetsPerSecond: 500,
  graceMs: 20_000,
  noiseBytes: 1024 * 1024,
  closeMs: 10_000,
};

const keepAliveMs = 60_000;
const handshakeMs = 10_000;
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

  const serving = new Map<Socket, { connection: Connection; served: Promise<void> }>();
  let closing = false;
  const accept = (socket: Socket) => {
    if (closing) return void socket.destroy();
    const connection: Connection = { handling: false };
    const served = serve(socket, connection, { receive, limits, log, isClosing: () => closing }).finally(() =>
      serving.delete(socket),
    );
    serving.set(socket, { connection, served });
  };
  // A sender may close its side once everything is sent and still wait for its answers.
  const server: NetServer = tls
    ? createTlsServer(
        {
          ...tls.options(),
          handshakeTimeout: handshakeMs,
          allowHalfOpen: true,
          // Whether it may be believed is decided for each message, with an answer that says so.
          ...(nodes ? { requestCert: true, rejectUnauthorized: false } : {}),
        },
        accept,
      )
    : createServer({ allowHalfOpen: true }, accept);
  if (server instanceof TlsServer) tls?.follow(server);
  server.maxConnections = limits.connections;
  // With TLS a connection exists before its handshake: `accept` never sees one that fails.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    const ofOne = [...connections].filter(({ remoteAddress }) => remoteAddress === socket.remoteAddress).length;
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    if (ofOne < limits.connectionsOfOne) return;
    log.warn({ connections: ofOne }, 'one address has too many MLLP connections');
    socket.destroy();
  });
  server.on('tlsClientError', (error: Error & { code?: string }, socket: Socket) => {
    log.warn({ error: error.code ?? error.name }, 'MLLPS handshake failed');
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error: Error & { code?: string }) =>
    log.error({ error: error.code ?? error.name }, 'MLLP listener'),
  );
  const address = server.address();

  return {
    port: typeof address === 'object' && address ? address.port : port,
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [socket, { connection }] of serving) if (!connection.handling) socket.destroy();
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limits.closeMs);
      });
      await Promise.race([Promise.allSettled([...serving.values()].map(({ served }) => served)), grace]);
      clearTimeout(timer);
      for (const socket of [...serving.keys(), ...connections]) socket.destroy();
      await closed;
    },
  };
}

interface Connection {
  /** A message of this connection is being handled: it will be answered before the connection is closed. */
  handling: boolean;
}

interface Service {
  receive: Receive;
  limits: MllpLimits;
  log: Log;
  isClosing(): boolean;
}

/** Serves one connection until it ends. Reading waits while a message is handled: the sender is slowed down, nothing piles up. */
async function serve(
  socket: Socket,
  connection: Connection,
  { receive, limits, log, isClosing }: Service,
): Promise<void> {
  const peer = peerOf(socket);
  const decoder = createFrameDecoder(limits.messageBytes);
  /** When the message that is coming in began, and with how many octets. */
  let begun: { at: number; bytes: number } | undefined;
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  socket.setTimeout(limits.idleMs);
  socket.on('timeout', () => {
    if (!connection.handling) socket.destroy();
  });
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      connection.handling = true;
      for (const event of decoder.push(chunk)) {
        const oversized = event.kind === 'oversized';
        const bytes = oversized ? event.head : event.bytes;
        if (bytes.length === 0) continue;
        const answer = await receive(bytes, peer, oversized);
        if (answer && socket.writable) await write(socket, frame(answer));
        // What was read but not handled is not acknowledged: the sender sends it again elsewhere.
        if (isClosing()) return;
        begun = undefined;
      }
      connection.handling = false;
      if (isClosing()) return;
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

function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function peerOf(socket: Socket): Peer {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return {
    address,
    loopback: address === '::1' || /^127\./.test(address),
    ...(socket instanceof TLSSocket ? { tls: { certificate: certificateOf(socket) } } : {}),
  };
}
