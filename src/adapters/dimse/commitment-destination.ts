/** PACS as a destination of the outbox: what we answer for is found out when the report leaves. */
import type { ConnectionOptions } from 'node:tls';
import type { Access } from '../../access/index.ts';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { DeliveryItem, DeliveryResult, Destination, OutcomeHook } from '../../delivery/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import type { ImagingRoom } from '../../imaging/index.ts';
import { commitmentPrefix } from './commitment.ts';
import { errorKind } from './log.ts';
import { NotAccepted, sendMessage } from './outgoing.ts';
import { LostPeer, ProtocolError } from './protocol-error.ts';
import { type Judged, reportCommand, reportDataset } from './report.ts';
import { reportRoute } from './report-route.ts';
import { actorOf } from './senders.ts';
import { commitmentClass } from './sop-classes.ts';
import { status } from './status.ts';

export interface CommitmentDestinationOptions {
  database: Database;
  store: Pick<FhirStore, 'search'>;
  imaging: Pick<ImagingRoom, 'custodyOf'>;
  access: Pick<Access, 'sightOf' | 'recordActivity'>;
  clock: Clock;
  /** Our AE title. */
  aeTitle: string;
  /** How we speak TLS to a PACS whose address asks for it. */
  tls?: () => ConnectionOptions;
}

interface Row {
  ae_title: string;
  organization_id: string;
  actor: string;
  transaction_uid: string;
  sop_classes: string[];
  sop_instances: string[];
}

export function commitmentDestination(options: CommitmentDestinationOptions): Destination & { forget: OutcomeHook } {
  return {
    prefix: commitmentPrefix,
    deliver: (item) => deliver(item, options),
    /** Nobody needs to know any more what was asked. */
    async forget({ tenant, id, destination }, { status: outcome }, tx) {
      if (outcome !== 'delivered' || !destination.startsWith(commitmentPrefix)) return;
      await tx.sql.query('DELETE FROM storage_commitment WHERE tenant = $1 AND id = $2', [tenant, id]);
    },
  };
}

async function deliver(item: DeliveryItem, options: CommitmentDestinationOptions): Promise<DeliveryResult> {
  const { database, store, aeTitle, clock, access } = options;
  const { tenant, id } = item;
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ae_title, organization_id, actor, transaction_uid, sop_classes, sop_instances
     FROM storage_commitment WHERE tenant = $1 AND id = $2`,
    [tenant, id],
  );
  const [row] = rows;
  if (!row) return { status: 'failed', reason: 'the request of this item is gone' };
  const route = await reportRoute(store, tenant, row.organization_id, row.ae_title);
  if (!route) return { status: 'retry', reason: 'no active Endpoint for the AE title' };
  const actor = actorOf(row.actor, row.ae_title, row.ae_title);
  const caller = await access.sightOf({ tenant, actor, establishments: [row.organization_id] });
  const judged = await judge(row, caller, options);
  const held = judged.filter(({ custody }) => custody === 'held').length;
  // It tells which images are here: in the trail before it leaves.
  await access.recordActivity(
    { ...caller, requestId: id, interaction: 'dimse:n-event-report', network: route.host, now: () => clock.now() },
    {
      kind: 'message-out',
      details: {
        receiver: row.ae_title,
        transaction: row.transaction_uid,
        committed: String(held),
        refused: String(judged.length - held),
      },
    },
  );
  try {
    const answer = await sendMessage(route, {
      ...{ callingAe: aeTitle, calledAe: row.ae_title, sopClass: commitmentClass },
      command: reportCommand(1, judged),
      dataset: reportDataset(row.transaction_uid, judged),
      tls: options.tls?.() ?? {},
    });
    return resultOf(answer, `${held} of ${judged.length} instances committed`);
  } catch (error) {
    if (error instanceof NotAccepted || error instanceof LostPeer || error instanceof ProtocolError)
      return { status: 'retry', reason: error.message, mayHaveArrived: !(error instanceof NotAccepted) };
    return { status: 'retry', reason: errorKind(error) };
  }
}

async function judge(
  { sop_classes: classes, sop_instances: instances }: Row,
  caller: Parameters<ImagingRoom['custodyOf']>[0],
  { imaging }: CommitmentDestinationOptions,
): Promise<Judged[]> {
  const named = instances.map((sopUid, index) => ({ sopUid, sopClassUid: classes[index] ?? '' }));
  const custody = await imaging.custodyOf(caller, named);
  return named.map((one, index) => ({ ...one, custody: custody[index] ?? 'unknown' }));
}

/** PS3.7 §10.1.1.1.8: it does not know the transaction, and will not know it later. */
const finalStatuses: ReadonlySet<number> = new Set([0x0112, 0x0113, 0x0115, 0x0118]);

function resultOf(answer: number, evidence: string): DeliveryResult {
  const said = `N-EVENT-REPORT answered ${answer.toString(16).padStart(4, '0')}`;
  if (answer === status.success) return { status: 'delivered', evidence: `${said}: ${evidence}` };
  return { status: finalStatuses.has(answer) ? 'failed' : 'retry', reason: said };
}
