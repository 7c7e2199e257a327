/** People's mailboxes as a destination of the outbox: the notice is written when it leaves, with the address and the names of that moment. */
import type { HumanName, Organization, Practitioner, PractitionerRole, Task } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { DeliveryItem, DeliveryResult, Destination } from '../../delivery/index.ts';
import { FhirError, type FhirStore } from '../../fhir/index.ts';
import {
  caseNumberOf,
  type FindParty,
  mailAddress,
  mailPrefix,
  type NoticeDefinition,
  notices,
  type QueuedNotice,
  readNotice,
} from '../../teleradiology/index.ts';
import type { SmtpMailer } from './mailer.ts';
import { messageOf } from './message.ts';
import { smtpFailure } from './smtp-failure.ts';
import { filled } from './template.ts';
import { caseNumberName, type Templates } from './templates.ts';
import { factInWords } from './words.ts';

export interface MailDestinationOptions {
  database: Database;
  store: Pick<FhirStore, 'read'>;
  mailer: SmtpMailer;
  templates: Templates;
  clock: Clock;
  /** Public address of the platform, without a slash at the end. */
  baseUrl: () => string;
}

/** Mailboxes written to at once: a mail server that hangs must not take the lanes reports leave by. */
const mailboxesAtOnce = 4;

export function mailDestination(options: MailDestinationOptions): Destination {
  return { prefix: mailPrefix, lanes: mailboxesAtOnce, deliver: (item) => deliver(options, item) };
}

async function deliver(options: MailDestinationOptions, item: DeliveryItem): Promise<DeliveryResult> {
  const { database, store, mailer, clock } = options;
  const notice = await readNotice(database, item.tenant, item.id);
  if (notice === undefined) return { status: 'failed', reason: 'the notice of this item is gone' };
  if (clock.now() > notice.usefulUntil) return { status: 'failed', reason: 'too old to be useful: it was not sent' };
  const find: FindParty = (type, id) => findOf(store, item.tenant, type, id) as never;
  const to = await mailAddress(find, notice.recipient, clock.now());
  if (to === undefined) return { status: 'failed', reason: 'the recipient has no e-mail address any more' };
  const message = await written(options, item, notice);
  const host = new URL(options.baseUrl()).hostname;
  try {
    const evidence = await mailer.send({ to, ...message, messageId: `<${item.id}@${host}>` });
    return { status: 'delivered', evidence };
  } catch (error) {
    return smtpFailure(error);
  }
}

async function written(
  { store, templates, baseUrl }: MailDestinationOptions,
  { tenant }: DeliveryItem,
  notice: QueuedNotice,
) {
  const definition: NoticeDefinition = notices[notice.template];
  const nameOf = async (reference: string) => partyName(store, tenant, reference);
  const words: Record<string, string> = {};
  for (const [name, kind] of Object.entries(definition.facts)) {
    const value = notice.facts[name];
    if (value !== undefined) words[name] = await factInWords(kind, value, nameOf);
  }
  const caseId = notice.about?.split('/')[1];
  const task: Task | undefined = caseId === undefined ? undefined : await findOf(store, tenant, 'Task', caseId);
  words[caseNumberName] = (task && caseNumberOf(task)) ?? '';
  const base = baseUrl();
  const link = caseId === undefined ? `${base}/` : `${base}/dossier/${encodeURIComponent(caseId)}`;
  return messageOf(filled(templates[notice.template], words), link, `${base}/mentions-legales`);
}

/** Name of a professional or a structure; a role is its holder's. */
async function partyName(store: Pick<FhirStore, 'read'>, tenant: string, reference: string): Promise<string> {
  const [type, id = ''] = reference.split('/');
  if (type === 'Organization') {
    const organization: Organization | undefined = await findOf(store, tenant, type, id);
    return organization?.name ?? 'une structure';
  }
  if (type === 'PractitionerRole') {
    const role: PractitionerRole | undefined = await findOf(store, tenant, type, id);
    const holder = role?.practitioner?.reference;
    return holder?.startsWith('Practitioner/') ? partyName(store, tenant, holder) : 'un professionnel';
  }
  const person: Practitioner | undefined = await findOf(store, tenant, 'Practitioner', id);
  return humanName(person?.name?.[0]) ?? 'un professionnel';
}

function humanName(name: HumanName | undefined): string | undefined {
  const words = [...(name?.prefix ?? []), ...(name?.given ?? []).slice(0, 1), name?.family].filter(Boolean).join(' ');
  return name?.text ?? (words || undefined);
}

async function findOf<T extends 'Task' | 'Practitioner' | 'PractitionerRole' | 'Organization'>(
  store: Pick<FhirStore, 'read'>,
  tenant: string,
  type: T,
  id: string,
) {
  try {
    return await store.read(tenant, type, id);
  } catch (error) {
    if (error instanceof FhirError && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}
