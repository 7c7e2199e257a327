/** DetectedIssue in a sentence: the server's own words, else the name of the code. */
import type { DetectedIssue } from '@medplum/fhirtypes';

const names: Readonly<Record<string, string>> = {
  'identity-mismatch': 'L’identité des images ne correspond pas à celle de la demande',
  'uid-collision': 'Un même identifiant d’étude est utilisé pour deux patients',
  'ins-collision': 'L’INS reçue est celle d’un autre patient connu',
  'duplicate-patient': 'L’IPP reçu est celui d’un autre patient connu',
  'laterality-mismatch': 'Contradiction de côté entre la demande, les images et le compte rendu',
  'duplicate-study': 'Étude reçue en double',
  'dose-missing': 'Dose absente',
};

export function detectedIssueText(issue: DetectedIssue): string {
  const code = issue.code?.coding?.[0];
  const name = issue.code?.text ?? names[code?.code ?? ''] ?? code?.display ?? code?.code ?? 'Problème détecté';
  return issue.detail ?? name;
}

/** Whether somebody still has to decide. */
export function isOpen(issue: DetectedIssue): boolean {
  return issue.status === 'preliminary';
}
