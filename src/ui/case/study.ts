/** The study whose images are read in a case: the one the case names, else the one its request names. */
import type { ImagingStudy, ServiceRequest, Task } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { systems } from '../fhir/systems.ts';
import { itemsOf } from './case-facts.ts';

export interface CaseStudy {
  /** Study Instance UID. */
  uid: string;
  resource: ImagingStudy;
}

export function studyOf(
  task: Task,
  request: ServiceRequest | undefined,
  studies: readonly ImagingStudy[],
): CaseStudy | undefined {
  const named = itemsOf(task.output, 'imaging-study').map((one) => literalReference(one.valueReference));
  const resource =
    studies.find((one) => named.includes(`ImagingStudy/${one.id}`)) ??
    (request?.id === undefined
      ? undefined
      : studies.find((one) =>
          one.basedOn?.some((reference) => literalReference(reference) === `ServiceRequest/${request.id}`),
        ));
  const uid = resource === undefined ? undefined : studyUid(resource);
  return resource === undefined || uid === undefined ? undefined : { uid, resource };
}

/** `urn:oid:1.2.3` of the DICOM identifier without its scheme. */
export function studyUid(study: ImagingStudy): string | undefined {
  const value = study.identifier?.find((one) => one.system === systems.studyUid)?.value;
  return value?.replace(/^urn:oid:/, '');
}
