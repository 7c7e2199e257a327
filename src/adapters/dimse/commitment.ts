/**
 * PS3.4 Annex J: storage commitment, as its provider. The request is kept and answered; the report goes by the outbox, over an association of
 * ours, so that neither a restart nor a PACS that is away loses it.
 */
import type { Database } from '../../db/index.ts';
import type { Delivery } from '../../delivery/index.ts';
import type { Context, FhirStore } from '../../fhir/index.ts';
import { type DicomJson, isUid, itemsOf, type NamedInstance, readShortDataset, textOf } from '../../imaging/index.ts';
import type { Command, Response } from './command-set.ts';
import { errorKind, type Log } from './log.ts';
import type { DatasetReader } from './messages.ts';
import { type ReportRoute, reportRoute } from './report-route.ts';
import { commitmentInstance } from './sop-classes.ts';
import { status } from './status.ts';

export const commitmentPrefix = 'dicom-commitment:';

/** Request Storage Commitment, the only action of the class. */
const requestAction = 1;
const mostInstances = 20_000;
/** Of the longest UIDs in the most verbose encoding: 200 bytes an instance. */
const mostBytes = mostInstances * 200;

export interface CommitmentRooms {
  database: Database;
  store: Pick<FhirStore, 'transaction' | 'search'>;
  delivery: Pick<Delivery, 'enqueue'>;
  log: Log;
}

/** Where this sender is told; undefined: the class is not offered to it. */
export function routeOf(
  { store }: Pick<CommitmentRooms, 'store'>,
  caller: Context,
  aeTitle: string,
): Promise<ReportRoute | undefined> {
  return reportRoute(store, caller.tenant, caller.establishments?.[0] ?? '', aeTitle);
}

/** Takes a request; success means that its report will be sent. @throws ProtocolError, LostPeer. */
export async function requestCommitment(
  command: Command,
  transferSyntax: string,
  dataset: DatasetReader,
  caller: Context | undefined,
  aeTitle: string,
  rooms: CommitmentRooms,
): Promise<Response> {
  const bytes = await collected(dataset);
  if (!caller) return { status: status.notAuthorized, comment: 'This sender is not registered any more.' };
  if (command.sopInstanceUid !== commitmentInstance) return { status: status.noSuchInstance };
  if (command.actionType !== requestAction) return { status: status.noSuchAction };
  if (!bytes) return { status: status.resourceLimitation, comment: `More than ${mostInstances} instances.` };
  const asked = await readShortDataset(bytes, transferSyntax).then(requestOf, () => undefined);
  if (!asked) return { status: status.invalidArgument, comment: 'Not a request for storage commitment.' };
  try {
    await keep(asked, caller, aeTitle, rooms);
    return { status: status.success };
  } catch (error) {
    rooms.log.error(
      { error: errorKind(error), requestId: caller.requestId },
      'a request for storage commitment was not kept',
    );
    return { status: status.processingFailure, comment: 'Not kept for now: ask again later.' };
  }
}

interface Asked {
  transactionUid: string;
  instances: NamedInstance[];
}

function requestOf(dataset: DicomJson): Asked | undefined {
  const transactionUid = textOf(dataset, '00081195') ?? '';
  const instances = itemsOf(dataset, '00081199').map((item) => ({
    sopClassUid: textOf(item, '00081150') ?? '',
    sopUid: textOf(item, '00081155') ?? '',
  }));
  const isWhole =
    isUid(transactionUid) &&
    instances.length > 0 &&
    instances.length <= mostInstances &&
    instances.every(({ sopClassUid, sopUid }) => isUid(sopClassUid) && isUid(sopUid));
  return isWhole ? { transactionUid, instances } : undefined;
}

/** One transaction: what was asked, and its place in the outbox. */
async function keep(
  { transactionUid, instances }: Asked,
  caller: Context,
  aeTitle: string,
  { store, delivery }: CommitmentRooms,
): Promise<void> {
  const { tenant, actor, establishments = [] } = caller;
  await store.transaction({ ...caller, interaction: 'dimse:n-action' }, async (tx) => {
    const id = await delivery.enqueue(tx, {
      destination: `${commitmentPrefix}${aeTitle}`,
      kind: 'storage-commitment',
      focus: actor.reference,
    });
    await tx.sql.query(
      `INSERT INTO storage_commitment
         (tenant, id, ae_title, organization_id, actor, transaction_uid, sop_classes, sop_instances)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        ...[tenant, id, aeTitle, establishments[0], actor.reference, transactionUid],
        instances.map(({ sopClassUid }) => sopClassUid),
        instances.map(({ sopUid }) => sopUid),
      ],
    );
  });
}

/** The whole data set; undefined when it is too large, which is read to its end all the same. */
async function collected(dataset: DatasetReader): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for (let bytes = await dataset.read(); bytes; bytes = await dataset.read()) {
    length += bytes.length;
    if (length <= mostBytes) parts.push(bytes);
  }
  return length <= mostBytes ? Buffer.concat(parts) : undefined;
}
