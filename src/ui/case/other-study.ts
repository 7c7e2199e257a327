/** Studies of the patient besides the one being read: another study of this case, or a prior. Never mistaken for each other (IM-5). */
import type { ImagingStudy, Task } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { frenchDate } from '../time/format.ts';
import { itemsOf } from './case-facts.ts';
import { studyUid } from './study.ts';

export interface OtherStudy {
  /** Study Instance UID; undefined for images set apart, which are not served. */
  uid: string | undefined;
  /** Whether the case itself names it: part of today's exam. */
  ofCase: boolean;
  /** What stands over its images: which study this is, and when it was made. */
  banner: string;
  resource: ImagingStudy;
}

export function otherStudies(task: Task, current: string | undefined, studies: readonly ImagingStudy[]): OtherStudy[] {
  const named = itemsOf(task.output, 'imaging-study').map((one) => literalReference(one.valueReference));
  return studies
    .filter((one) => one.id !== current)
    .map((resource) => {
      const ofCase = named.includes(`ImagingStudy/${resource.id}`);
      const made = resource.started === undefined ? 'de date inconnue' : `du ${frenchDate(resource.started)}`;
      return {
        uid: studyUid(resource),
        ofCase,
        banner: ofCase ? `AUTRE ÉTUDE DE CE DOSSIER, ${made}` : `ANTÉRIORITÉ ${made}`,
        resource,
      };
    });
}
