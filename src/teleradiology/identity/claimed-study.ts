/** An exam that a request announces while it is another one's, or nobody's yet (ID-2, flow 4). */
import type { Patient, Resource } from '@medplum/fhirtypes';
import { type FhirTransaction, labelsOf } from '../../fhir/index.ts';
import { signedStates } from '../case/index.ts';
import { contradictionsWith } from '../images/find-case.ts';
import type { StudyLink } from '../images/study-link.ts';
import { type CaseTask, stateOf } from '../shell/case-task.ts';
import type { Doubt } from './doubt.ts';
import { areImagesOfOthers, isElsewhere } from './elsewhere.ts';
import type { Problem } from './problem.ts';

const held = "L'examen annoncé pour cette demande est déjà rattaché à une autre demande.";
const reported = "L'examen annoncé pour cette demande a déjà un compte rendu signé, dans un autre dossier.";
const fromElsewhere =
  "L'examen annoncé pour cette demande (Study Instance UID) est celui d'un autre établissement : vérifiez l'identifiant annoncé. Ses images ne sont pas rattachées ici.";
const claimedElsewhere =
  "La demande d'un autre établissement annonce cet examen (Study Instance UID) pour un autre dossier : vérifiez que ses images sont bien celles de votre patient. Elles restent rattachées à votre demande.";

/** The exam of this request is another one's: attached, or read and signed. @param own the request, or its case. */
export async function claimedStudy(
  tx: FhirTransaction,
  own: Resource,
  link: StudyLink,
  other: CaseTask,
): Promise<Doubt> {
  const state = stateOf(other);
  const isSigned = state !== undefined && signedStates.includes(state);
  const code = isSigned ? 'study-reported' : 'study-claimed';
  const study = { imagingStudyId: link.imagingStudyId, uid: link.studyUid };
  // By its request: the case that has the images is not held for it.
  const others = other.focus?.reference ? [other.focus.reference] : [];
  if (isElsewhere(own, other)) {
    const apart: Problem = { code, detail: claimedElsewhere, cases: [], others, key: `${other.id}.${link.studyUid}` };
    const isTheirs = await isOnlyOf(tx, link, other);
    return { ...studyOfOthers(link), code, apart: [isTheirs ? { ...apart, study } : apart] };
  }
  return { code, detail: isSigned ? reported : held, study, otherCases: [], others, keyPart: link.imagingStudyId };
}

/** The same where no case of the other establishment has the images: they find it, or wait for it. */
export function studyOfOthers({ studyUid }: StudyLink): Doubt {
  return {
    code: 'study-claimed',
    detail: fromElsewhere,
    // The UID alone: who announced it knows it.
    study: { uid: studyUid },
    otherCases: [],
    keyPart: studyUid,
  };
}

/**
 * Whether a study that no case has, or that is in quarantine, is another establishment's although this request announces it. Images that
 * agree with the patient are theirs from wherever they come: an exam follows a patient who is moved.
 */
export async function isStudyOfOthers(
  tx: FhirTransaction,
  own: Resource,
  patient: Patient | undefined,
  link: StudyLink,
): Promise<boolean> {
  if (!(await areImagesOfOthers(tx, own, link))) return false;
  return (
    link.state === 'quarantined' || (patient !== undefined && contradictionsWith(patient, link.identity).length > 0)
  );
}

/** Whether naming the study shows the problem to the establishment of this case alone. */
async function isOnlyOf(tx: FhirTransaction, link: StudyLink, task: CaseTask): Promise<boolean> {
  const owners = labelsOf(task);
  return labelsOf(await tx.find('ImagingStudy', link.imagingStudyId)).every((each) => owners.includes(each));
}
