/** Puts the server's remarks on a draft (422 OperationOutcome) beside the chapter each is about. */
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { issueText } from '../fhir/problem.ts';
import { plain } from '../words/plain.ts';
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
    if (issues.length > 1 && isSummary(issue)) continue;
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

/** The guard's own issue only gathers the texts of those beside it. */
function isSummary(issue: OperationOutcomeIssue): boolean {
  return issue.details?.coding?.some(({ code }) => code === 'report-complete') === true;
}

const guardFields: Readonly<Record<string, 'not-displayed-reason'>> = {
  'every-series-displayed': 'not-displayed-reason',
  'whole-study': 'not-displayed-reason',
};

/** The field named by the guard, by the expression (`Parameters.parameter.where(name='results')`, `results`, `DiagnosticReport.conclusion`) or by the code. */
function fieldOf(issue: OperationOutcomeIssue): (typeof fields)[number] | undefined {
  const places = [...(issue.expression ?? []), ...(issue.details?.coding ?? []).map((one) => one.code ?? '')];
  const guarded = places.map((place) => guardFields[place]).find((field) => field !== undefined);
  if (guarded) return guarded;
  const named = fields.find((field) =>
    places.some((place) => new RegExp(`(^|[^a-z])${field}([^a-z]|$)`, 'i').test(place)),
  );
  return named ?? chapterInWords(issueText(issue));
}

/** The chapter a remark speaks of, when it names exactly one. */
function chapterInWords(text: string): ChapterKey | undefined {
  const spoken = chapters.filter(({ label }) => plain(text).includes(plain(label).replace(/s$/, '')));
  return spoken.length === 1 ? spoken[0]?.key : undefined;
}
