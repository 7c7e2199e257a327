/** Cases of an establishment, and all that goes with some of them. */
import type { Task } from '@medplum/fhirtypes';
import { CommandError } from '../command-error.ts';
import type { DataRoom } from '../data-room.ts';
import { isCase, patientCases } from './case-record.ts';

const casesPerPage = 500;

/** Root Tasks of an establishment (Organization id) not changed since `limit`. */
export async function casesOf(room: DataRoom, tenant: string, organization: string, limit: Date): Promise<Task[]> {
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
    if (next === after)
      throw new CommandError(`Plus de ${casesPerPage} dossiers ont changé à l’instant ${last} : demandez à l’éditeur.`);
    after = next;
  }
}

/** What goes with these cases: what is theirs and no other case's; the patient, too, when nothing else of them is left. */
export async function recordsOf(room: DataRoom, tenant: string, tasks: readonly Task[]): Promise<Set<string>> {
  const references = new Set<string>();
  for (const [patient, cases] of Map.groupBy(tasks, patientOf)) {
    for (const reference of await ofPatient(room, tenant, patient, cases)) references.add(reference);
  }
  return references;
}

function patientOf(task: Task): string {
  return task.for?.reference?.replace(/^Patient\//, '') ?? '';
}

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
