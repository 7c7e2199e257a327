/** Identifiers, versions and dates of the document: what the national rules do not catch (cda-imaging-report §8, §11.5). */
import { isOid } from '../cda/identifiers.ts';
import type { ReportIssue } from '../contract.ts';
import type { ReportModel } from '../model.ts';
import { viewerUrl } from '../viewer-url.ts';

/** Clocks of modalities and hospitals may be a little ahead of ours. */
const clockSkewMs = 15 * 60_000;

export function documentIssues(model: ReportModel): ReportIssue[] {
  const { input, studyUid } = model;
  const { oid, setOid, version, replaces } = input.document;
  const issues: ReportIssue[] = [];
  const error = (code: string, text: string) => issues.push({ severity: 'error', code, text });
  const warn = (code: string, text: string) => issues.push({ severity: 'warning', code, text });
  if (!isOid(oid) || !isOid(setOid) || (replaces !== undefined && !isOid(replaces))) {
    error('document-identifier', 'Identifiant de document mal formé.');
  }
  if (oid === setOid) error('document-set', "L'identifiant du document est celui de son lot de versions.");
  if (oid === replaces) error('document-replaces-itself', 'Le document ne peut pas se remplacer lui-même.');
  if (!Number.isInteger(version) || version < 1) error('document-version', 'Numéro de version invalide.');
  if (version === 1 && replaces !== undefined) error('document-version', 'Une première version ne remplace rien.');
  if (version > 1 && replaces === undefined) {
    error('document-version', 'Une version suivante doit nommer le document remplacé.');
  }
  if (Number.isNaN(input.signedAt.getTime())) error('signature-date', 'Date de signature illisible.');
  if (input.examDate && input.examDate.getTime() > input.signedAt.getTime() + clockSkewMs) {
    warn('exam-after-signature', "La date de l'examen est postérieure à la signature.");
  }
  if (input.requestDate && input.examDate && input.requestDate.getTime() > input.examDate.getTime() + clockSkewMs) {
    warn('request-after-exam', "La date de la demande est postérieure à celle de l'examen.");
  }
  if (!studyUid) warn('study-missing', "L'identifiant de l'examen (Study Instance UID) n'est pas connu.");
  if (!input.accessionNumber) warn('accession-missing', "Le numéro d'examen (accession number) n'est pas connu.");
  if (input.viewerUrl && !viewerUrl(input.viewerUrl)) {
    warn('viewer-url', "L'adresse des images n'est pas une adresse web : elle ne sera pas imprimée.");
  }
  return issues;
}
