/** Delivery to a RIS: the establishment's MLLP endpoint, one message per item, the same octets at every attempt. */
import type { Resource } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { DeliveryItem, DeliveryResult, Destination } from '../../delivery/contract.ts';
import {
  type Context,
  type FhirGuards,
  type FhirStore,
  type FhirTransaction,
  systemContext,
} from '../../fhir/index.ts';
import type { Identity } from './acknowledgement.ts';
import { writeAnswer } from './answer-writer.ts';
import { readScannedPages, uniqueIdOf, writeAttachment } from './attachment-writer.ts';
import { IncompleteCase, idOf, readCaseData, readCda, readRequestData } from './case-data.ts';
import { decodeForPeople } from './charset.ts';
import { writeDocument } from './document-writer.ts';
import { unescapeText } from './escape.ts';
import type { Log } from './log.ts';
import { countSending, findOutgoing, insertOutgoing, mayHaveArrived, recordAnswer } from './message-store.ts';
import { connectMllp, frenchReason, type MllpAddress, type MllpClient, MllpError } from './mllp-client.ts';
import { acknowledgementOf } from './receive.ts';
import { type Route, readRoute } from './ris-route.ts';
import type { Envelope } from './segment-writer.ts';
import { isSuperseded } from './superseded.ts';
import { loadTables, type Tables } from './tables.ts';
import { isWithdrawal, renderWithdrawal } from './withdrawal.ts';

export interface RisOptions {
  database: Database;
  store: FhirStore;
  clock: Clock;
  log: Log;
  /** MSH-3 and MSH-4 of what we send. */
  identity?: Identity;
  /** MSH-11: `P` production, `T` test. */
  processingId?: 'P' | 'T' | 'D';
  /** Told what was read for a message that leaves (design §5 rule 9). */
  auditRead?: FhirGuards['auditRead'];
  /** How long to wait for an acknowledgement, milliseconds. */
  answerMs?: number;
  /** Trust of `mllps://` endpoints whose certificate is not publicly signed. */
  tls?: NonNullable<MllpAddress['tls']>;
}

/** Destination `ris:<Organization id>`; `close` ends its connections. */
export interface RisDestination extends Destination {
  close(): Promise<void>;
}

const prefix = 'ris:';
const ownIdentity: Identity = { application: 'PASSERELLE', facility: 'PASSERELLE' };

interface Prepared {
  raw: Buffer;
  route: Route;
  answer: Buffer | undefined;
}

export function risDestination(options: RisOptions): RisDestination {
  const { database, store, clock, log } = options;
  const connections = new Map<string, MllpClient>();
  let loading: Promise<Tables> | undefined;

  async function prepare(item: DeliveryItem, organizationId: string): Promise<Prepared | { missing: string }> {
    loading ??= loadTables();
    const tables = await loading.catch((error: unknown) => {
      // What failed is tried again by the next one.
      loading = undefined;
      throw error;
    });
    const context = systemContext(item.tenant, `hl7v2:${item.kind}`, clock);
    const { prepared, read } = await store.transaction(context, async (tx) => {
      const route = await readRoute(tx, organizationId, tables);
      if ('missing' in route) return { prepared: route, read: [] };
      // A case found to be an error keeps what was signed of it to itself, also what was made ready before (workflow §2, state 19).
      if (ofPatient(item.kind) && (await isError(tx, item)))
        throw new IncompleteCase('Le dossier est erroné : son compte rendu et ses pièces ne partent plus.');
      if (isReport(item.kind) && (await isSuperseded(tx, item)))
        throw new IncompleteCase('Une version plus récente a déjà été remise au site : celle-ci ne part plus.');
      // A second attempt after a crash must not render again: a new time would make other octets under the same control id.
      const known = await findOutgoing(tx.sql, item.tenant, organizationId, item.id);
      // One that was refused for its content is different: whatever was corrected since must be in what leaves.
      if (known && !known.refused) return { prepared: { raw: known.raw, route, answer: known.answer }, read: [] };
      const { bytes, messageType, read } = await render(tx, item, envelopeOf(item, route), tables, route);
      await insertOutgoing(tx.sql, {
        tenant: item.tenant,
        partner: organizationId,
        controlId: item.id,
        messageType,
        raw: bytes,
        at: clock.now(),
        focus: item.focus,
      });
      return { prepared: { raw: bytes, route, answer: undefined }, read };
    });
    if (read.length > 0) await audit(context, read);
    return prepared;
  }

  function envelopeOf(item: DeliveryItem, route: Route): Envelope {
    const identity = options.identity ?? ownIdentity;
    return {
      sendingApplication: identity.application,
      sendingFacility: identity.facility,
      receivingApplication: route.application,
      receivingFacility: route.facility,
      controlId: item.id,
      processingId: options.processingId ?? 'P',
      now: clock.now(),
      zone: route.site.zone,
      charset: route.site.outboundCharset,
    };
  }

  async function audit(context: Context, read: Parameters<FhirGuards['auditRead']>[1]['resources']): Promise<void> {
    await options.auditRead?.(context, { resources: read, outcome: 'success' });
  }

  async function send(route: Route, raw: Buffer, leaving: () => Promise<void>): Promise<Buffer> {
    const key = `${route.tls ? 'mllps' : 'mllp'}://${route.host}:${route.port}`;
    let client = connections.get(key);
    if (!client?.open) {
      client = await connectMllp({
        host: route.host,
        port: route.port,
        background: true,
        ...(route.tls ? { tls: { servername: route.host, ...options.tls } } : {}),
        ...(options.answerMs === undefined ? {} : { answerMs: options.answerMs }),
      });
      connections.set(key, client);
    }
    await leaving();
    return client.send(raw);
  }

  async function attempt(item: DeliveryItem, organizationId: string): Promise<DeliveryResult> {
    try {
      const prepared = await prepare(item, organizationId);
      if ('missing' in prepared) return { status: 'retry', reason: prepared.missing };
      const earlier = prepared.answer && resultOf(prepared.answer);
      // Acknowledged already, by itself or before a crash: sending again would only annoy.
      if (earlier?.status === 'delivered') return earlier;
      const answer = await send(prepared.route, prepared.raw, () =>
        database.transaction(item.tenant, (sql) => countSending(sql, item.tenant, organizationId, item.id)),
      );
      const result = resultOf(answer);
      const outcome = acknowledgementOf(answer)?.code ?? 'unreadable';
      await database.transaction(item.tenant, (sql) =>
        recordAnswer(sql, item.tenant, organizationId, item.id, outcome, answer),
      );
      return result;
    } catch (error) {
      if (error instanceof IncompleteCase) return { status: 'failed', reason: error.message };
      if (error instanceof MllpError) return { status: 'retry', reason: `RIS injoignable : ${frenchReason(error)}` };
      log.error({ error: (error as Error).name, item: item.id, kind: item.kind }, 'HL7 v2 delivery');
      return { status: 'retry', reason: 'erreur interne pendant la préparation ou l’envoi du message' };
    }
  }

  return {
    prefix,
    async deliver(item) {
      const organizationId = item.destination.slice(prefix.length);
      const result = await attempt(item, organizationId);
      if (result.status === 'delivered' || !isReport(item.kind)) return result;
      const arrived = await database.transaction(item.tenant, (sql) =>
        mayHaveArrived(sql, item.tenant, organizationId, item.id),
      );
      return arrived ? { ...result, mayHaveArrived: true } : result;
    },
    async close() {
      await Promise.all([...connections.values()].map((client) => client.close()));
      connections.clear();
    },
  };
}

const isReport = (kind: string): boolean => kind.startsWith('report-');

/** What goes into the patient's record: not the answer to the request, nor what takes a report back. */
function ofPatient(kind: string): boolean {
  return kind !== 'request-answer' && !isWithdrawal(kind);
}

async function isError(tx: FhirTransaction, item: DeliveryItem): Promise<boolean> {
  const id = idOf(item.focus, 'Task');
  return id !== undefined && (await tx.find('Task', id))?.status === 'entered-in-error';
}

async function render(
  tx: FhirTransaction,
  item: DeliveryItem,
  envelope: Envelope,
  tables: Tables,
  route: Route,
): Promise<{ bytes: Buffer; messageType: string; read: Resource[] }> {
  switch (item.kind) {
    case 'request-answer': {
      const data = await readCaseData(tx, item);
      return { ...writeAnswer(data, envelope, tables), read: data.read };
    }
    case 'report-mdm':
    case 'report-oru': {
      const data = await readCaseData(tx, item);
      const form = item.kind === 'report-mdm' ? 'mdm' : 'oru';
      const cda = await readCda(tx, data);
      return { ...writeDocument(form, data, cda, envelope, tables, route.site.flags), read: data.read };
    }
    case 'attachment-mdm': {
      const data = await readRequestData(tx, item);
      const pages = await readScannedPages(tx, item);
      const read = [...data.read, ...pages.slice(0, 1).map(({ document }) => document)];
      return { ...writeAttachment(data, pages, uniqueIdOf(item), envelope, tables), read };
    }
    case 'withdrawal-mdm':
    case 'withdrawal-oru':
    case 'withdrawal-result':
      return renderWithdrawal(tx, item, envelope, tables, route);
    default:
      throw new IncompleteCase(`Message de nature inconnue : ${item.kind}.`);
  }
}

/** What an acknowledgement means: taken in charge, to be corrected, or to be sent again. */
function resultOf(answer: Buffer): DeliveryResult {
  const msa = acknowledgementOf(answer);
  const evidence = msa?.text ?? '';
  if (msa?.code === 'AA' || msa?.code === 'CA') return { status: 'delivered', evidence };
  const reason = errorText(answer);
  if (msa?.code === 'AE' || msa?.code === 'CE')
    return { status: 'failed', reason: `Message refusé (${msa.code}) ${reason}`.trim(), evidence };
  return {
    status: 'retry',
    reason: `Message non pris en charge (${msa?.code ?? 'accusé illisible'}) ${reason}`.trim(),
  };
}

/**
 * Code and text of the first ERR, else what MSA-3 says (where versions before 2.5 put it): never more than the other side chose to say, in the
 * character set it chose.
 */
function errorText(answer: Buffer): string {
  const lines = decodeForPeople(answer).split(/[\r\n]+/);
  const fieldsOf = (name: string) => lines.find((line) => line.startsWith(`${name}|`))?.split('|') ?? [];
  const error = fieldsOf('ERR');
  const [code = '', text = ''] = (error[3] ?? '').split('^');
  return [code, unescapeText(error[8] || text || fieldsOf('MSA')[3] || ''), error[2]]
    .filter((part) => part)
    .join(' – ')
    .slice(0, 500);
}
