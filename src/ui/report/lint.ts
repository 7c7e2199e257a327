/** Puts the server's remarks on a draft (422 OperationOutcome) beside the chapter each is about. */
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { issueText } from '../fhir/problem.ts';
import { type ChapterKey, chapters } from './chapters.ts';

export interface Remark {
  blocking: boolean;
  text: string;
}

export interface Remarks {
  byField: Partial<Record<ChapterKey | 'ccam' | 'not-displayed-reason', Remark[]>>;
  /** About the whole report or the case. */
  general: Remark[];
}

const fields = [...chapters.map(({ key }) => key), 'ccam', 'not-displayed-reason'] as const;

export function remarksOf(issues: readonly OperationOutcomeIssue[]): Remarks {
  const remarks: Remarks = { byField: {}, general: [] };
  for (const issue of issues) {
    const remark = {
      blocking: issue.severity !== 'warning' && issue.severity !== 'information',
      text: issueText(issue),
    };
    if (remark.text === '') continue;
    const field = fieldOf(issue);
    if (field === undefined) remarks.general.push(remark);
    else remarks.byField[field] = [...(remarks.byField[field] ?? []), remark];
  }
  return remarks;
}

/** The field named by the expression (`Parameters.parameter.where(name='results')`, `results`, `DiagnosticReport.conclusion`) or by the code. */
function fieldOf(issue: OperationOutcomeIssue): (typeof fields)[number] | undefined {
  const places = [...(issue.expression ?? []), ...(issue.details?.coding ?? []).map((one) => one.code ?? '')];
  return fields.find((field) => places.some((place) => new RegExp(`(^|[^a-z])${field}([^a-z]|$)`, 'i').test(place)));
}
