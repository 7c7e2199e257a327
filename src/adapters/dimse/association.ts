/** PS3.8 §9.2: one association as its acceptor: established, served message by message, ended. */
import type { Socket } from 'node:net';
import type { Access } from '../../access/index.ts';
import type { Context } from '../../fhir/index.ts';
import type { Conversation } from '../../sockets/index.ts';
import { type Command, commandField, type Response, readCommand, responseTo } from './command-set.ts';
import { requestCommitment } from './commitment.ts';
import { type Connection, type ConnectionLimits, openConnection } from './connection.ts';
import { type Established, type EstablishRooms, establish } from './establish.ts';
import { errorKind } from './log.ts';
import { abortPdu, dataPdus, releaseReplyPdu } from './pdu-writer.ts';
import { peerOf } from './peer.ts';
import { abortReason, LostPeer, malformed, ProtocolError } from './protocol-error.ts';
import { commitmentClass, verificationClass } from './sop-classes.ts';
import { status } from './status.ts';
import { type AcceptedContext, type StoreRooms, storeInstance } from './store.ts';
import { createTellNotTaken, type TellNotTaken } from './tell-not-taken.ts';

export interface AssociationLimits extends ConnectionLimits {
  /** How long a sender's registration is believed during its association. */
  believedMs: number;
}

export interface AssociationRooms extends Omit<EstablishRooms, 'pduBytes' | 'access'>, StoreRooms {
  access: Pick<Access, 'authorize' | 'recordActivity'>;
  limits: AssociationLimits;
}

/** How many instances became what, and how it ended: told at the end. */
interface Tally {
  stored: number;
  repeated: number;
  refused: number;
  end: 'released' | 'aborted' | 'closed' | 'lost' | 'faulty' | 'stopped';
}

/** Serves one connection until it ends. Never rejects. */
export async function serveAssociation(
  socket: Socket,
  conversation: Conversation,
  rooms: AssociationRooms,
): Promise<void> {
  const { limits, log } = rooms;
  const connection = openConnection(socket, limits);
  let lastWords: Buffer | undefined;
  // The whole request, however slowly it comes.
  const artim = setTimeout(() => socket.destroy(new LostPeer('asked for no association in time')), limits.artimMs);
  try {
    const peer = peerOf(socket);
    const joined = { ...rooms, pduBytes: limits.pduBytes };
    const established = await establish(connection, peer, joined, () => clearTimeout(artim));
    if (established) lastWords = await converse(connection, established, conversation, rooms);
  } catch (error) {
    lastWords = lastWordsAfter(error, log);
  } finally {
    clearTimeout(artim);
    conversation.handling = false;
    connection.end(lastWords);
  }
}

/** The established association until its end, which the trail is told. @returns what is said last. */
async function converse(
  connection: Connection,
  established: Established,
  conversation: Conversation,
  rooms: AssociationRooms,
): Promise<Buffer | undefined> {
  const tally: Tally = { stored: 0, repeated: 0, refused: 0, end: 'lost' };
  let lastWords: Buffer | undefined;
  try {
    lastWords = await exchange(connection, established, conversation, rooms, tally);
  } catch (error) {
    tally.end = error instanceof ProtocolError ? 'faulty' : 'lost';
    lastWords = lastWordsAfter(error, rooms.log);
  }
  await tellEnd(established, tally, rooms);
  return lastWords;
}

async function exchange(
  connection: Connection,
  established: Established,
  conversation: Conversation,
  rooms: AssociationRooms,
  tally: Tally,
): Promise<Buffer | undefined> {
  const callerNow = believed(established, rooms);
  const tellNotTaken = createTellNotTaken(established.request.callingAe, rooms);
  for (;;) {
    connection.rest();
    conversation.handling = false;
    if (conversation.closing) {
      tally.end = 'stopped';
      return abortPdu(abortReason.unspecified);
    }
    const arrived = await connection.messages.next();
    conversation.handling = true;
    switch (arrived.kind) {
      case 'command':
        await answer(connection, established, arrived, callerNow, tellNotTaken, rooms, tally);
        break;
      case 'release-request':
        tally.end = 'released';
        return releaseReplyPdu();
      case 'abort':
      case 'closed':
        tally.end = arrived.kind === 'abort' ? 'aborted' : 'closed';
        return undefined;
      default:
        throw new ProtocolError(abortReason.unexpectedPdu, 'not a PDU of an established association');
    }
  }
}

async function answer(
  connection: Connection,
  { request, contexts }: Established,
  { contextId, bytes }: { contextId: number; bytes: Buffer },
  callerNow: () => Promise<Context | undefined>,
  tellNotTaken: TellNotTaken,
  rooms: AssociationRooms,
  tally: Tally,
): Promise<void> {
  const by = contexts.get(contextId);
  if (!by) throw malformed('a presentation context that was not accepted');
  const command = readCommand(bytes);
  const sender = { callerNow, tellNotTaken, callingAe: request.callingAe };
  const response = await perform(connection, contextId, command, by, sender, rooms, tally);
  if (response) await connection.send(dataPdus(contextId, true, responseTo(command, response), request.maximumLength));
}

interface Sender {
  callerNow: () => Promise<Context | undefined>;
  tellNotTaken: TellNotTaken;
  callingAe: string;
}

async function perform(
  { messages }: Connection,
  contextId: number,
  command: Command,
  by: AcceptedContext,
  { callerNow, tellNotTaken, callingAe }: Sender,
  rooms: AssociationRooms,
  tally: Tally,
): Promise<Response | undefined> {
  if (by.abstractSyntax === commitmentClass && rooms.commitment && isAction(command)) {
    const dataset = messages.dataset(contextId);
    const { commitment } = rooms;
    return requestCommitment(command, by.transferSyntax, dataset, await callerNow(), callingAe, commitment);
  }
  const isStore = command.field === commandField.storeRequest && !nonImages.has(by.abstractSyntax);
  if (isStore && command.hasDataset) {
    const caller = await callerNow();
    const { response, stored } = await storeInstance(command, by, messages.dataset(contextId), caller, rooms);
    if (caller && stored) await tellNotTaken(caller, stored);
    tally[stored?.status === 'stored' ? 'stored' : stored?.status === 'duplicate' ? 'repeated' : 'refused'] += 1;
    return response;
  }
  if (command.hasDataset) await messages.dataset(contextId).drain();
  if (isStore) return { status: status.mistypedArgument, comment: 'C-STORE without a data set.' };
  if (command.field === commandField.echoRequest) return { status: status.success };
  // A response to nothing we asked, or the cancelling of what does not last: nothing is answered.
  if (command.field === commandField.cancel || command.field >= commandField.response) return undefined;
  return { status: status.unrecognizedOperation, comment: 'Only C-ECHO and C-STORE are served here.' };
}

const nonImages: ReadonlySet<string> = new Set([verificationClass, commitmentClass]);

function isAction({ field, hasDataset }: Command): boolean {
  return field === commandField.actionRequest && hasDataset;
}

/** The sender as it is registered now, asked again every few seconds: an association may last for hours. */
function believed(
  { request, peer, caller }: Established,
  { admission, limits }: AssociationRooms,
): () => Promise<Context | undefined> {
  let known: Context | undefined = caller;
  let until = performance.now() + limits.believedMs;
  return async () => {
    if (performance.now() < until) return known;
    known = await admission.readmit(request.callingAe, peer, caller.requestId);
    until = performance.now() + limits.believedMs;
    return known;
  };
}

/** The other side has its answers already: what cannot be told here is in the log, and each instance in the trail by its own event. */
async function tellEnd(
  { caller, request }: Established,
  { stored, repeated, refused, end }: Tally,
  { access, log }: AssociationRooms,
): Promise<void> {
  if (stored + repeated + refused === 0) return;
  const counts = { stored: String(stored), repeated: String(repeated), refused: String(refused) };
  try {
    await access.recordActivity(
      { ...caller, interaction: 'dimse:release' },
      {
        kind: 'association-end',
        outcome: refused > 0 ? 'failed' : 'success',
        details: { sender: request.callingAe, end, ...counts },
      },
    );
  } catch (error) {
    log.error(
      { error: errorKind(error), requestId: caller.requestId },
      'the end of a DICOM association is not in the trail',
    );
  }
}

function lastWordsAfter(error: unknown, log: AssociationRooms['log']): Buffer | undefined {
  if (error instanceof ProtocolError) {
    log.warn({ reason: error.message }, 'DICOM association aborted: the other side broke the protocol');
    return abortPdu(error.reason);
  }
  if (error instanceof LostPeer) {
    log.info({ reason: error.message }, 'DICOM connection lost');
    return undefined;
  }
  log.error({ error: errorKind(error) }, 'DICOM association aborted');
  return abortPdu(abortReason.unspecified);
}
