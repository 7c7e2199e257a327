/** What the shell knows of a case while it decides: its facts, with what they were read from. */
import type { Organization, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { Facts } from '../case/index.ts';
import type { StudyLink } from '../images/study-link.ts';
import type { EstablishmentSettings } from '../settings.ts';
import { idOf } from './case-task.ts';

export interface CaseView {
  facts: Facts;
  settings: EstablishmentSettings;
  /** Studies attached to the case, in order of arrival. */
  studies: StudyLink[];
}

/** The establishment whose terms apply to a case. */
export async function establishmentOf(tx: FhirTransaction, task: Task): Promise<Organization | undefined> {
  const id = idOf(task.requester, 'Organization');
  return id === undefined ? undefined : tx.find('Organization', id);
}
