/**
 * What happens to one received message, from octets to the acknowledgement: one transaction holds the message, its effects and
 * their audit; the answer leaves after the commit (design §5 rules 1 and 2). A refused message is stored as well, before its
 * AE or AR leaves.
 */
import { randomUUID } from 'node:crypto';
import type { Access, Nodes } from '../../access/index.ts';
import type { Clock } from '../../config/index.ts';
import { type Database, platformTenant } from '../../db/index.ts';
import { type Context, FhirError, type FhirStore } from '../../fhir/index.ts';
import type { Teleradiology } from '../../teleradiology/contract.ts';
import { acknowledge, type Header, type Identity, readHeader } from './acknowledgement.ts';
import { decodeForPeople } from './charset.ts';
import type { Log } from './log.ts';
import {
  countRepetition,
  findEarlier,
  insertReception,
  insertRefusal,
  type Reception,
  recordAnswer,
  sha256,
} from './message-store.ts';
import { Refusal } from './refusal.ts';
import type { Peer, Sender, Senders } from './senders.ts';
import type { Tables } from './tables.ts';
import { translate, type Work } from './translate.ts';

export interface ReceiverOptions {
  database: Database;
  store: FhirStore;
  teleradiology: Teleradiology;
  clock: Clock;
  log: Log;
  senders: Senders;
  tables: Tables;
  identity: Identity;
  /** Refuses identities of test and demonstration. */
  production: boolean;
  /** Whether who is connected over TLS may speak for whom it names. */
  nodes?: Nodes;
  /** Told of messages refused, before their AE or AR leaves; those accepted are told by their transaction. */
  recordActivity?: Access['recordActivity'];
  /** Largest message, octets; for the text of its refusal. */
  limitBytes: number;
}

/** Takes one message; resolves with the octets of its acknowledgement, undefined when it asks for none. Never rejects. */
export type Receive = (bytes: Buffer, peer: Peer, oversized: boolean) => Promise<Buffer | undefined>;

/** A deadlock or a lost race is nobody's fault: the same work is done this many times before it is an AR. */
const attempts = 3;

export function createReceiver(options: ReceiverOptions): Receive {
  const { database, store, teleradiology, clock, log, senders, tables, identity, production, limitBytes, nodes } =
    options;

  return async function receive(bytes, peer, oversized) {
    const header = readHeader(bytes);
    const zone = tables.site(header.sender).zone;
    const answer = (refusal?: Refusal, notices: readonly string[] = []) =>
      acknowledge(header, refusal, tables, { now: clock.now(), zone, identity, notices });
    try {
      const sender = await senders.find(header, peer);
      const reception = receptionOf(bytes, header, peer, sender?.tenant ?? platformTenant, clock.now());
      const isForeign = sender !== undefined && !(await maySpeak(sender, header, peer));
      if (header.type === 'ACK') {
        // Who may not send cannot acknowledge either: a delivery would pass for received.
        if (isForeign) return undefined;
        await note(reception, header, bytes, sender?.organizationId);
        return undefined;
      }
      try {
        if (oversized) throw new Refusal('too-large', undefined, { limit: String(limitBytes) });
        if (header.type === '' && header.sender === '|') throw new Refusal('not-hl7', 'MSH^1');
        if (!sender) throw new Refusal('unknown-sender', 'MSH^1^3', { sender: header.sender });
        if (isForeign) throw new Refusal('foreign-certificate', 'MSH^1^3', { sender: header.sender });
        const work = translate(bytes, header, { tables, production });
        return await perform({ ...reception, warnings: work.warnings }, header, sender, peer, work, answer);
      } catch (error) {
        return await refuse(reception, refusalOf(error, header, log), answer);
      }
    } catch (error) {
      // The database is away: nothing could be stored, so nothing is taken in charge.
      log.error(
        { error: errorKind(error), sender: header.sender, controlId: header.controlId },
        'HL7 v2 message not stored',
      );
      return answer(new Refusal('unavailable')).bytes;
    }
  };

  function maySpeak(
    { tenant, organizationId }: Sender,
    header: Header,
    { address, tls }: Peer,
  ): boolean | Promise<boolean> {
    if (!nodes || !tls) return true;
    return nodes.maySpeakFor(
      { tenant, organizationId, name: header.sender },
      {
        certificate: tls.certificate,
        network: address,
        interaction: `hl7v2:${header.type}^${header.event}`,
        requestId: randomUUID(),
      },
    );
  }

  async function perform(
    reception: Reception,
    header: Header,
    sender: Sender,
    peer: Peer,
    work: Work,
    answer: (refusal?: Refusal, notices?: readonly string[]) => ReturnType<typeof acknowledge>,
  ): Promise<Buffer> {
    const context: Context = {
      tenant: sender.tenant,
      actor: sender.actor,
      establishments: [sender.organizationId],
      requestId: randomUUID(),
      interaction: `hl7v2:${header.type}^${header.event}`,
      ...(peer.address ? { network: peer.address } : {}),
      now: () => clock.now(),
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { bytes, warnings } = await store.transaction(context, async (tx) => {
          // Two copies arriving at once on two connections: the second waits here and then finds the first.
          await tx.lock(`hl7v2:${reception.partner}:${reception.controlId}`);
          const earlier = await findEarlier(tx.sql, reception);
          if (earlier.accepted) {
            await countRepetition(tx.sql, reception);
            return { bytes: earlier.accepted, warnings: [] };
          }
          const warnings = [...reception.warnings, ...(earlier.otherOctets ? [reusedControlId] : [])];
          const notices: string[] = [];
          let refused: Refusal | undefined;
          const focus = await work.perform(tx, teleradiology, sender.organizationId, {
            tell: (notice) => void notices.push(notice),
            refuse: (reason) => {
              refused = new Refusal('refused-by-domain', undefined, { reason });
            },
          });
          const about = focus ? { focus } : {};
          if (refused !== undefined) {
            const { code, bytes, reason } = answer(refused);
            if (code === 'AA') throw new Error('a refusal cannot be answered AA');
            const fate = {
              outcome: code,
              answer: bytes,
              rules: tables.fingerprint,
              ...about,
              ...(reason ? { reason } : {}),
            };
            return { bytes: (await insertRefusal(tx.sql, { ...reception, warnings }, fate)) ?? bytes, warnings };
          }
          const given = answer(undefined, notices).bytes;
          await insertReception(
            tx.sql,
            { ...reception, warnings },
            { outcome: 'AA', answer: given, rules: tables.fingerprint, ...about },
          );
          return { bytes: given, warnings };
        });
        if (warnings.length > 0)
          log.warn({ sender: header.sender, controlId: header.controlId, warnings }, 'HL7 v2 message tolerated');
        return bytes;
      } catch (error) {
        if (attempt >= attempts || !isContention(error)) throw error;
      }
    }
  }

  async function refuse(
    reception: Reception,
    refusal: Refusal,
    answer: (refusal: Refusal) => ReturnType<typeof acknowledge>,
  ): Promise<Buffer> {
    const { code, bytes, reason } = answer(refusal);
    if (code === 'AA') throw new Error('a refusal cannot be answered AA');
    const given = await database.transaction(reception.tenant, (sql) =>
      insertRefusal(sql, reception, {
        outcome: code,
        answer: bytes,
        rules: tables.fingerprint,
        ...(reason ? { reason } : {}),
      }),
    );
    await options.recordActivity?.(refusalContext(reception), {
      kind: 'import',
      outcome: 'refused',
      details: { controlId: reception.controlId, answer: code },
    });
    log.warn(
      {
        sender: reception.partner,
        controlId: reception.controlId,
        type: reception.messageType,
        code,
        kind: refusal.kind,
        location: refusal.location,
      },
      'HL7 v2 message refused',
    );
    return given ?? bytes;
  }

  /** An acknowledgement that comes by itself: matched on MSA-2 alone, never acknowledged. */
  async function note(
    reception: Reception,
    header: Header,
    bytes: Buffer,
    establishment: string | undefined,
  ): Promise<void> {
    const msa = acknowledgementOf(bytes);
    await database.transaction(reception.tenant, async (sql) => {
      await insertReception(sql, reception, { outcome: 'noted', answer: undefined, rules: tables.fingerprint });
      const known =
        msa &&
        establishment &&
        (await recordAnswer(sql, reception.tenant, establishment, msa.controlId, msa.code, bytes));
      if (!known)
        log.info(
          { sender: header.sender, controlId: header.controlId },
          'HL7 v2 acknowledgement of an unknown message',
        );
    });
  }
}

/** Who a refused message says it is from was not proven. */
function refusalContext({ tenant, partner, messageType, network, at }: Reception): Context {
  return {
    tenant,
    actor: { reference: '', display: partner, account: '', kind: 'machine', roles: [] },
    requestId: randomUUID(),
    interaction: `hl7v2:${messageType}`,
    ...(network ? { network } : {}),
    now: () => at,
  };
}

const reusedControlId = 'MSH-10 déjà employé par ce système pour un autre message';

function receptionOf(raw: Buffer, header: Header, peer: Peer, tenant: string, at: Date): Reception {
  const messageType = [header.type, header.event].filter((part) => part !== '').join('^');
  return {
    tenant,
    partner: header.sender,
    controlId: header.controlId,
    messageType,
    raw,
    sha256: sha256(raw),
    at,
    network: peer.address,
    warnings: [],
  };
}

/** MSA-1 and MSA-2 of an acknowledgement, and the segment as text; undefined when it has none. */
export function acknowledgementOf(bytes: Buffer): { code: string; controlId: string; text: string } | undefined {
  const text = decodeForPeople(bytes);
  const line = text.split(/[\r\n]+/).find((segment) => segment.startsWith('MSA'));
  const fields = line?.split(line[3] ?? '|') ?? [];
  const code = fields[1]?.trim();
  const controlId = fields[2]?.trim();
  return line && code && controlId ? { code, controlId, text: line } : undefined;
}

/** The store tells contention (a deadlock, another change in between) as a conflict; nothing of the work was kept. */
function isContention(error: unknown): boolean {
  return error instanceof FhirError && error.status === 409;
}

/** What an error means for the sender. */
function refusalOf(error: unknown, header: Header, log: Log): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof FhirError && error.status < 500) {
    const reason = error.message.replace(/\p{Cc}/gu, ' ').slice(0, 500);
    if (error.status === 404 || error.status === 410) return new Refusal('unknown-key', 'ORC^1^2');
    if (error.status === 409 || error.status === 412) return new Refusal('conflict', 'ORC^1^2', { reason });
    return new Refusal('refused-by-domain', undefined, { reason });
  }
  log.error(
    { error: errorKind(error), sender: header.sender, controlId: header.controlId },
    'HL7 v2 message could not be handled',
  );
  return new Refusal('unavailable');
}

/** Name and code of an error: its text may quote a row. */
function errorKind(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? `${error.name} ${code}` : error.name;
}
