/** The DICOM listener (PS3.8 §9.1, PS3.15 Annex B): plain, or over TLS with certificates on both sides. Associations work in parallel. */
import type { Access, Nodes, ServerTls } from '../../access/index.ts';
import type { Clock, DicomPeer } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { Delivery } from '../../delivery/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import type { Imaging } from '../../imaging/index.ts';
import { type Listener, listen } from '../../sockets/index.ts';
import { createAdmission } from './admission.ts';
import { type AssociationLimits, serveAssociation } from './association.ts';
import { createDoorkeeper, type DoorLimits } from './doorkeeper.ts';
import type { Log } from './log.ts';
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

export type Dimse = Listener;

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
  const rooms = {
    ...{ admission, access, doorkeeper, limits, log, imaging: options.imaging },
    ...(delivery ? { commitment: { database, store, delivery, log } } : {}),
  };
  return listen({
    host,
    port,
    log,
    // Too many of one address are told so: the doorkeeper counts them.
    limits: { connections: limits.connections, closeMs: limits.closeMs },
    name: { plain: 'DICOM', secured: 'DICOM TLS' },
    // Whose a certificate is decides about the association, with an answer and a trail that say so.
    ...(secured ? { tls: { certificate: secured.tls, asksClients: true } } : {}),
    entered: doorkeeper.entered,
    left: doorkeeper.left,
    serve: (socket, conversation) => serveAssociation(socket, conversation, rooms),
  });
}
