/** The closing report of a maintenance window, in French: who, why, when, every command and every request. */
import type { AuditEvent } from '@medplum/fhirtypes';
import type { Database } from '../../db/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import { type RecordedCommand, recordedCommands } from './commands.ts';
import type { MaintenanceWindow } from './window.ts';

/** Requests named one by one; beyond, their number is said and the trail has them. */
const requestsNamed = 1_000;

export async function maintenanceReport(
  rooms: { database: Database; store: Pick<FhirStore, 'search'> },
  window: MaintenanceWindow,
): Promise<string> {
  const { tenant, login, startsAt, endsAt, closedAt } = window;
  const until = closedAt ?? endsAt;
  const commands = await recordedCommands(rooms.database, tenant, window.id);
  const events = await rooms.store.search(
    tenant,
    'AuditEvent',
    `altid=${encodeURIComponent(login)}&date=ge${startsAt.toISOString()}&date=le${until.toISOString()}&_sort=date&_count=${requestsNamed}`,
  );
  return markdown(window, commands, events);
}

/** @param events of the account, oldest first. */
function markdown(
  window: MaintenanceWindow,
  commands: readonly RecordedCommand[],
  events: readonly AuditEvent[],
): string {
  const { id, tenant, login, person, company, reason, announcedAt, announcedBy, startsAt, endsAt } = window;
  return [
    `# Télémaintenance ${id}`,
    '',
    `- Structure : ${tenant}`,
    `- Intervenant : ${person} (${company}), compte ${login}`,
    `- Motif : ${reason}`,
    `- Annoncée le ${instant(announcedAt)} par ${announcedBy}`,
    `- Fenêtre : du ${instant(startsAt)} au ${instant(endsAt)}`,
    `- Clôture : ${window.closedAt ? `${instant(window.closedAt)} par ${window.closedBy}` : 'non clôturée'}`,
    '',
    '## Compte rendu de l’intervenant',
    '',
    window.report ?? 'Aucun.',
    '',
    `## Commandes (${commands.length})`,
    '',
    ...commands.map(
      ({ at, command, outcome }) =>
        `- ${instant(at)} : ${code(command)}, ${outcome === undefined ? 'fin inconnue' : `code ${outcome}`}`,
    ),
    '',
    `## Requêtes tracées (${events.length}${events.length === requestsNamed ? ', les premières ; la suite est dans la trace' : ''})`,
    '',
    ...events.map(eventLine),
    '',
  ].join('\n');
}

function eventLine(event: AuditEvent): string {
  const what = event.subtype?.map(({ code: name, display }) => display ?? name).join(', ') ?? event.type.code ?? '';
  const about = event.entity?.flatMap(({ what: target }) => target?.reference ?? []).slice(0, 5) ?? [];
  const outcome = event.outcome === '0' ? '' : `, refusée ou échouée (${event.outcome})`;
  const targets = about.length > 0 ? ` ${about.map(code).join(', ')}` : '';
  return `- ${instant(new Date(event.recorded))} : ${what}${targets}${outcome}`;
}

function code(text: string): string {
  return `\`${text.replace(/[`\r\n]/g, ' ')}\``;
}

function instant(at: Date): string {
  return new Intl.DateTimeFormat('fr-FR', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'Europe/Paris' }).format(
    at,
  );
}
