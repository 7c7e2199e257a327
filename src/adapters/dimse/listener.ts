/** The DICOM listener (PS3.8 §9.1, PS3.15 Annex B): plain, or over TLS with certificates on both sides. Associations work in parallel. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Access, Nodes, ServerTls } from '../../access/index.ts';
import type { Clock, DicomPeer } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { Delivery } from '../../delivery/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import type { Imaging } from '../../imaging/index.ts';
import { createAdmission } from './admission.ts';
import { type AssociationLimits, type AssociationState, serveAssociation } from './association.ts';
import { createDoorkeeper, type DoorLimits } from './doorkeeper.ts';
import { errorKind, type Log } from './log.ts';
import { createSenders } from './senders.ts';

export interface DimseOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Our AE title: nobody else's associations are taken. */
  aeTitle: string;
  database: Database;
  store: FhirStore;
  imaging: Pick<Imaging, 'store'>;
  access: Pick<Access, 'authorize' | 'recordActivity' | 'sightOf'>;
  clock: Clock;
  log: Log;
  /** DICOM over TLS: with this certificate and key, and those that replace them; `nodes` says for whom a client's may speak. */
  secured?: { tls: Pick<ServerTls, 'options' | 'follow'>; nodes: Nodes };
  /** On the plain port: AE titles and where they may come from; undefined: registered ones from this machine only. */
  peers?: readonly DicomPeer[];
  /** An unknown title on a loopback connection counts as this establishment's PACS (demonstration only). */
  acceptUnknownLoopback?: { tenant: string; organizationId: string };
  /** Storage commitment is offered, by reports through this outbox. */
  delivery?: Pick<Delivery, 'enqueue'>;
  limits?: Partial<DimseLimits>;
}

export interface DimseLimits extends AssociationLimits, DoorLimits {
  /** Beyond, connections are closed unheard. */
  connections: number;
  /** How long `close` waits for messages being handled. */
  closeMs: number;
}

export interface Dimse {
  port: number;
  /** Stops accepting, lets messages being handled be answered, closes. */
  close(): Promise<void>;
}

const defaultLimits: DimseLimits = {
  pduBytes: 128 * 1024,
  artimMs: 30_000,
  idleMs: 10 * 60_000,
  stalledMs: 60_000,
  octetsPerSecond: 500,
  graceMs: 20_000,
  believedMs: 5_000,
  connections: 160,
  associations: 64,
  associationsOfOne: 32,
  refusalsOfOne: 30,
  closeMs: 10_000,
};

const handshakeMs = 10_000;

/** Listens. @throws what the port or the certificate make impossible. */
export async function startDimse(options: DimseOptions): Promise<Dimse> {
  const { host, port, log, secured, access, clock, delivery, database, store } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const doorkeeper = createDoorkeeper(limits);
  const admission = createAdmission({
    aeTitle: options.aeTitle,
    senders: createSenders(options),
    access,
    ...(secured ? { nodes: secured.nodes } : {}),
    ...(options.peers ? { peers: options.peers } : {}),
    now: () => clock.now(),
  });
  const serving = new Map<Socket, { state: AssociationState; served: Promise<void> }>();
  let closing = false;
  const rooms = {
    ...{ admission, access, doorkeeper, limits, log, imaging: options.imaging },
    isClosing: () => closing,
    ...(delivery ? { commitment: { database, store, delivery, log } } : {}),
  };
  const accept = (socket: Socket) => {
    if (closing) return void socket.destroy();
    const state: AssociationState = { handling: false };
    const served = serveAssociation(socket, state, rooms).finally(() => serving.delete(socket));
    serving.set(socket, { state, served });
  };
  const server = makeServer(secured, accept, log);
  server.maxConnections = limits.connections;
  // With TLS a connection exists before its handshake: `accept` never sees one that fails.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
    connections.add(socket);
    doorkeeper.entered(address);
    socket.once('close', () => {
      connections.delete(socket);
      doorkeeper.left(address);
    });
  });
  await listen(server, port, host, log);
  const address = server.address();

  return {
    port: typeof address === 'object' && address ? address.port : port,
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [socket, { state }] of serving) if (!state.handling) socket.destroy();
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limits.closeMs);
      });
      await Promise.race([Promise.allSettled([...serving.values()].map(({ served }) => served)), grace]);
      clearTimeout(timer);
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

/** An SCU may close its side once it asked for release, and still wait for the reply. */
function makeServer(secured: DimseOptions['secured'], accept: (socket: Socket) => void, log: Log): NetServer {
  if (!secured) return createServer({ allowHalfOpen: true }, accept);
  const server = createTlsServer(
    {
      ...secured.tls.options(),
      handshakeTimeout: handshakeMs,
      allowHalfOpen: true,
      // Whose it is decides about the association, with an answer and a trail that say so.
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket: TLSSocket) => accept(socket),
  );
  secured.tls.follow(server);
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    log.warn({ error: errorKind(error), address: socket.remoteAddress }, 'DICOM TLS handshake failed');
    socket.destroy();
  });
  return server;
}

async function listen(server: NetServer, port: number, host: string, log: Log): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error: Error) => log.error({ error: errorKind(error) }, 'DICOM listener'));
}
