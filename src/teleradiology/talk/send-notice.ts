/** Queues e-mails in the caller's transaction (design §5 rule 2): what is committed is sent, retried, and set aside visibly if it never passes. */
import type { Database } from '../../db/index.ts';
import type { Delivery } from '../../delivery/contract.ts';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type FindParty, mailAddress } from './mail-address.ts';
import { type Notice, type NoticeTemplate, notices, type StoredFacts, storedFacts } from './notices.ts';

/** Destinations of the outbox that are people's mailboxes: one each, so that a mailbox that is full holds nobody else's mail. */
export const mailPrefix = 'mail:';

/** Who was queued a message, and who has no address: they have to be told otherwise. */
export interface NoticeSent {
  queued: string[];
  unreachable: string[];
}

const hourMs = 3_600_000;

/**
 * One message to each recipient that has an e-mail address; two recipients with one address get one message. Without a mail server
 * (`room.mail`) nothing is queued, and nobody counts as reached.
 */
export async function sendNotice(
  room: { delivery: Pick<Delivery, 'enqueue'>; mail?: boolean },
  tx: FhirTransaction,
  notice: Notice,
): Promise<NoticeSent> {
  const facts = storedFacts(notice.template, notice.values);
  const recipients = [...new Set(notice.to.flatMap(({ reference }) => reference ?? []))];
  if (!room.mail) return { queued: [], unreachable: recipients };
  const now = tx.context.now();
  const find: FindParty = (type, id) => tx.whole.find(type, id) as never;
  const usefulUntil = new Date(now.getTime() + notices[notice.template].usefulHours * hourMs);
  const sent: NoticeSent = { queued: [], unreachable: [] };
  const addresses = new Set<string>();
  for (const recipient of recipients) {
    const address = (await mailAddress(find, recipient, now))?.toLowerCase();
    if (address === undefined) {
      sent.unreachable.push(recipient);
      continue;
    }
    sent.queued.push(recipient);
    if (addresses.has(address)) continue;
    addresses.add(address);
    const id = await room.delivery.enqueue(tx, {
      destination: `${mailPrefix}${recipient}`,
      kind: notice.template,
      focus: notice.about ?? recipient,
    });
    await tx.sql.query(
      `INSERT INTO mail_notice (tenant, id, template, recipient, about, facts, useful_until)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [tx.context.tenant, id, notice.template, recipient, notice.about ?? null, JSON.stringify(facts), usefulUntil],
    );
  }
  return sent;
}

/** A message to one recipient, as it waits to be written. */
export interface QueuedNotice {
  template: NoticeTemplate;
  recipient: string;
  about?: string;
  facts: StoredFacts;
  usefulUntil: Date;
}

/** The notice of an item of the outbox. */
export async function readNotice(
  database: Pick<Database, 'query'>,
  tenant: string,
  id: string,
): Promise<QueuedNotice | undefined> {
  const { rows } = await database.query<{
    template: NoticeTemplate;
    recipient: string;
    about: string | null;
    facts: StoredFacts;
    useful_until: Date;
  }>(tenant, 'SELECT template, recipient, about, facts, useful_until FROM mail_notice WHERE tenant = $1 AND id = $2', [
    tenant,
    id,
  ]);
  const row = rows[0];
  if (row === undefined) return undefined;
  const { template, recipient, about, facts, useful_until } = row;
  return { template, recipient, facts, usefulUntil: useful_until, ...(about === null ? {} : { about }) };
}
