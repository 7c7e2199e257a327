/** An identity problem as DetectedIssue: blocks the case until identity vigilance decides (ID-2, identity rules of RNIV). */
import type { DetectedIssue, Patient, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { codeSystem, concept, studyIdentifier } from '../codes.ts';
import type { CaseTask } from '../shell/case-task.ts';
import { type Trait, traitText } from './traits.ts';

export interface IdentityProblem {
  /** Case concerned; absent for images that belong to none. */
  task?: CaseTask;
  traits: readonly Trait[];
  source: 'request' | 'images';
  /** Images concerned. */
  study?: { imagingStudyId: string; uid: string };
  /** Reason in words, when it is not about traits. */
  reason?: string;
  /** What the request said, kept for who decides. */
  received?: Patient;
}

/** Named kinds of problem. */
function kindOf(problem: IdentityProblem): string {
  if (problem.reason !== undefined && problem.traits.length === 0) return 'uid-collision';
  if (problem.traits.includes('ins')) return 'ins-collision';
  if (problem.traits.includes('ipp')) return 'duplicate-patient';
  return 'identity-mismatch';
}

/** French sentence: names the traits, never their values. */
export function problemText(problem: Pick<IdentityProblem, 'traits' | 'source' | 'reason'>): string {
  if (problem.reason !== undefined) return problem.reason;
  const traits = problem.traits.map((trait) => traitText[trait]).join(', ');
  return problem.source === 'images'
    ? `L'identité portée par les images diffère de celle de la demande : ${traits}.`
    : `L'identité portée par la demande diffère de celle du patient connu : ${traits}.`;
}

export async function reportIdentityProblem(
  tx: FhirTransaction,
  problem: IdentityProblem,
): Promise<DetectedIssue & { id: string }> {
  const implicated: Reference[] = [
    ...(problem.task ? [{ reference: `Task/${problem.task.id}` }] : []),
    ...(problem.study ? [{ reference: `ImagingStudy/${problem.study.imagingStudyId}` }] : []),
  ];
  return tx.create<DetectedIssue>({
    resourceType: 'DetectedIssue',
    ...(problem.study ? { identifier: [studyIdentifier(problem.study.uid)] } : {}),
    ...(problem.received ? { contained: [{ ...problem.received, id: 'received' }] } : {}),
    status: 'preliminary',
    code: concept(codeSystem.detectedIssue, kindOf(problem)),
    severity: 'high',
    ...(problem.task?.for ? { patient: problem.task.for as DetectedIssue['patient'] } : {}),
    identifiedDateTime: tx.context.now().toISOString(),
    author: { reference: 'Device/passerelle' },
    implicated,
    ...(problem.received ? { evidence: [{ detail: [{ reference: '#received' }] }] } : {}),
    detail: problemText(problem),
  });
}
