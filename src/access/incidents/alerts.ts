/** Alert e-mails: rows written with the incident, sent until the mail server takes them. No medical data, no password typed. */
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import { type Incident, incidentKinds } from './incident.ts';
import { incidentOf } from './resource.ts';

/** One message to one address. */
export interface AlertMailer {
  send(mail: { to: string; subject: string; text: string; messageId: string }): Promise<unknown>;
}

export interface AlertOptions {
  database: Database;
  store: Pick<FhirStore, 'read'>;
  mailer: AlertMailer;
  /** Addresses of the security officers. */
  recipients: readonly string[];
  clock: Clock;
  /** Public address of the platform, for the message. */
  baseUrl: () => string;
  log?: { error(object: object, message: string): void };
}

const sentAtOnce = 20;
const firstDelayMs = 60_000;
const longestDelayMs = 3_600_000;
/** How long a sender that died holds a row. */
const claimMs = 5 * 60_000;

/** How long to wait after the n-th failure. */
function alertDelayMs(attempts: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts - 1, 10));
}

/** Sends what is due, of every tenant. @returns how many left. */
export async function sendAlerts(options: AlertOptions): Promise<number> {
  let sent = 0;
  for (const tenant of await options.database.tenants()) sent += await sendAlertsOf(tenant, options);
  return sent;
}

async function sendAlertsOf(tenant: string, options: AlertOptions): Promise<number> {
  const { database, clock, log } = options;
  const now = clock.now();
  // Taken by pushing the next attempt away: another node does not send it too.
  const { rows } = await database.query<{ incident: string; occurrences: number; attempts: number }>(
    tenant,
    `UPDATE security_alert SET attempts = attempts + 1, next_at = $3
     WHERE tenant = $1 AND (incident, occurrences) IN (
       SELECT incident, occurrences FROM security_alert
       WHERE tenant = $1 AND sent_at IS NULL AND next_at <= $2 ORDER BY next_at LIMIT ${sentAtOnce} FOR UPDATE SKIP LOCKED)
     RETURNING incident, occurrences, attempts`,
    [tenant, now, new Date(now.getTime() + claimMs)],
  );
  let sent = 0;
  for (const { incident, occurrences, attempts } of rows) {
    const key = [tenant, incident, occurrences];
    try {
      await sendOne(tenant, incident, occurrences, options);
      await database.query(
        tenant,
        'UPDATE security_alert SET sent_at = $4 WHERE tenant = $1 AND incident = $2 AND occurrences = $3',
        [...key, clock.now()],
      );
      sent++;
    } catch (error) {
      log?.error({ incident, attempts, error: (error as Error).name }, 'a security alert could not be sent');
      await database.query(
        tenant,
        'UPDATE security_alert SET next_at = $4 WHERE tenant = $1 AND incident = $2 AND occurrences = $3',
        [...key, new Date(clock.now().getTime() + alertDelayMs(attempts))],
      );
    }
  }
  return sent;
}

async function sendOne(tenant: string, id: string, occurrences: number, options: AlertOptions): Promise<void> {
  const { store, mailer, recipients, baseUrl } = options;
  const incident = incidentOf(await store.read(tenant, 'Basic', id));
  if (!incident) return;
  const { subject, text } = alertText(incident, `${baseUrl()}/fhir/Basic/${id}`, tenant);
  for (const [n, to] of recipients.entries()) {
    // The same id at a second attempt: a mail server that had taken it already can tell.
    await mailer.send({ to, subject, text, messageId: `<${id}.${occurrences}.${n}@passerelle>` });
  }
}

/** The message, in French. */
function alertText(incident: Incident, address: string, tenant: string): { subject: string; text: string } {
  const { kind, occurrences, first, last, account, network, detail } = incident;
  const { title, advice, severity } = incidentKinds[kind];
  const instant = new Intl.DateTimeFormat('fr-FR', {
    dateStyle: 'short',
    timeStyle: 'medium',
    timeZone: 'Europe/Paris',
  });
  const lines = [
    `${title} (${{ information: 'information', warning: 'avertissement', critical: 'critique' }[severity]}).`,
    '',
    `Structure : ${tenant}`,
    ...(account ? [`Compte : ${account}`] : []),
    ...(network ? [`Adresse réseau : ${network}`] : []),
    `Occurrences : ${occurrences}, du ${instant.format(first)} au ${instant.format(last)} (heure de Paris)`,
    ...(detail ? [detail] : []),
    '',
    `À faire : ${advice}`,
    '',
    `Fiche de l’incident : ${address}`,
    'Ce message ne contient aucune donnée de santé ; n’y répondez pas.',
  ];
  return { subject: `[Passerelle] Sécurité : ${title}`, text: lines.join('\n') };
}
