/** FHIR R4 §3.1.0.1.11: a refusal carries an OperationOutcome; here it becomes something a person can read. */
import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';

/** A request that did not succeed. `status` 0: the server could not be reached. */
export class FhirProblem extends Error {
  override name = 'FhirProblem';
  readonly status: number;
  readonly issues: readonly OperationOutcomeIssue[];

  constructor(status: number, issues: readonly OperationOutcomeIssue[]) {
    super(describeProblem(status, issues));
    this.status = status;
    this.issues = issues;
  }
}

/** What went wrong, in French: our words for the status, then the server's own words. */
export function describeProblem(status: number, issues: readonly OperationOutcomeIssue[]): string {
  const details = issues.map(issueText).filter((text) => text !== '');
  const heading =
    headings[status] ?? (status >= 500 ? 'Le serveur a rencontré une erreur.' : 'La demande a été refusée.');
  return details.length === 0 ? heading : `${heading} ${details.join(' ')}`;
}

const headings: Readonly<Record<number, string>> = {
  0: 'Le serveur ne répond pas. Vérifiez la connexion réseau.',
  400: 'La demande est mal formée.',
  401: 'La session a expiré. Reconnectez-vous.',
  403: 'Votre rôle ne permet pas cette action.',
  404: 'Cet élément n’existe pas ou vous n’y avez pas accès.',
  409: 'Quelqu’un d’autre a agi en même temps.',
  410: 'Cet élément a été supprimé.',
  412: 'Le dossier a changé entre-temps.',
  422: 'Action impossible :',
  429: 'Trop de demandes. Patientez un instant.',
};

/** The guard of the case machine that refused, when it was one. */
export function guardOf(error: unknown): string | undefined {
  const issues = error instanceof FhirProblem ? error.issues : [];
  return issues
    .flatMap(({ details }) => details?.coding ?? [])
    .find(({ system }) => system?.endsWith('/CodeSystem/case-guard'))?.code;
}

/** The text of one issue: what is written for people, else the diagnostics, else the coded details. */
export function issueText(issue: OperationOutcomeIssue): string {
  return issue.details?.text ?? issue.diagnostics ?? issue.details?.coding?.[0]?.display ?? '';
}

/** Reads an answer's body as issues; a body that is no OperationOutcome gives none. */
export function issuesOf(body: unknown): OperationOutcomeIssue[] {
  if (typeof body !== 'object' || body === null) return [];
  const outcome = body as Partial<OperationOutcome>;
  return outcome.resourceType === 'OperationOutcome' && Array.isArray(outcome.issue) ? outcome.issue : [];
}

/** The message of anything thrown, for an error banner. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Erreur inattendue.';
}
