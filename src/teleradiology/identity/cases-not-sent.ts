/** Cases of some patients of which no report has left yet: those that a doubt about who is who can still save from a mistake (ID-2). */
import type { FhirTransaction } from '../../fhir/index.ts';
import { type CaseState, openStates } from '../case/index.ts';
import { codeSystem } from '../codes.ts';
import { type CaseTask, stateOf } from '../shell/case-task.ts';

/** Newest first; a patient has a few. */
const casesAtMost = 50;
/** A draft is nobody's exam yet; what the site has received is told by an addendum. */
const concerned: readonly CaseState[] = [...openStates.filter((state) => state !== 'draft'), 'signed', 'delivering'];

/** @param patientIds ids of Patients. */
export async function casesNotSent(tx: FhirTransaction, patientIds: readonly string[]): Promise<CaseTask[]> {
  if (patientIds.length === 0) return [];
  const patients = patientIds.map((id) => `Patient/${id}`).join(',');
  const code = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);
  const query = `patient=${patients}&code=${code}&_sort=-authored-on&_count=${casesAtMost}`;
  const tasks = (await tx.search('Task', query)) as CaseTask[];
  return tasks.filter((task) => concerned.some((state) => state === stateOf(task)));
}
