/** DetectedIssue in words: a short title by its code, and the server's own sentence. */
import type { DetectedIssue } from '@medplum/fhirtypes';

const names: Readonly<Record<string, string>> = {
  'identity-mismatch': 'Identité discordante',
  'ins-collision': 'Même INS pour deux identités',
  'duplicate-patient': 'Même IPP pour deux identités',
  'uid-collision': 'Un identifiant d’étude pour deux patients',
  'accession-collision': 'Un numéro d’examen pour deux patients',
  'exam-unannounced': 'Examen confirmé, non annoncé par le complément',
  'study-claimed': 'Examen annoncé pour deux demandes',
  'study-reported': 'Examen déjà interprété',
  'prior-as-current': 'Images antérieures à la demande',
  'laterality-mismatch': 'Contradiction de côté',
  'patient-merged': 'Patient fusionné ou retiré',
  'identity-changed': 'Identité modifiée',
  'duplicate-request': 'Demande en double',
  homonym: 'Homonyme',
};

export function issueCode(issue: DetectedIssue): string {
  return issue.code?.coding?.[0]?.code ?? '';
}

export function issueTitle(issue: DetectedIssue): string {
  const code = issueCode(issue);
  return issue.code?.text ?? names[code] ?? issue.code?.coding?.[0]?.display ?? (code || 'Problème détecté');
}

export function detectedIssueText(issue: DetectedIssue): string {
  return issue.detail ?? issueTitle(issue);
}

/** Whether somebody still has to decide. */
export function isOpen(issue: DetectedIssue): boolean {
  return issue.status === 'preliminary' && (issue.mitigation ?? []).length === 0;
}
