/** Second readings, addenda and re-readings of a case, out of its child Tasks. */
import type { Task } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { itemOf, itemsOf } from './case-facts.ts';

export interface SideWork {
  id: string;
  kind: 'second-read' | 're-reading' | 'addendum';
  title: string;
  status: 'wanted' | 'taken' | 'done' | 'dropped';
  reason: string | undefined;
  askedAt: string | undefined;
  askedBy: string | undefined;
  /** Who does it, or did. */
  reader: { reference: string | undefined; name: string } | undefined;
  blind: boolean;
  agrees: boolean | undefined;
  opinion: string | undefined;
  /** Said of a report that was not signed: among the alerts, for readers. */
  isBetweenReaders: boolean;
  /** What came of it, or why it was dropped. */
  outcome: string | undefined;
  endedAt: string | undefined;
}

const statuses: Readonly<Record<string, SideWork['status']>> = {
  requested: 'wanted',
  'in-progress': 'taken',
  completed: 'done',
  cancelled: 'dropped',
};
const kinds: readonly SideWork['kind'][] = ['second-read', 're-reading', 'addendum'];

/** The oldest first. */
export function sideWorks(children: readonly Task[]): SideWork[] {
  return children
    .flatMap((child): SideWork[] => {
      const kind = kinds.find((one) => child.code?.coding?.some(({ code }) => code === one));
      const status = statuses[child.status];
      if (kind === undefined || status === undefined) return [];
      return [
        {
          id: child.id ?? '',
          kind,
          title: child.description ?? 'Tâche',
          status,
          reason: child.reasonCode?.text,
          askedAt: child.authoredOn,
          askedBy: child.requester?.display,
          reader: child.owner && {
            reference: literalReference(child.owner),
            name: child.owner.display ?? 'un radiologue',
          },
          blind: itemOf(child.input, 'blind')?.valueBoolean === true,
          agrees: itemOf(child.output, 'agreement')?.valueBoolean,
          opinion: itemOf(child.output, 'opinion')?.valueString,
          isBetweenReaders: itemOf(child.output, 'opinion')?.valueReference !== undefined,
          outcome: child.statusReason?.text,
          endedAt: child.executionPeriod?.end,
        },
      ];
    })
    .sort((a, b) => (a.askedAt ?? '').localeCompare(b.askedAt ?? ''));
}

/** Whether this person gives an opinion that the first report must not colour. */
export function readsBlind(works: readonly SideWork[], person: string): boolean {
  return works.some((one) => one.kind === 'second-read' && one.blind && isInHandOf(one, person));
}

/** Whether this person writes an addendum or a re-reading. */
export function amends(works: readonly SideWork[], person: string): boolean {
  return works.some((one) => one.kind !== 'second-read' && isInHandOf(one, person));
}

function isInHandOf({ status, reader }: SideWork, person: string): boolean {
  return status === 'taken' && reader?.reference === person;
}

/** Series this person displayed: in what they have in hand beside the first reading, and as first reader. */
export function displayedBy(task: Task, children: readonly Task[], person: string): string[] {
  const mine = children.filter((child) => child.status === 'in-progress' && literalReference(child.owner) === person);
  const evidence = mine.length === 0 || literalReference(task.owner) === person ? [...mine, task] : mine;
  return evidence.flatMap((each) => itemsOf(each.output, 'displayed-series')).flatMap((one) => one.valueString ?? []);
}
