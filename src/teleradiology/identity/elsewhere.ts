/**
 * What another establishment of the group has under the same number or UID: it keeps what is its own, whoever else names it, and each of
 * the two is told its own side and nothing of the other's patient (ID-2, SE-4).
 */
import type { Resource } from '@medplum/fhirtypes';
import { type FhirTransaction, labelsOf } from '../../fhir/index.ts';
import type { StudyLink } from '../images/study-link.ts';

/** Whether two resources are of establishments that have nothing in common; what nobody owns is nobody else's. */
export function isElsewhere(one: Resource | undefined, other: Resource | undefined): boolean {
  const [ours, theirs] = [labelsOf(one), labelsOf(other)];
  return ours.length > 0 && theirs.length > 0 && !ours.some((each) => theirs.includes(each));
}

/** Whether the images of a study came from another establishment than that of a case or a request. */
export async function areImagesOfOthers(tx: FhirTransaction, own: Resource, link: StudyLink): Promise<boolean> {
  return isElsewhere(own, await tx.find('ImagingStudy', link.imagingStudyId));
}
