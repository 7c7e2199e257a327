/**
 * `retention run`: cases whose time is over, by the setting `retentionDays` of their establishment (SE-9). Whole cases only, with their images,
 * documents, history and search values; a patient without any case left goes with the last one.
 */
import type { Organization, Task } from '@medplum/fhirtypes';
import { CommandError } from '../command-error.ts';
import type { DataRoom } from '../data-room.ts';
import { isCase, patientCases } from './case-record.ts';
import { type Certificate, certificateNumber, issueCertificate } from './certificate.ts';
import { type Destroyed, destroyPurgedBlobs, destroyResources } from './purge.ts';

const dayMs = 86_400_000;
const settingsUrl = 'https://fhir.passerelle.example/StructureDefinition/establishment-settings';
/** States in which nothing is expected any more (CodeSystem case-status). */
const closed = new Set(['refused', 'delivered', 'cancelled', 'interrupted', 'entered-in-error', 'expired']);
const casesPerPage = 500;

/** What a run destroys, or would. */
export interface Due {
  establishment: string;
  retentionDays: number;
  cases: string[];
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
    const tasks = (await oldTasks(room, tenant, organization.id!, limit)).filter((task) =>
      isOver(task, now, retentionDays),
    );
    const references = new Set<string>();
    for (const [patient, cases] of Map.groupBy(tasks, patientOf)) {
      for (const reference of await ofPatient(room, tenant, patient, cases)) references.add(reference);
    }
    due.push({
      establishment: organization.id!,
      retentionDays,
      cases: tasks.map(({ id }) => `Task/${id}`),
      references,
    });
  }
  return due;
}

/** Destroys what is due, establishment by establishment, each with its certificate and its line in the trail. */
export async function runRetention(
  room: DataRoom,
  tenant: string,
  now: Date,
): Promise<{ due: Due; destroyed: Destroyed; files: string[] }[]> {
  // What an earlier run was killed before.
  await destroyPurgedBlobs(room, [tenant]);
  const done = [];
  for (const due of (await dueCases(room, tenant, now)).filter(({ cases }) => cases.length > 0)) {
    const destroyed = await destroyResources(room, tenant, due.references);
    const certificate: Certificate = {
      ...{ format: 1, number: certificateNumber(now), kind: 'retention', tenant, establishment: due.establishment },
      at: now.toISOString(),
      ground: `durée de conservation de l’établissement : ${due.retentionDays} jours ; ${due.cases.length} dossiers clos`,
      ...destroyed,
      remains:
        'La trace des accès est conservée jusqu’à un an après la fin du contrat. Les sauvegardes antérieures contiennent encore ces données jusqu’à leur propre échéance.',
    };
    const files = await issueCertificate(room, certificate);
    await room.access.recordActivity(room.context(tenant, 'operator:retention-run'), {
      kind: 'purge',
      objects: due.cases,
      details: {
        certificate: certificate.number,
        establishment: due.establishment,
        days: String(due.retentionDays),
        cases: String(due.cases.length),
        images: String(destroyed.images),
        list: destroyed.listSha256,
      },
    });
    done.push({ due, destroyed, files });
  }
  return done;
}

export function retentionDaysOf(organization: Organization): number | undefined {
  const settings = organization.extension?.find(({ url }) => url === settingsUrl)?.extension;
  const value = settings?.find(({ url }) => url === 'retentionDays');
  const days = value?.valueInteger ?? value?.valuePositiveInt ?? value?.valueUnsignedInt;
  if (days === undefined) return undefined;
  // A slip of the pen must not empty an archive.
  if (days < 1) throw new CommandError(`Organization/${organization.id}: retentionDays must be at least 1.`);
  return days;
}

/** Root Tasks of an establishment not changed since `limit`. */
async function oldTasks(room: DataRoom, tenant: string, organization: string, limit: Date): Promise<Task[]> {
  const context = room.context(tenant, 'operator:retention');
  const found: Task[] = [];
  for (let after = ''; ; ) {
    const page = await room.store.transaction(context, (tx) =>
      tx.search(
        'Task',
        `requester=Organization/${organization}&_lastUpdated=lt${limit.toISOString()}&_sort=_lastUpdated&_count=${casesPerPage}${after}`,
      ),
    );
    found.push(...page.filter((task) => isCase(task) && !found.some(({ id }) => id === task.id)));
    const last = page.at(-1)?.meta?.lastUpdated;
    if (page.length < casesPerPage || last === undefined) return found;
    const next = `&_lastUpdated=ge${last}`;
    if (next === after) throw new CommandError(`More than ${casesPerPage} cases changed at ${last}: ask support.`);
    after = next;
  }
}

/** Closed, and neither the establishment nor the request itself wants it longer. */
function isOver(task: Task, now: Date, retentionDays: number): boolean {
  const state = task.businessStatus?.coding?.[0]?.code;
  if (state === undefined || !closed.has(state)) return false;
  const asked = task.input?.find(({ type }) => type.coding?.some(({ code }) => code === 'retention-days'));
  const days = Math.max(retentionDays, asked?.valueInteger ?? asked?.valuePositiveInt ?? asked?.valueUnsignedInt ?? 0);
  return new Date(task.meta?.lastUpdated ?? now).getTime() < now.getTime() - days * dayMs;
}

function patientOf(task: Task): string {
  return task.for?.reference?.replace(/^Patient\//, '') ?? '';
}

/** What goes with these cases of one patient: what is theirs and no other case's; all of it when nothing else is left. */
async function ofPatient(
  room: DataRoom,
  tenant: string,
  patient: string,
  tasks: readonly Task[],
): Promise<Set<string>> {
  const going = new Set(tasks.map(({ id }) => `Task/${id}`));
  if (patient === '') return going;
  const record = await patientCases(room.store, room.context(tenant, 'operator:retention'), patient);
  const kept = new Set(
    record.cases.filter((reference) => !going.has(reference)).flatMap((reference) => [...record.recordOf(reference)]),
  );
  const references = new Set(
    [...going].flatMap((reference) => [...record.recordOf(reference)]).filter((reference) => !kept.has(reference)),
  );
  const isLast = [...record.resources.keys()].every(
    (reference) => references.has(reference) || reference === `Patient/${patient}`,
  );
  if (isLast) references.add(`Patient/${patient}`);
  return references;
}
