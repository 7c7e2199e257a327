/** A patient is merged, put out of use, or changes identity while cases are open (ID-2): the cases are held until somebody confirms. */
import type { Patient } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { stateDefinition } from '../case/index.ts';
import { codeSystem } from '../codes.ts';
import { type CaseTask, stateOf } from '../shell/case-task.ts';
import type { Shell } from '../shell/perform.ts';
import { differing } from './compare-traits.ts';
import { raiseProblem } from './hold-case.ts';
import type { IssueCode } from './issue-kinds.ts';
import { traitsDetail } from './problem.ts';
import { survivorOf } from './survivor.ts';
import { insOf, type Trait, traitsOfPatient } from './traits.ts';

/** @throws FhirError 422 for the deletion of a patient whose cases are open. */
export async function patientChanged(shell: Shell, change: Change, tx: FhirTransaction): Promise<void> {
  const before = change.before as Patient | undefined;
  const after = change.after as Patient | undefined;
  if (before === undefined) return;
  const found = after === undefined ? undefined : whatChanged(before, after);
  if (after !== undefined && found === undefined) return;
  const cases = await casesInHand(tx, change.id);
  if (after === undefined) {
    if (cases.length === 0) return;
    throw new FhirError(422, 'business-rule', "Le patient d'un dossier ouvert ne se supprime pas.", 'Patient');
  }
  for (const task of cases)
    await raiseProblem(shell, tx, {
      code: found?.code ?? 'identity-changed',
      detail: found?.detail ?? '',
      traits: found?.traits ?? [],
      cases: [task],
      sides: { known: before, received: after },
      others: [`Patient/${change.id}`],
      key: `${task.id}.${change.id}.${change.version}`,
    });
}

/** What a change of a patient means for who reads; undefined for a telephone number, a corrected accent or a number that was added. */
function whatChanged(
  before: Patient,
  after: Patient,
): { code: IssueCode; detail: string; traits: Trait[] } | undefined {
  const replaced = survivorOf(after) !== undefined && survivorOf(before) === undefined;
  const ended = before.active !== false && after.active === false;
  const traits = changedTraits(before, after);
  if (replaced || ended) {
    const detail = replaced
      ? "L'identité du patient a été fusionnée dans une autre pendant que son dossier est ouvert."
      : "L'identité du patient a été retirée du service pendant que son dossier est ouvert.";
    return { code: 'patient-merged', detail, traits };
  }
  if (traits.length === 0) return undefined;
  return { code: 'identity-changed', detail: traitsDetail('feed', traits), traits };
}

/** Traits that say something else now, and an INS that is said no more. */
function changedTraits(before: Patient, after: Patient): Trait[] {
  const lost = insOf(before) !== undefined && insOf(after) === undefined;
  return [
    ...new Set<Trait>([
      ...differing(traitsOfPatient(before), traitsOfPatient(after)),
      ...(lost ? (['ins'] as const) : []),
    ]),
  ];
}

/** Cases of the patient that are neither drafts nor over: of what was received by the site already the site itself knows. */
async function casesInHand(tx: FhirTransaction, patientId: string): Promise<CaseTask[]> {
  const code = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);
  const query = `patient=Patient/${patientId}&code=${code}&_sort=-authored-on`;
  const tasks = (await tx.search('Task', query)) as CaseTask[];
  return tasks.filter((task) => {
    const state = stateOf(task);
    if (state === undefined || state === 'draft' || state === 'delivered') return false;
    return stateDefinition(state)?.final !== true;
  });
}
