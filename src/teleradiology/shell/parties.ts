/** Who is meant by the parties that a clock reminds and escalates to (case/clocks.ts). */
import type { Reference, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { Party } from '../case/index.ts';
import { type CaseTask, idOf } from './case-task.ts';
import type { CaseView } from './case-view.ts';
import { coordinators } from './communication.ts';

/** @returns nobody when the party is not there, e.g. the owner of a case nobody took. */
export async function membersOf(
  party: Party,
  task: CaseTask,
  view: CaseView,
  tx: FhirTransaction,
): Promise<Reference[]> {
  switch (party) {
    case 'owner':
      return practitioner(task.owner?.reference);
    case 'second-reader':
      return practitioner(view.facts.secondReader);
    case 'addendum-reader':
      return practitioner(view.facts.addendumReader);
    case 'site':
      return site(task);
    // The platform's people work for one Organization, each by their role.
    case 'readers':
    case 'quality':
    case 'coordinator':
    case 'platform':
      return coordinators(tx, task, view.settings);
  }
}

/** The first of the parties that is there. */
export async function firstOf(
  parties: readonly Party[],
  task: CaseTask,
  view: CaseView,
  tx: FhirTransaction,
): Promise<Reference[]> {
  for (const party of parties) {
    const members = await membersOf(party, task, view, tx);
    if (members.length > 0) return members;
  }
  return coordinators(tx, task, view.settings);
}

/** All of the parties that are there, each once. */
export async function allOf(
  parties: readonly Party[],
  task: CaseTask,
  view: CaseView,
  tx: FhirTransaction,
): Promise<Reference[]> {
  const members = new Map<string | undefined, Reference>();
  for (const party of parties)
    for (const member of await membersOf(party, task, view, tx)) members.set(member.reference, member);
  return members.size > 0 ? [...members.values()] : coordinators(tx, task, view.settings);
}

function practitioner(reference: string | undefined): Reference[] {
  const id = idOf({ reference }, 'Practitioner');
  return id === undefined ? [] : [{ reference: `Practitioner/${id}` }];
}

function site(task: Task): Reference[] {
  return task.requester?.reference ? [{ reference: task.requester.reference }] : [];
}
