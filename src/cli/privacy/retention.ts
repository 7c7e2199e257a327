/**
 * `retention run`: cases whose time is over, by the setting `retentionDays` of their establishment (SE-9). Whole cases only, with their images,
 * documents, history and search values; a patient without any case left goes with the last one.
 */
import type { Organization, Task } from '@medplum/fhirtypes';
import { CommandError } from '../command-error.ts';
import type { DataRoom } from '../data-room.ts';
import { certificateNumber } from './certificate.ts';
import { casesOf, recordsOf } from './establishment-cases.ts';
import { destroyResources, finishPurges, type Purged, type Query } from './purge.ts';

const dayMs = 86_400_000;
const settingsUrl = 'https://fhir.passerelle.example/StructureDefinition/establishment-settings';
/** States in which nothing is expected any more (CodeSystem case-status). */
const closed = new Set(['refused', 'delivered', 'cancelled', 'interrupted', 'entered-in-error', 'expired']);

/** What a run destroys, or would. */
export interface Due {
  establishment: string;
  retentionDays: number;
  cases: string[];
  /** Versions of the cases when they were looked at. */
  versions: Map<string, number>;
  /** All references that go. */
  references: Set<string>;
}

/** Cases of every establishment of a tenant whose time is over at `now`. Establishments without the setting keep everything. */
export async function dueCases(room: DataRoom, tenant: string, now: Date): Promise<Due[]> {
  const context = room.context(tenant, 'operator:retention');
  const organizations = await room.store.transaction(context, (tx) => tx.search('Organization', '_count=1000'));
  const due: Due[] = [];
  for (const organization of organizations) {
    const retentionDays = retentionDaysOf(organization);
    if (retentionDays === undefined) continue;
    const limit = new Date(now.getTime() - retentionDays * dayMs);
    const tasks = (await casesOf(room, tenant, organization.id!, limit)).filter((task) =>
      isOver(task, now, retentionDays),
    );
    const references = await recordsOf(room, tenant, tasks);
    due.push({
      establishment: organization.id!,
      retentionDays,
      cases: tasks.map(({ id }) => `Task/${id}`),
      versions: new Map(tasks.map(({ id, meta }) => [id!, Number(meta?.versionId)])),
      references,
    });
  }
  return due;
}

/** Destroys what is due, establishment by establishment, each with its certificate and its line in the trail. */
export async function runRetention(room: DataRoom, tenant: string, now: Date): Promise<(Purged & { due: Due })[]> {
  await finishPurges(room, tenant);
  const done: (Purged & { due: Due })[] = [];
  for (const due of (await dueCases(room, tenant, now)).filter(({ cases }) => cases.length > 0)) {
    const { establishment, retentionDays, cases } = due;
    const purged = await destroyResources(
      room,
      tenant,
      due.references,
      (query) => assertUnchanged(query, tenant, due),
      (destroyed) => ({
        ...{ format: 1, number: certificateNumber(now), kind: 'retention', tenant, establishment, cases },
        at: now.toISOString(),
        ground: `durée de conservation de l’établissement : ${retentionDays} jours ; ${cases.length} dossiers clos`,
        ...destroyed,
        remains:
          'La trace des accès est conservée jusqu’à un an après la fin du contrat. Les sauvegardes antérieures contiennent encore ces données jusqu’à leur propre échéance.',
      }),
    );
    done.push({ ...purged, due });
  }
  return done;
}

/** A case that was taken up again since it was looked at is none to destroy. */
async function assertUnchanged(query: Query, tenant: string, { versions, establishment }: Due): Promise<void> {
  const { rows } = await query<{ id: string; version: number }>(
    'SELECT id, version FROM fhir.task WHERE tenant = $1 AND id = ANY ($2)',
    [tenant, [...versions.keys()]],
  );
  if (rows.length !== versions.size || rows.some(({ id, version }) => versions.get(id) !== version)) {
    throw new CommandError(
      `${tenant} ${establishment} : un dossier a changé entre-temps ; rien n’est détruit, relancez.`,
    );
  }
}

export function retentionDaysOf(organization: Organization): number | undefined {
  const settings = organization.extension?.find(({ url }) => url === settingsUrl)?.extension;
  const value = settings?.find(({ url }) => url === 'retentionDays');
  const days = value?.valueInteger ?? value?.valuePositiveInt ?? value?.valueUnsignedInt;
  if (days === undefined) return undefined;
  // A slip of the pen must not empty an archive.
  if (days < 1) throw new CommandError(`Organization/${organization.id} : retentionDays doit être 1 au moins.`);
  return days;
}

/** Closed, and neither the establishment nor the request itself wants it longer. */
function isOver(task: Task, now: Date, retentionDays: number): boolean {
  const state = task.businessStatus?.coding?.[0]?.code;
  if (state === undefined || !closed.has(state)) return false;
  const asked = task.input?.find(({ type }) => type.coding?.some(({ code }) => code === 'retention-days'));
  const days = Math.max(retentionDays, asked?.valueInteger ?? asked?.valuePositiveInt ?? asked?.valueUnsignedInt ?? 0);
  return new Date(task.meta?.lastUpdated ?? now).getTime() < now.getTime() - days * dayMs;
}
