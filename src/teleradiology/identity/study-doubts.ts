/** Doubts about images that found their case: older than the request, or of the other side (ID-2). */
import type { ImagingStudy, ServiceRequest } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { StudyLink } from '../images/study-link.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';
import type { Shell } from '../shell/perform.ts';
import { raiseProblem } from './hold-case.ts';
import { contradictSide, sidesAsked, sidesShown } from './sides.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** An emergency is scanned first and written down afterwards; a night's exam may be asked for in the morning. */
const olderThanMs = 12 * hourMs;

/** Names what is doubtful about a study of this case, each once. */
export async function doubtStudy(shell: Shell, tx: FhirTransaction, link: StudyLink, task: CaseTask): Promise<void> {
  const requestId = idOf(task.focus, 'ServiceRequest');
  const request = requestId === undefined ? undefined : await tx.find('ServiceRequest', requestId);
  const images = await tx.find('ImagingStudy', link.imagingStudyId);
  if (request === undefined || images === undefined) return;
  const study = { imagingStudyId: link.imagingStudyId, uid: link.studyUid };
  const key = `${task.id}.${link.imagingStudyId}`;
  if (isPrior(images, request, new Date(task.authoredOn ?? 0)))
    await raiseProblem(shell, tx, {
      code: 'prior-as-current',
      detail: "Les images rattachées sont antérieures à la demande : ce n'est peut-être pas l'examen demandé.",
      cases: [task],
      study,
      key,
    });
  if (contradictSide(sidesAsked(request), sidesShown(images)))
    await raiseProblem(shell, tx, {
      code: 'laterality-mismatch',
      detail: 'Le côté des images contredit celui de la demande.',
      cases: [task],
      study,
      key,
    });
}

/**
 * Whether images were made before they were asked for. An exam whose date the request itself gives is the one asked for, however old: a
 * second opinion. A date without an hour counts by its end.
 */
export function isPrior(
  images: Pick<ImagingStudy, 'started'>,
  request: Pick<ServiceRequest, 'authoredOn' | 'occurrenceDateTime'>,
  received: Date,
): boolean {
  const made = endOf(images.started);
  const asked = request.authoredOn === undefined ? received.getTime() : Date.parse(request.authoredOn);
  if (made === undefined || Number.isNaN(asked) || made >= asked - olderThanMs) return false;
  const planned = request.occurrenceDateTime === undefined ? Number.NaN : Date.parse(request.occurrenceDateTime);
  return Number.isNaN(planned) || Math.abs(planned - made) > dayMs;
}

function endOf(started: string | undefined): number | undefined {
  if (started === undefined) return undefined;
  const at = Date.parse(started);
  if (Number.isNaN(at)) return undefined;
  return started.includes('T') ? at : at + dayMs;
}
