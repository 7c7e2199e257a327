/** PS3.7 §9.3.1 and PS3.4 Annex B: C-STORE into the archive, by the same ingest as STOW-RS. Success is said after the commit. */
import { Readable } from 'node:stream';
import type { Access } from '../../access/index.ts';
import { type Context, FhirError } from '../../fhir/index.ts';
import { fileMeta, type Imaging, isUid, type StoredInstance } from '../../imaging/index.ts';
import type { Command, Response } from './command-set.ts';
import { errorKind, type Log } from './log.ts';
import type { DatasetReader } from './messages.ts';
import { LostPeer, ProtocolError } from './protocol-error.ts';
import { responseOf, responseOfError, status } from './status.ts';

export interface StoreRooms {
  imaging: Pick<Imaging, 'store'>;
  access: Pick<Access, 'authorize'>;
  log: Log;
}

/** The presentation context a request came by. */
export interface AcceptedContext {
  abstractSyntax: string;
  transferSyntax: string;
}

/**
 * Stores the data set of a request. Its bytes are kept as they came, behind a File Meta Information that depends on nothing but the
 * instance: sent again by whomever, it is the same file and changes nothing.
 * @param caller who sends, or undefined when that is not who may any more.
 * @throws ProtocolError, LostPeer: the data set did not come whole; nothing stays of it.
 */
export async function storeInstance(
  request: Command,
  by: AcceptedContext,
  dataset: DatasetReader,
  caller: Context | undefined,
  { imaging, access, log }: StoreRooms,
): Promise<{ response: Response; stored?: StoredInstance }> {
  const refusal = refusalOf(request, by) ?? permission(caller, access);
  const { sopClassUid = '', sopInstanceUid = '' } = request;
  if (refusal || !caller) {
    await dataset.drain();
    return { response: refusal ?? { status: status.notAuthorized } };
  }
  const head = fileMeta({ sopClassUid, sopUid: sopInstanceUid, transferSyntax: by.transferSyntax });
  try {
    const [stored] = await imaging.store(caller, onePart(head, dataset), {
      sopClassUid,
      sopUid: sopInstanceUid,
    });
    // What was refused half-way is still coming.
    await dataset.drain();
    return { response: responseOf(stored), ...(stored ? { stored } : {}) };
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof LostPeer) throw error;
    log.error({ error: errorKind(error), requestId: caller.requestId }, 'an instance sent by C-STORE was not stored');
    await dataset.drain();
    return { response: responseOfError(error) };
  }
}

function refusalOf({ sopClassUid, sopInstanceUid = '' }: Command, by: AcceptedContext): Response | undefined {
  if (sopClassUid !== by.abstractSyntax)
    return { status: status.sopClassNotSupported, comment: 'Not the SOP class of this presentation context.' };
  if (!isUid(sopInstanceUid)) return { status: status.invalidInstance, comment: 'Not a SOP Instance UID.' };
  return undefined;
}

/** The refusal is in the trail by then. */
function permission(caller: Context | undefined, access: StoreRooms['access']): Response | undefined {
  if (!caller) return { status: status.notAuthorized, comment: 'This sender is not registered any more.' };
  try {
    access.authorize(caller, { interaction: 'create', type: 'ImagingStudy' });
    return undefined;
  } catch (error) {
    if (error instanceof FhirError) return responseOfError(error);
    throw error;
  }
}

async function* onePart(head: Buffer, dataset: DatasetReader): AsyncGenerator<Readable> {
  yield Readable.from(file(head, dataset), { objectMode: false });
}

async function* file(head: Buffer, dataset: DatasetReader): AsyncGenerator<Buffer> {
  yield head;
  for (let bytes = await dataset.read(); bytes; bytes = await dataset.read()) yield bytes;
}
