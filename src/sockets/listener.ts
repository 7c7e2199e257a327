/**
 * A listener of connections, in clear or over TLS (PS3.8 §9.1, PS3.15 Annex B; MLLP and MLLPS): how many there may be, what becomes of
 * handshakes that fail, and a close that lets what is being handled be answered. What is said on a connection is its protocol's affair.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { addressOf } from './address.ts';

/** What whoever serves a connection and whoever closes the listener tell each other. */
export interface Conversation {
  /** Set by the protocol: a message is being handled, and will be answered before the connection is closed. */
  handling: boolean;
  /** Set by the listener: nothing more is to be begun. */
  closing: boolean;
}

/** A certificate and key, and those that replace them. */
export interface ServerCertificate {
  options(): SecureContextOptions;
  follow(server: { setSecureContext(options: SecureContextOptions): void }): void;
}

export interface ListenerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Of the protocol, in clear and over TLS, in the log. */
  name: { plain: string; secured: string };
  log: {
    warn(details: object, message: string): void;
    error(details: object, message: string): void;
  };
  /** Over TLS. `asksClients`: connections are asked for a certificate; whether it may be believed is the protocol's to say, with an answer. */
  tls?: { certificate: ServerCertificate; asksClients: boolean };
  limits: {
    /** Beyond, connections are closed unheard. */
    connections: number;
    /** Of one network address, closed unheard beyond; a protocol that has words for it counts by `entered` and `left` instead. */
    connectionsOfOne?: number;
    /** How long `close` waits for messages being handled. */
    closeMs: number;
  };
  /** A connection exists from now on, before any handshake; each is told `left` once. */
  entered?(address: string): void;
  left?(address: string): void;
  /** Serves one connection until it ends, and ends it. Never rejects. */
  serve(socket: Socket, conversation: Conversation): Promise<void>;
}

export interface Listener {
  port: number;
  /** Stops accepting, lets messages being handled be answered, closes. */
  close(): Promise<void>;
}

const handshakeMs = 10_000;

type Serving = Map<Socket, { conversation: Conversation; served: Promise<void> }>;

/** Listens. @throws what the port or the certificate make impossible. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { limits } = options;
  const serving: Serving = new Map();
  let closing = false;
  const server = makeServer(options, (socket) => {
    if (closing) return void socket.destroy();
    const conversation: Conversation = { handling: false, closing: false };
    const served = options.serve(socket, conversation).finally(() => serving.delete(socket));
    serving.set(socket, { conversation, served });
  });
  server.maxConnections = limits.connections;
  const connections = watchConnections(server, options);
  await started(server, options);
  const address = server.address();

  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await drain(serving, limits.closeMs);
      for (const socket of [...serving.keys(), ...connections]) socket.destroy();
      await closed;
    },
  };
}

/** The other side may close its own direction once everything is said, and still wait for its answers. */
function makeServer({ tls, log, name }: ListenerOptions, accept: (socket: Socket) => void): Server {
  if (!tls) return createServer({ allowHalfOpen: true }, accept);
  const server = createTlsServer(
    {
      ...tls.certificate.options(),
      handshakeTimeout: handshakeMs,
      allowHalfOpen: true,
      ...(tls.asksClients ? { requestCert: true, rejectUnauthorized: false } : {}),
    },
    accept,
  );
  tls.certificate.follow(server);
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    log.warn({ error: errorKind(error), address: addressOf(socket) }, `${name.secured} handshake failed`);
    socket.destroy();
  });
  return server;
}

/** All there are, also those whose TLS handshake is not done, or fails: the server's own listener never sees them. */
function watchConnections(
  server: Server,
  { limits: { connectionsOfOne }, log, name, entered, left }: ListenerOptions,
): Set<Socket> {
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    const address = addressOf(socket);
    connections.add(socket);
    entered?.(address);
    socket.once('close', () => {
      connections.delete(socket);
      left?.(address);
    });
    if (connectionsOfOne === undefined) return;
    const others = [...connections].filter((other) => other !== socket && addressOf(other) === address).length;
    if (others < connectionsOfOne) return;
    log.warn({ connections: others }, `one address has too many ${name.plain} connections`);
    socket.destroy();
  });
  return connections;
}

async function started(server: Server, { host, port, log, name }: ListenerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error) => log.error({ error: errorKind(error) }, `${name.plain} listener`));
}

/** What is idle is closed, what is being handled is waited for: `closeMs` at most. */
async function drain(serving: Serving, closeMs: number): Promise<void> {
  for (const [socket, { conversation }] of serving) {
    conversation.closing = true;
    if (!conversation.handling) socket.destroy();
  }
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, closeMs);
  });
  await Promise.race([Promise.allSettled([...serving.values()].map(({ served }) => served)), grace]);
  clearTimeout(timer);
}

function errorKind(error: Error & { code?: string }): string {
  return error.code ?? error.name;
}
