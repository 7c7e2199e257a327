/** The patient's flag while the reading of a case is late: raised by the deadline, lowered once the case is late no more (WF-4). */
import type { Flag, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { codeSystem, concept, identifierSystem } from '../codes.ts';
import { readingClockOf } from './case-clocks.ts';

export async function raiseLateFlag(task: Task, tx: FhirTransaction): Promise<void> {
  const due = readingClockOf(task)?.due;
  if (task.for === undefined || due === undefined) return;
  await tx.create<Flag>({
    resourceType: 'Flag',
    identifier: task.identifier?.filter((each) => each.system === identifierSystem.caseNumber),
    status: 'active',
    code: concept(codeSystem.flag, 'late', 'Interprétation en retard'),
    subject: task.for as Flag['subject'],
    period: { start: due.toISOString() },
  });
}

/** That it was late stays on its clock. */
export async function lowerLateFlag(
  before: Task,
  after: Task,
  { tx, now }: { tx: FhirTransaction; now: Date },
): Promise<void> {
  const clock = readingClockOf(after);
  const isLate = clock?.late === true && clock.stopped === undefined;
  if (readingClockOf(before)?.late !== true || isLate) return;
  const number = after.identifier?.find((each) => each.system === identifierSystem.caseNumber)?.value;
  if (number === undefined) return;
  const token = encodeURIComponent(`${identifierSystem.caseNumber}|${number}`);
  for (const flag of await tx.search('Flag', `identifier=${token}`))
    if (flag.status === 'active')
      await tx.update({ ...flag, status: 'inactive', period: { ...flag.period, end: now.toISOString() } });
}
