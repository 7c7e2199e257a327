/** PS3.8 §7.1, §9.2: an association asked for, and accepted or refused; the trail knows before the other side does. */
import { randomUUID } from 'node:crypto';
import type { Access } from '../../access/index.ts';
import type { Context } from '../../fhir/index.ts';
import { implementationUid } from '../../imaging/index.ts';
import type { Admission, Admitted } from './admission.ts';
import { acceptPdu } from './associate-answer.ts';
import { type AssociateRequest, readAssociateRequest } from './associate-items.ts';
import { type CommitmentRooms, routeOf } from './commitment.ts';
import type { Connection } from './connection.ts';
import { errorKind, type Log } from './log.ts';
import { answerContext } from './negotiation.ts';
import { type Rejection, rejection, rejectPdu } from './pdu-writer.ts';
import type { Peer } from './peer.ts';
import { abortReason, LostPeer, ProtocolError } from './protocol-error.ts';
import { commitmentClass } from './sop-classes.ts';
import type { AcceptedContext } from './store.ts';

export interface Established {
  request: AssociateRequest;
  contexts: ReadonlyMap<number, AcceptedContext>;
  peer: Peer;
  /** Who sends, as it was admitted. */
  caller: Context;
}

export interface EstablishRooms {
  admission: Admission;
  access: Pick<Access, 'recordActivity'>;
  log: Log;
  /** Whether there is room for another association of an address, and who was refused there lately. */
  doorkeeper: { rejection(address: string): Rejection | undefined; refused(address: string): void };
  /** Our Maximum Length. */
  pduBytes: number;
  /** Storage commitment, where it can be reported. */
  commitment?: CommitmentRooms;
}

/**
 * The association, once the other side knows of it; undefined when it was refused or nobody asked.
 * @param requested told when the request has come: from then on it is we who make wait.
 * @throws ProtocolError, LostPeer.
 */
export async function establish(
  connection: Connection,
  peer: Peer,
  rooms: EstablishRooms,
  requested: () => void,
): Promise<Established | undefined> {
  const first = await connection.messages.next();
  requested();
  if (first.kind === 'closed' || first.kind === 'abort') return undefined;
  if (first.kind !== 'associate-request') throw new ProtocolError(abortReason.unexpectedPdu, 'no A-ASSOCIATE-RQ');
  const request = readAssociateRequest(first.body);
  const decision = await decide(request, peer, rooms);
  if ('rejected' in decision) {
    rooms.log.warn({ address: peer.address, reason: decision.reason }, 'DICOM association refused');
    await connection.send(rejectPdu(decision.rejected));
    return undefined;
  }
  const commits = await mayCommit(request, decision.admitted, rooms);
  const answers = request.contexts.map((context) => answerContext(context, commits));
  const contexts = new Map<number, AcceptedContext>();
  for (const [index, { id, result, transferSyntax }] of answers.entries()) {
    const { abstractSyntax = '' } = request.contexts[index] ?? {};
    if (result === 0) contexts.set(id, { abstractSyntax, transferSyntax });
  }
  await connection.send(
    acceptPdu(request, answers, { maximumLength: rooms.pduBytes, implementationClass: implementationUid }),
  );
  connection.rest();
  return { request, contexts, peer, caller: decision.admitted };
}

/** Only who can be told of it is offered it: a request whose report never comes would be worse than none. */
async function mayCommit(
  request: AssociateRequest,
  caller: Context,
  { commitment, log }: EstablishRooms,
): Promise<boolean> {
  if (!commitment || !request.contexts.some(({ abstractSyntax }) => abstractSyntax === commitmentClass)) return false;
  try {
    return (await routeOf(commitment, caller, request.callingAe)) !== undefined;
  } catch (error) {
    log.error({ error: errorKind(error) }, 'where storage commitments are reported to could not be found out');
    return false;
  }
}

async function decide(
  request: AssociateRequest,
  peer: Peer,
  { doorkeeper, admission, access, log }: EstablishRooms,
): Promise<Admitted> {
  const full = doorkeeper.rejection(peer.address);
  if (full) return { rejected: full, reason: 'too many associations, or refusals, of this address' };
  try {
    const decision = await admission.admit(request, peer, randomUUID());
    if ('rejected' in decision) doorkeeper.refused(peer.address);
    else await tellBegin(request, peer, decision.admitted, access);
    return decision;
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof LostPeer) throw error;
    // The database is away: nothing could be stored either.
    log.error({ error: errorKind(error) }, 'a DICOM association could not be decided');
    return { rejected: rejection.congestion, reason: 'unavailable' };
  }
}

function tellBegin(request: AssociateRequest, peer: Peer, caller: Context, access: EstablishRooms['access']) {
  return access.recordActivity(
    { ...caller, interaction: 'dimse:associate' },
    {
      kind: 'association-start',
      details: {
        sender: request.callingAe,
        ...(peer.certificate?.names[0] ? { certificate: peer.certificate.names[0] } : {}),
        ...(request.implementationClass ? { implementation: request.implementationClass } : {}),
        contexts: String(request.contexts.length),
      },
    },
  );
}
