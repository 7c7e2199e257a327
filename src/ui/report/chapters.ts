/** The four chapters of a French imaging report (RP-1), and the draft a radiologist edits. */
import type { Coding, DiagnosticReport } from '@medplum/fhirtypes';
import { extensionOf } from '../case/case-facts.ts';
import { extensions, systems } from '../fhir/systems.ts';
import { chaptersOfKind, type Kind } from '../words/kinds.ts';

export const chapters = [
  { key: 'indication', label: 'Indication', hint: 'Motif de l’examen et question posée' },
  { key: 'technique', label: 'Technique', hint: 'Protocole réalisé, produit de contraste, dose' },
  { key: 'results', label: 'Résultats', hint: 'Description' },
  { key: 'conclusion', label: 'Conclusion', hint: 'Réponse à la question posée' },
] as const;

/** The chapters as this kind of act calls them. */
export function chaptersOf(kind: Kind): readonly { key: ChapterKey; label: string; hint: string }[] {
  const words = chaptersOfKind[kind];
  return words === undefined ? chapters : chapters.map(({ key }) => ({ key, ...words[key] }));
}

export type ChapterKey = (typeof chapters)[number]['key'];

export interface Draft {
  text: Record<ChapterKey, string>;
  /** CCAM act validated by the radiologist; empty code while it is not chosen. */
  ccam: { code: string; display: string };
}

export function emptyDraft(): Draft {
  return { text: { indication: '', technique: '', results: '', conclusion: '' }, ccam: { code: '', display: '' } };
}

/** The draft as the server keeps it. Codings of `code` that are not LOINC are acts. */
export function draftOf(report: DiagnosticReport | undefined): Draft {
  const stored = extensionOf(report?.extension, extensions.reportText)?.extension;
  const chapter = (key: ChapterKey): string => (extensionOf(stored, key)?.valueString ?? '').replace(/^\s+$/, '');
  const act = report?.code?.coding?.find((one) => ccamCode.test(one.code ?? ''));
  return {
    text: {
      indication: chapter('indication'),
      technique: chapter('technique'),
      results: chapter('results'),
      conclusion: stored === undefined ? (report?.conclusion ?? '') : chapter('conclusion'),
    },
    ccam: { code: act?.code ?? '', display: act?.display ?? '' },
  };
}

/** Seven characters: four letters, three digits. */
const ccamCode = /^[A-Z]{4}\d{3}$/;

export function isCcam(code: string): boolean {
  return ccamCode.test(code);
}

export function sameDraft(a: Draft, b: Draft): boolean {
  return chapters.every(({ key }) => a.text[key] === b.text[key]) && a.ccam.code === b.ccam.code;
}

/**
 * Parameters of `$save-draft` and `$sign`; no `ccam` while there is no valid code.
 * @param notDisplayedReason why some series were not displayed; empty for none.
 */
export function draftValues(draft: Draft, notDisplayedReason = ''): Record<string, string | Coding | undefined> {
  const { code, display } = draft.ccam;
  // FHIR has no empty string: a chapter that was emptied is told as a blank.
  const text = Object.fromEntries(
    chapters.map(({ key }) => [key, draft.text[key].trim() === '' ? ' ' : draft.text[key]]),
  );
  return {
    ...text,
    ccam: isCcam(code) ? { system: systems.ccam, code, ...(display ? { display } : {}) } : undefined,
    'not-displayed-reason': notDisplayedReason === '' ? undefined : notDisplayedReason,
  };
}
