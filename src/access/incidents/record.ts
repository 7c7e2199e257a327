/** Writes incidents: one resource per kind, subject and day, counting on; its alert in the same transaction. */
import type { Basic } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import { type FhirStore, type FhirTransaction, systemContext } from '../../fhir/index.ts';
import type { Incident, Occurrence } from './incident.ts';
import { incidentKinds } from './incident.ts';
import { incidentIdentifierSystem, incidentKey, incidentOf, incidentResource } from './resource.ts';

/** After a day without a closing word the same thing seen again is another incident. */
const sameIncidentMs = 24 * 3_600_000;

export interface RecorderOptions {
  store: FhirStore;
  clock: Clock;
  /** Clock of the alerts. */
  securityClock: Clock;
}

/** @returns the id of the Basic, and whether people are to be told. */
export type RecordIncident = (tenant: string, occurrence: Occurrence) => Promise<{ id: string; alerted: boolean }>;

export function createRecorder({ store, clock, securityClock }: RecorderOptions): RecordIncident {
  return (tenant, occurrence) =>
    store.transaction(systemContext(tenant, 'system:security-incident', clock), async (tx) => {
      const key = incidentKey(occurrence.kind, occurrence.subject);
      await tx.lock(`security-incident ${key}`);
      const now = clock.now();
      const known = await openIncident(tx, key, now);
      const incident = known ? seenAgain(known.incident, occurrence, now) : first(occurrence, now);
      const resource = incidentResource(incident, key);
      const { id } = known ? await tx.update({ ...resource, id: known.id }) : await tx.create(resource);
      const alerted = !known || tenfold(known.incident.occurrences, incident.occurrences);
      if (alerted) await addAlert(tx, id, incident.occurrences, securityClock.now());
      return { id, alerted };
    });
}

async function openIncident(
  tx: FhirTransaction,
  key: string,
  now: Date,
): Promise<{ id: string; incident: Incident } | undefined> {
  const found = await tx.search('Basic', `identifier=${incidentIdentifierSystem}|${key}&_sort=-_lastUpdated&_count=1`);
  const [resource] = found as (Basic & { id: string })[];
  const incident = resource && incidentOf(resource);
  if (!incident || incident.status === 'closed') return undefined;
  return now.getTime() - incident.last.getTime() < sameIncidentMs ? { id: resource.id, incident } : undefined;
}

function first({ kind, times = 1, account, network, detail }: Occurrence, now: Date): Incident {
  return {
    kind,
    severity: incidentKinds[kind].severity,
    status: 'open',
    occurrences: times,
    first: now,
    last: now,
    ...(account ? { account } : {}),
    ...(network ? { network } : {}),
    ...(detail ? { detail } : {}),
  };
}

function seenAgain(incident: Incident, { times = 1, network, detail }: Occurrence, now: Date): Incident {
  return {
    ...incident,
    occurrences: incident.occurrences + times,
    last: now,
    ...(network ? { network } : {}),
    ...(detail ? { detail } : {}),
  };
}

/** Whether a power of ten lies between the two: people are told again when it is ten times as bad. */
function tenfold(before: number, after: number): boolean {
  return Math.floor(Math.log10(after)) > Math.floor(Math.log10(before));
}

async function addAlert({ sql, context }: FhirTransaction, id: string, occurrences: number, now: Date): Promise<void> {
  await sql.query(
    `INSERT INTO security_alert (tenant, incident, occurrences, created_at, next_at) VALUES ($1, $2, $3, $4, $4)
     ON CONFLICT (tenant, incident, occurrences) DO NOTHING`,
    [context.tenant, id, occurrences, now],
  );
}
