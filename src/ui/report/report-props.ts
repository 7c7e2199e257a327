/** What the report's panel and editor are given by the case page. */
import type { Patient, ServiceRequest, Task } from '@medplum/fhirtypes';
import type { CaseFacts } from '../case/case-facts.ts';
import type { Exam } from '../case/exam.ts';

export interface ReportPanelProps {
  task: Task;
  facts: CaseFacts;
  /** Name of the radiologist in charge. */
  reader: string | undefined;
  patient: Patient | undefined;
  request: ServiceRequest | undefined;
  exam: Exam;
  /** The person writes the next version of a signed report. */
  amending: boolean;
  /** Why the report is not shown to this person. */
  hiddenBecause: string | undefined;
  canSave: boolean;
  /** May show the site what is known before the signature. */
  canIssue: boolean;
  canSign: boolean;
  /** Why it may not be signed yet, when a guard says so. */
  signBlocked: string | undefined;
  /** Series never displayed on this page. */
  notDisplayed: number;
  onChanged(): void;
}
